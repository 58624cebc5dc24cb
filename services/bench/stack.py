"""The run's private stack: real Kafka, PostgreSQL and Triton in a directory of its own, on free ports."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg

from services.adapters.kafka.topics import CAMERA_STATUS_PLAN, DEAD_LETTER_PLAN, ensure_topics, frame_topic_plan
from services.adapters.postgres.line import apply_topology
from services.adapters.postgres.roles import CLASSIFIER, OWNER, ROLE_NAMES, ensure_roles, role_url
from services.adapters.postgres.schema import migrate
from services.bench.room import Room
from services.contracts.line_file import load_topology
from services.runtime.embedded.home import Home
from services.runtime.embedded.kafka import EmbeddedKafka
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.triton import EmbeddedTriton
from services.runtime.settings import KafkaSettings

CAMERAS: Final = ("bench-1", "bench-2", "bench-3", "bench-4")
_LINE: Final = """\
lines:
  - id: bench
    speed_m_s: 3.0
    machines:
      - { id: bench-mill, kind: skin_pass_mill, position_m: 1.0 }
    cameras:
"""


class BenchStack:
    """Servers that this process owns, and the classifier that is started against them for a slice."""

    def __init__(self, model_repository: Path, progress: Callable[[str], None]) -> None:
        """Make the directory; nothing runs before `start`."""
        self.directory = Path(tempfile.mkdtemp(prefix="millsight-bench-"))
        self.directory.chmod(0o755)
        self._home = Home(self.directory)
        self._home.create()
        self.kafka = EmbeddedKafka(self.directory, free_port(), progress=progress)
        self.postgres = EmbeddedPostgres(self.directory, free_port(), progress)
        self.triton = EmbeddedTriton(self.directory, model_repository, (free_port(), free_port()), progress)

    @property
    def logs(self) -> Path:
        """Where every process of the run writes."""
        return self._home.logs

    @property
    def line_file(self) -> Path:
        """The line of four cameras that the run simulates."""
        return self.directory / "line.yaml"

    def start_triton(self) -> None:
        """Start the inference server.

        Raises:
            TransientError: It does not come up.
        """
        self.triton.start()

    def start_stores(self) -> None:
        """Start broker and database, with schema, roles, line and topics.

        Raises:
            TransientError: One of them does not come up.
        """
        self.kafka.start()
        self._start_postgres()
        cameras = "".join(
            f"      - {{ id: {camera}, position_m: {5 + index}.0, behind: bench-mill }}\n"
            for index, camera in enumerate(CAMERAS)
        )
        self.line_file.write_text(_LINE + cameras, encoding="utf-8")
        passwords = {role: self._home.password(role) for role in ROLE_NAMES}
        ensure_roles(self.postgres.admin_url, passwords)
        migrate(self._url(OWNER))
        apply_topology(self._url(OWNER), load_topology(self.line_file))
        plans = [frame_topic_plan(camera) for camera in CAMERAS]
        ensure_topics(self.kafka_settings, *plans, DEAD_LETTER_PLAN, CAMERA_STATUS_PLAN)

    @property
    def server_pids(self) -> dict[str, int]:
        """Process ids of the servers that run, by name."""
        servers = {"kafka": self.kafka.pid, "postgres": self.postgres.pid, "triton": self.triton.pid}
        return {name: pid for name, pid in servers.items() if pid is not None}

    @property
    def kafka_settings(self) -> KafkaSettings:
        """How to reach the broker."""
        return KafkaSettings(bootstrap_servers=self.kafka.bootstrap_servers)

    def connect(self) -> psycopg.Connection:
        """Return a session of the owner, in autocommit."""
        return psycopg.connect(self._url(OWNER), autocommit=True)

    def start_classifier(self, triton_url: str) -> Room:
        """Start the real classifier, as the line does, against this inference server."""
        url_file = self._home.write_secret("classifier.url", self._url(CLASSIFIER))
        environment = {
            "CLASSIFIER_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "CLASSIFIER_POSTGRES__URL_FILE": str(url_file),
            "CLASSIFIER_TRITON__URL": triton_url,
            "CLASSIFIER_LINE__FILE": str(self.line_file),
            "CLASSIFIER_HEALTH__PORT": str(free_port()),
        }
        return self._start_room("classifier", environment)

    def start_camera(self, images: Path, frames_per_second: float) -> Room:
        """Start the real camera room: every camera of the line plays these images at this rate."""
        environment = {
            "CAMERA_KAFKA__BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
            "CAMERA_SPOOL__DIR": str(self.directory / "spool"),
            "CAMERA_SPOOL__MIN_FREE_BYTES": "0",
            "CAMERA_LINE__FILE": str(self.line_file),
            "CAMERA_SOURCE__SPEC": f"folder:{images}",
            "CAMERA_SOURCE__FRAMES_PER_SECOND": f"{frames_per_second:.3f}",
            "CAMERA_HEALTH__PORT": str(free_port()),
        }
        return self._start_room("camera", environment)

    def stop(self) -> None:
        """Stop what runs and remove the directory."""
        for server in (self.triton, self.kafka, self.postgres):
            server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start_room(self, name: str, environment: Mapping[str, str]) -> Room:
        spec = ProcessSpec(
            argv=(sys.executable, "-m", f"services.{name}"),
            log_file=self._home.log_file(name),
            environment=environment,
            cwd=self.directory,
            stop_grace_s=15.0,
        )
        return Room(name, spec)

    def _start_postgres(self) -> None:
        """Start with commit timestamps: a row's `stored_at` is when its transaction began, not when it ended."""
        self.postgres.start()
        with closing(psycopg.connect(self.postgres.admin_url, autocommit=True)) as admin:
            admin.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        self.postgres.stop()
        self.postgres.start()

    def _url(self, role: str) -> str:
        return role_url(self.postgres.admin_url, role, self._home.password(role))
