"""How the stack is put together: order, ports, environment, and no secret on a command line."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.contracts.errors import ConfigurationError, TransientError
from services.process_monitor.settings import MonitorSettings
from services.runtime.embedded.assembly import Assembly, Wiring
from services.runtime.embedded.greeting import READY, greeting
from services.runtime.embedded.home import Home
from services.runtime.embedded.job import Job
from services.runtime.embedded.options import StackOptions, StackSettings
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.state import Past
from services.runtime.embedded.supervisor import Part
from services.runtime.settings import load_settings

_PROJECT = Path(__file__).resolve().parents[2]
_PASSWORD = "hunter2"
_FIRST_START = "2026-11-30T06:00:00+00:00"
PAST = Past({}, _FIRST_START)


@pytest.fixture
def assemble(tmp_path: Path) -> Callable[..., Assembly]:
    """Puts a stack together over servers of the user's own, so that nothing is installed."""

    def put_together(alerts_file: Path | None = None, **changes: Any) -> Assembly:
        usual: dict[str, Any] = {"project": _PROJECT, "line_file": _PROJECT / "line.yaml"}
        settings = StackSettings.model_validate(
            {
                "kafka_bootstrap_servers": "broker.plant:9092",
                "database_url": f"postgresql://admin:{_PASSWORD}@db.plant/postgres",
                "triton_grpc_url": "triton.plant:8001",
                "millsight_alerts_file": alerts_file,
            }
        )
        options = StackOptions(**(usual | changes))
        assembly = Assembly(Home(tmp_path), options, settings, lambda _line: None, PAST)
        assembly.assemble(Wiring(lambda _url: None, lambda _servers: None))
        return assembly

    return put_together


def part(assembly: Assembly, name: str) -> Part:
    return next(each for each in assembly.parts if each.server.name == name)


def spec(assembly: Assembly, name: str) -> ProcessSpec:
    return part(assembly, name).server.spec()


def room_arguments(of: Part) -> tuple[str, ...]:
    return () if of.server.external or isinstance(of.server, Job) else tuple(of.server.spec().argv)


def row(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"  {name} "))


def test_every_worker_gets_the_broker_the_database_file_triton_and_a_port_of_its_own(
    assemble: Callable[..., Assembly], tmp_path: Path
) -> None:
    assembly = assemble(workers=3)
    environments = [spec(assembly, f"classifier-{number}").environment for number in (1, 2, 3)]
    for environment in environments:
        assert environment["CLASSIFIER_KAFKA__BOOTSTRAP_SERVERS"] == "broker.plant:9092"
        assert environment["CLASSIFIER_TRITON__URL"] == "triton.plant:8001"
        assert environment["CLASSIFIER_POSTGRES__URL_FILE"] == str(
            tmp_path / "secrets" / "millsight_classifier.url"
        )
    assert len({environment["CLASSIFIER_HEALTH__PORT"] for environment in environments}) == 3


def test_no_port_is_given_twice(assemble: Callable[..., Assembly]) -> None:
    ports = assemble(workers=4).ports
    assert len(set(ports.values())) == len(ports)


def test_no_password_is_on_a_command_line_in_an_environment_or_in_the_state(
    assemble: Callable[..., Assembly],
) -> None:
    assembly = assemble()
    for each in assembly.parts:
        if each.server.name in ("camera", "dashboard", "classifier-1", "process-monitor"):
            assert _PASSWORD not in str(each.server.spec())
    assert _PASSWORD not in json.dumps(assembly.addresses)


def test_servers_of_the_users_own_are_external_and_nothing_is_started_for_them(
    assemble: Callable[..., Assembly],
) -> None:
    assembly = assemble()
    assert all(part(assembly, name).server.external for name in ("kafka", "postgres", "triton"))
    assert assembly.addresses["broker"] == {"kind": "external", "bootstrap_servers": "broker.plant:9092"}
    assert set(assembly.ports) == {"classifier-1", "process-monitor", "camera", "dashboard"}


def test_there_is_one_process_monitor_with_its_own_role_however_many_workers(
    assemble: Callable[..., Assembly], tmp_path: Path
) -> None:
    assembly = assemble(workers=3)
    monitors = [each for each in assembly.parts if "services.process_monitor" in room_arguments(each)]
    assert [each.server.name for each in monitors] == ["process-monitor"]
    environment = monitors[0].server.spec().environment
    assert environment["MONITOR_POSTGRES__URL_FILE"] == str(tmp_path / "secrets" / "millsight_monitor.url")
    assert environment["MONITOR_LINE__FILE"] == str(_PROJECT / "line.yaml")
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_the_process_monitor_needs_the_database_only(assemble: Callable[..., Assembly]) -> None:
    monitor = part(assemble(), "process-monitor")
    assert monitor.after == ("database set-up",)
    assert monitor.stop_rank == part(assemble(), "classifier-1").stop_rank


def test_the_process_monitors_variables_are_its_settings(
    assemble: Callable[..., Assembly], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = assemble(alerts_file=tmp_path / "alerts.yaml")
    for name, value in spec(assembly, "process-monitor").environment.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(MonitorSettings)
    assert settings.alerts.file == tmp_path / "alerts.yaml"
    assert settings.health.port == assembly.ports["process-monitor"]


def test_a_relative_alert_file_counts_from_where_the_command_was_called(
    assemble: Callable[..., Assembly], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = spec(assemble(alerts_file=Path("alerts.yaml")), "process-monitor").environment
    assert environment["MONITOR_ALERTS__FILE"] == str(tmp_path / "alerts.yaml")


def test_without_an_alert_file_nobody_is_told(assemble: Callable[..., Assembly]) -> None:
    assert "MONITOR_ALERTS__FILE" not in spec(assemble(), "process-monitor").environment


def test_the_greeting_shows_the_process_monitor_and_who_is_told(
    assemble: Callable[..., Assembly], tmp_path: Path
) -> None:
    silent, telling = assemble(), assemble(alerts_file=tmp_path / "alerts.yaml")
    shown = greeting(silent.addresses, silent.home)
    assert f"http://127.0.0.1:{silent.ports['process-monitor']}/metrics" in row(shown, "metrics process-monitor")
    assert "MILLSIGHT_ALERTS_FILE" in row(shown, "alerts")
    assert str(tmp_path / "alerts.yaml") in row(greeting(telling.addresses, telling.home), "alerts")
    assert shown.endswith(READY)


def test_the_columns_of_the_greeting_stand_under_each_other(assemble: Callable[..., Assembly]) -> None:
    assembly = assemble(workers=12)
    rows = greeting(assembly.addresses, assembly.home).split("\n\n")[0].strip("\n").splitlines()
    assert len(rows) > 15
    assert all(line[2:26].strip() and line[26] == " " and line[27] != " " for line in rows)


def test_rooms_wait_for_their_servers_and_stop_before_them(assemble: Callable[..., Assembly]) -> None:
    assembly = assemble()
    classifier = part(assembly, "classifier-1")
    assert set(classifier.after) == {"kafka", "topics", "database set-up", "triton"}
    ranks = [part(assembly, name).stop_rank for name in ("classifier-1", "triton", "kafka", "postgres")]
    assert ranks == sorted(set(ranks))


def test_the_demo_can_play_images_of_a_directory_on_some_cameras_or_not_run(
    assemble: Callable[..., Assembly], tmp_path: Path
) -> None:
    environment = spec(assemble(frames=tmp_path, cameras=("cam-1", "cam-2")), "camera").environment
    assert environment["CAMERA_SOURCE__SPEC"] == f"folder:{tmp_path}"
    assert json.loads(environment["CAMERA_SOURCE__CAMERAS"]) == ["cam-1", "cam-2"]
    assert spec(assemble(), "camera").environment["CAMERA_SOURCE__SPEC"] == "simulated"
    assert "camera" not in {each.server.name for each in assemble(demo=False).parts}


def test_the_demo_cameras_are_told_what_the_user_scripted(bare: Assembly, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"CAMERA_SOURCE__SPEC": "simulated", "CAMERA_SOURCE__LEARNS_FROM": _FIRST_START}
    assert bare._camera_source() == usual
    script = {
        "CAMERA_SOURCE__FAULTS": "[]",
        "CAMERA_SOURCE__DIRTY": '["cam-2"]',
        "CAMERA_SOURCE__COIL_LENGTH_M": "120",
    }
    for name, value in script.items():
        monkeypatch.setenv(name, value)
    told = replace(bare, settings=StackSettings())
    assert told._camera_source() == usual | script


def test_a_stack_remembers_ports_and_when_the_first_one_was_started(assemble: Callable[..., Assembly]) -> None:
    first = Past.of(None)
    assert first.ports == {}
    assert datetime.fromisoformat(first.first_started_at).tzinfo is not None
    assembly = assemble()
    state = {"ports": {"kafka": 9093}, **assembly.addresses}
    assert Past.of(state) == Past({"kafka": 9093}, _FIRST_START)


def test_the_dashboard_listens_on_loopback_and_reports_to_nobody(assemble: Callable[..., Assembly]) -> None:
    arguments = spec(assemble(), "dashboard").argv
    assert "--server.address=127.0.0.1" in arguments
    assert "--browser.gatherUsageStats=false" in arguments


def test_a_checkout_without_dashboard_is_refused_in_words(
    assemble: Callable[..., Assembly], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="complete checkout"):
        assemble(project=tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def bare(tmp_path: Path, said: list[str]) -> Assembly:
    options = StackOptions(project=_PROJECT, line_file=_PROJECT / "line.yaml")
    return Assembly(Home(tmp_path), options, StackSettings.model_validate({}), said.append, PAST)


def test_tansu_takes_kafkas_place_where_the_jars_cannot_be_had_and_says_so_loudly(
    bare: Assembly, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(_progress: object) -> list[Path]:
        raise TransientError("the Kafka jars cannot be fetched: no route to host")

    monkeypatch.setattr("services.runtime.embedded.assembly.ensure_jars", unreachable)
    broker = bare._embedded_broker(9092)
    assert broker.kind == "tansu"
    assert any("no route to host" in line for line in said)
    assert any(line.startswith("WARNING") and "IN MEMORY ONLY" in line for line in said)


def test_a_jar_that_is_not_genuine_stops_the_start_instead_of_falling_back(
    bare: Assembly, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_genuine(_progress: object) -> list[Path]:
        raise ConfigurationError("the Kafka jar has another checksum")

    monkeypatch.setattr("services.runtime.embedded.assembly.ensure_jars", not_genuine)
    with pytest.raises(ConfigurationError, match="another checksum"):
        bare._embedded_broker(9092)
