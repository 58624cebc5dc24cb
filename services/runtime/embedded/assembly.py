"""Joins the parts of the stack: which servers, on which ports, in which order, with which environment."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.external import ExternalServer
from services.runtime.embedded.home import Home
from services.runtime.embedded.java import find_java
from services.runtime.embedded.job import Job
from services.runtime.embedded.kafka import EmbeddedKafka
from services.runtime.embedded.kafka_jars import ensure_jars
from services.runtime.embedded.options import StackOptions, StackSettings, database_address, parse_addresses
from services.runtime.embedded.ports import choose_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.room import HealthPages, RoomProcess
from services.runtime.embedded.state import Past
from services.runtime.embedded.supervisor import Part
from services.runtime.embedded.tansu import EmbeddedTansu
from services.runtime.embedded.triton import EmbeddedTriton

_HOST: Final = "127.0.0.1"
_DEFAULT_PORTS: Final = {
    "kafka": 9092,
    "postgres": 54320,
    "triton": 8001,
    "triton-metrics": 8002,
    "dashboard": 8501,
}
_FIRST_HEALTH_PORT: Final = 9101
_MONITOR_HEALTH_PORT: Final = 9190
_DASHBOARD_NICENESS: Final = 10  # people may wait, frames may not
_ROOM_RANK, _TRITON_RANK, _KAFKA_RANK, _POSTGRES_RANK = range(4)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What the stack needs done by those who know the adapters.

    Attributes:
        database: Brings roles, schema and line up to date, given the administrator's URL; writes the roles' URLs
            into the directory of secrets.
        topics: Creates the line's topics, given the bootstrap servers.
    """

    database: Callable[[str], None]
    topics: Callable[[str], None]


@dataclass(slots=True)
class Assembly:
    """Collects the parts; `parts`, `addresses` and `ports` are complete after `assemble`."""

    home: Home
    options: StackOptions
    settings: StackSettings
    say: Callable[[str], None]
    past: Past
    parts: list[Part] = field(default_factory=list)
    addresses: dict[str, Any] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    _client_properties: Path | None = None

    def assemble(self, wiring: Wiring) -> None:
        """Choose servers and ports, and lay out the order.

        Raises:
            ConfigurationError: A setting is wrong, or a runtime cannot be installed.
            TransientError: A runtime cannot be had now.
        """
        bootstrap_servers = self._add_broker()
        admin_url = self._add_database()
        grpc_url = self._add_triton()
        self.parts.append(Part(Job("database set-up", lambda: wiring.database(admin_url)), ("postgres",)))
        self.parts.append(Part(Job("topics", lambda: wiring.topics(bootstrap_servers)), ("kafka",)))
        self.addresses |= {"metrics": {}, "first_started_at": self.past.first_started_at}
        for number in range(1, self.options.workers + 1):
            self._add_classifier(number, bootstrap_servers, grpc_url)
        self._add_process_monitor()
        if self.options.demo:
            self._add_camera(bootstrap_servers)
        if self.options.dashboard:
            self._add_dashboard()
        if "triton-metrics" in self.ports:
            self.addresses["metrics"]["triton"] = self.addresses["triton"]["metrics_url"]

    def _port(self, name: str, default: int | None = None) -> int:
        wanted = (self.past.ports.get(name), _DEFAULT_PORTS.get(name, default))
        port = choose_port(*wanted, taken=frozenset(self.ports.values()))
        self.ports[name] = port
        return port

    def _add_broker(self) -> str:
        given = self.settings.kafka_bootstrap_servers
        if given is not None:
            server = ExternalServer("kafka", parse_addresses("KAFKA_BOOTSTRAP_SERVERS", given))
            self.parts.append(Part(server, stop_rank=_KAFKA_RANK))
            self.addresses["broker"] = {"kind": "external", "bootstrap_servers": given}
            return given
        broker = self._embedded_broker(self._port("kafka"))
        self.parts.append(Part(broker, stop_rank=_KAFKA_RANK))
        self.addresses["broker"] = {"kind": broker.kind, "bootstrap_servers": broker.bootstrap_servers}
        return broker.bootstrap_servers

    def _embedded_broker(self, port: int) -> EmbeddedKafka | EmbeddedTansu:
        try:
            ensure_jars(self.say)
            find_java(self.say)
        except TransientError as error:
            self.say(f"WARNING: {error}")
            self.say(
                "WARNING: Kafka cannot be had, Tansu takes its place. It keeps frames IN MEMORY ONLY: what it has "
                "acknowledged is lost when it stops, and its memory grows. Good for a look, not for a line"
            )
            tansu = EmbeddedTansu(self.home.path, port, self.say)
            self._client_properties = tansu.client_properties
            return tansu
        return EmbeddedKafka(self.home.path, port, progress=self.say)

    def _add_database(self) -> str:
        given = self.settings.database_url
        reports = {"reports_url_file": str(self.home.secrets / "millsight_reports.url")}
        if given is not None:
            url = given.get_secret_value()
            host, port = database_address(url)
            self.parts.append(Part(ExternalServer("postgres", [(host, port)]), stop_rank=_POSTGRES_RANK))
            self.addresses["postgres"] = {"kind": "external", "host": host, "port": port, **reports}
            return url
        server = EmbeddedPostgres(self.home.path, self._port("postgres"), self.say)
        self.parts.append(Part(server, stop_rank=_POSTGRES_RANK))
        self.addresses["postgres"] = {"kind": "embedded", "host": _HOST, "port": self.ports["postgres"], **reports}
        return server.admin_url

    def _add_triton(self) -> str:
        given = self.settings.triton_grpc_url
        if given is not None:
            server = ExternalServer("triton", parse_addresses("TRITON_GRPC_URL", given))
            self.parts.append(Part(server, stop_rank=_TRITON_RANK))
            self.addresses["triton"] = {"kind": "external", "grpc_url": given, "metrics_url": None}
            return given
        ports = self._port("triton"), self._port("triton-metrics")
        repository = self.settings.millsight_model_repository or self.options.project / "model_repository"
        triton = EmbeddedTriton(self.home.path, repository, ports, self.say)
        triton.install()
        self.parts.append(Part(triton, stop_rank=_TRITON_RANK))
        self.addresses["triton"] = {
            "kind": "embedded",
            "grpc_url": triton.grpc_url,
            "metrics_url": triton.metrics_url,
        }
        return triton.grpc_url

    def _add_classifier(self, number: int, bootstrap_servers: str, grpc_url: str) -> None:
        name = f"classifier-{number}"
        pages = HealthPages(self._port(name, _FIRST_HEALTH_PORT + number))
        environment = self._kafka("CLASSIFIER", bootstrap_servers) | {
            "CLASSIFIER_POSTGRES__URL_FILE": str(self.home.secrets / "millsight_classifier.url"),
            "CLASSIFIER_TRITON__URL": grpc_url,
            "CLASSIFIER_LINE__FILE": str(self.options.line_file),
            "CLASSIFIER_HEALTH__PORT": str(pages.port),
        }
        needs = ("kafka", "topics", "database set-up", "triton")
        self._add_room(name, ("-m", "services.classifier"), environment, pages, needs)

    def _add_process_monitor(self) -> None:
        pages = HealthPages(self._port("process-monitor", _MONITOR_HEALTH_PORT))
        environment = {
            "MONITOR_POSTGRES__URL_FILE": str(self.home.secrets / "millsight_monitor.url"),
            "MONITOR_LINE__FILE": str(self.options.line_file),
            "MONITOR_HEALTH__PORT": str(pages.port),
            "OPENBLAS_NUM_THREADS": "1",
        }
        alerts_file = self.settings.millsight_alerts_file
        if alerts_file is not None:
            environment["MONITOR_ALERTS__FILE"] = str(alerts_file.absolute())
        self.addresses["alerts"] = {"file": environment.get("MONITOR_ALERTS__FILE")}
        arguments = ("-m", "services.process_monitor")
        self._add_room("process-monitor", arguments, environment, pages, ("database set-up",))

    def _add_camera(self, bootstrap_servers: str) -> None:
        pages = HealthPages(self._port("camera", _FIRST_HEALTH_PORT))
        environment = self._kafka("CAMERA", bootstrap_servers) | {
            "CAMERA_LINE__FILE": str(self.options.line_file),
            "CAMERA_SPOOL__DIR": str(self.home.path.absolute() / "spool"),
            "CAMERA_HEALTH__PORT": str(pages.port),
        }
        environment |= self._camera_source()
        self._add_room("camera", ("-m", "services.camera"), environment, pages, ("kafka", "topics"))

    def _camera_source(self) -> dict[str, str]:
        frames = self.options.frames
        source = "simulated" if frames is None else f"folder:{frames.absolute()}"
        environment = {"CAMERA_SOURCE__SPEC": source} | self.settings.demo_script
        environment["CAMERA_SOURCE__LEARNS_FROM"] = self.past.first_started_at
        if self.options.cameras:
            environment["CAMERA_SOURCE__CAMERAS"] = json.dumps(self.options.cameras)
        return environment

    def _add_dashboard(self) -> None:
        pages = HealthPages(self._port("dashboard"), "/_stcore/health", "/_stcore/health", None)
        script = self.options.project / "dashboard" / "streamlit_app.py"
        if not script.is_file():
            raise ConfigurationError(f"the dashboard {script} is missing: run millsight from a complete checkout")
        arguments = (
            "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.address={_HOST}",
            f"--server.port={pages.port}", "--browser.gatherUsageStats=false", "--server.fileWatcherType=none",
            "--client.toolbarMode=viewer", "--client.showErrorDetails=none", "--server.enableStaticServing=false",
        )  # fmt: skip
        environment = {
            "DASHBOARD_POSTGRES__URL_FILE": str(self.home.secrets / "millsight_dashboard.url"),
            "DASHBOARD_ACCESS__USERS_FILE": str(self.home.users_file),
            "DASHBOARD_ACCESS__PLANNER_URL_FILE": str(self.home.secrets / "millsight_planner.url"),
            "DASHBOARD_LINE__BOOTSTRAP_SERVERS": str(self.addresses["broker"]["bootstrap_servers"]),
            "PYTHONPATH": str(self.options.project),
        }
        self._add_room("dashboard", arguments, environment, pages, ("database set-up",))
        self.addresses["dashboard"] = {"url": f"http://{_HOST}:{pages.port}"}

    def _kafka(self, prefix: str, bootstrap_servers: str) -> dict[str, str]:
        environment = {f"{prefix}_KAFKA__BOOTSTRAP_SERVERS": bootstrap_servers}
        properties = self._client_properties or self.settings.kafka_config_file
        if properties is not None:
            environment[f"{prefix}_KAFKA__CONFIG_FILE"] = str(properties.absolute())
        return environment

    def _add_room(
        self,
        name: str,
        arguments: tuple[str, ...],
        environment: dict[str, str],
        pages: HealthPages,
        after: tuple[str, ...],
    ) -> None:
        spec = ProcessSpec(
            argv=(sys.executable, *arguments),
            log_file=self.home.log_file(name),
            environment=environment,
            cwd=self.options.project,
            stop_grace_s=12.0,
            niceness=_DASHBOARD_NICENESS if name == "dashboard" else 0,
        )
        room = RoomProcess(name, spec, pages)
        self.parts.append(Part(room, after, _ROOM_RANK))
        if room.metrics_url is not None:
            self.addresses["metrics"][name] = room.metrics_url
