"""Apache Kafka as a child process: one node, broker and controller in one (KRaft), on loopback only."""

import base64
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from typing_extensions import override

from services.contracts.errors import TransientError
from services.runtime.embedded.cache import Progress
from services.runtime.embedded.home import Home, write_atomically
from services.runtime.embedded.java import find_java
from services.runtime.embedded.kafka_jars import ensure_jars
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.probes import kafka_problem
from services.runtime.embedded.processes import ProcessSpec, base_environment
from services.runtime.embedded.server import EmbeddedServer

_HOST: Final = "127.0.0.1"
_LOG_CONFIGURATION: Final = Path(__file__).with_name("kafka-log4j2.properties")
_FORMAT_TIMEOUT_S: Final = 60.0

_JVM_FLAGS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a small line on few cores: a quick start is worth more than the last per cent
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
)

_PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=1
auto.create.topics.enable=true
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes={message_max_bytes}
replica.fetch.max.bytes={message_max_bytes}
log.segment.bytes={segment_bytes}
log.retention.hours={retention_hours}
log.retention.bytes={retention_bytes}
log.retention.check.interval.ms=60000
offsets.retention.minutes=10080
num.network.threads=2
num.io.threads=2
num.recovery.threads.per.data.dir=2
background.threads=2
log.cleaner.dedupe.buffer.size=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


@dataclass(frozen=True, slots=True)
class KafkaLimits:
    """What the broker may take.

    Attributes:
        heap_mb: Largest Java heap.
        message_max_bytes: Largest record batch; the largest legal frame and its envelope.
        retention_hours: Age at which frames are deleted.
        retention_bytes: Size of one topic's partition on disk at which its oldest frames are deleted.
        segment_bytes: Size of a log file, the grain of deletion.
    """

    heap_mb: int = 320
    message_max_bytes: int = 4_456_448
    retention_hours: int = 48
    retention_bytes: int = 2 * 1024**3
    segment_bytes: int = 128 * 1024**2


class EmbeddedKafka(EmbeddedServer):
    """A broker with its data in `home/kafka`; the cluster id stays the same across restarts."""

    name = "kafka"
    kind = "kafka"
    start_timeout_s = 180.0  # after a crash it may have to check its logs

    def __init__(
        self, home: Path, port: int, limits: KafkaLimits | None = None, progress: Progress = lambda _line: None
    ) -> None:
        """Remember where to run; nothing is touched before `prepare`."""
        super().__init__()
        self._home = Home(home)
        self._port = port
        self._limits = KafkaLimits() if limits is None else limits
        self._progress = progress
        self._command: list[str] = []

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients, host:port."""
        return f"{_HOST}:{self._port}"

    @property
    @override
    def address(self) -> str:
        """Host and port for clients."""
        return self.bootstrap_servers

    @override
    def prepare(self) -> None:
        """Fetch the jars, write the configuration, and format the storage at the first start.

        Raises:
            ConfigurationError: There is no Java, or a jar is not genuine.
            TransientError: The jars cannot be had now, or the storage cannot be formatted.
        """
        self._home.create()
        class_path = ":".join(str(jar) for jar in ensure_jars(self._progress))
        self._command = [
            str(find_java(self._progress)), "-Xms64m", f"-Xmx{self._limits.heap_mb}m", *_JVM_FLAGS,
            f"-Dlog4j2.configurationFile={_LOG_CONFIGURATION}", "-cp", class_path,
        ]  # fmt: skip
        data = self._directory / "data"
        self._directory.mkdir(exist_ok=True)
        write_atomically(self._configuration, self._properties(data))
        if not (data / "meta.properties").exists():
            self._format()
        self._command[1:1] = [f"-XX:SharedArchiveFile={self._class_archive}"]

    @override
    def spec(self) -> ProcessSpec:
        """Return how to run the broker."""
        return ProcessSpec(
            argv=(*self._command, "kafka.Kafka", str(self._configuration)),
            log_file=self._home.log_file(self.name),
            cwd=self._directory,
            stop_grace_s=15.0,
        )

    @override
    def problem(self) -> str | None:
        """Ask for the cluster's metadata."""
        return kafka_problem(_HOST, self._port)

    @property
    def _directory(self) -> Path:
        return (self._home.path / "kafka").absolute()

    @property
    def _configuration(self) -> Path:
        return self._directory / "server.properties"

    @property
    def _class_archive(self) -> Path:
        """Java's archive of loaded classes, for quicker starts; ignored when missing or of another Java."""
        return self._directory / "classes.jsa"

    def _properties(self, data: Path) -> str:
        limits = self._limits
        return _PROPERTIES.format(
            host=_HOST,
            port=self._port,
            controller_port=free_port(),
            data=data,
            message_max_bytes=limits.message_max_bytes,
            segment_bytes=limits.segment_bytes,
            retention_hours=limits.retention_hours,
            retention_bytes=limits.retention_bytes,
        )

    def _format(self) -> None:
        self._progress("formatting Kafka's storage, once")
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        arguments = [
            "kafka.tools.StorageTool",
            "format",
            "-c",
            str(self._configuration),
            f"--cluster-id={cluster_id}",
        ]
        try:
            subprocess.run(
                [
                    self._command[0],
                    f"-XX:ArchiveClassesAtExit={self._class_archive}",
                    *self._command[1:],
                    *arguments,
                ],
                check=True,
                capture_output=True,
                text=True,
                timeout=_FORMAT_TIMEOUT_S,
                env=base_environment(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or getattr(error, "stdout", None) or error
            raise TransientError(f"Kafka's storage in {self._directory} cannot be formatted: {said}") from error
