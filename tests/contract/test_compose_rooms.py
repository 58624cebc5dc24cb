"""compose.yaml and the Dockerfile against the code they start: settings, doors, ports, files, versions."""

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer
import yaml
from pydantic_settings import BaseSettings

from services import cli
from services.adapters.notifications.settings import load_receivers
from services.commands import db
from services.contracts.line_file import load_topology
from tests.contract.composition import Composition
from tests.contract.settings_table import ROOMS as ALL_ROOMS
from tests.contract.settings_table import settings_of

ONE_SHOTS = {"trainer", "simulator"}
"""They run on a developer's machine and have no container."""
ROOMS = {room.replace("_", "-"): settings for room, settings in ALL_ROOMS.items() if room not in ONE_SHOTS}
WITH_HEALTH = ("camera", "classifier", "process-monitor")
NO_SETTINGS = {"process-monitor": {"OPENBLAS_NUM_THREADS"}}
"""Variables that libraries read, not the room's settings."""

_COPY = re.compile(r"^COPY (?!--from)(?P<paths>.+)$", re.M)


@pytest.fixture(scope="module")
def composition(project_root: Path) -> Composition:
    return Composition.load(project_root)


@pytest.fixture(scope="module")
def dockerfile(project_root: Path) -> str:
    return (project_root / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def only_these_variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for room in ROOMS:
        for setting in settings_of(ROOMS[room]):
            monkeypatch.delenv(setting.variable, raising=False)
    return monkeypatch


def prefix_of(room: str) -> str:
    return str(ROOMS[room].model_config["env_prefix"])


def settings_from(
    environment: Mapping[str, str], settings_class: type[BaseSettings], patch: pytest.MonkeyPatch
) -> BaseSettings:
    for name, value in environment.items():
        patch.setenv(name, value)
    return settings_class()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_variable_of_a_room_is_a_setting_of_it(room: str, composition: Composition) -> None:
    known = {setting.variable for setting in settings_of(ROOMS[room])}
    assert set(composition.environment(room)) - NO_SETTINGS.get(room, set()) <= known


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_a_room_starts_with_exactly_these_variables(
    room: str, composition: Composition, only_these_variables: pytest.MonkeyPatch
) -> None:
    settings = settings_from(composition.environment(room), ROOMS[room], only_these_variables)
    assert settings.model_fields_set


@pytest.mark.parametrize("room", WITH_HEALTH)
def test_the_health_check_asks_the_port_that_the_room_opens(
    room: str, composition: Composition, only_these_variables: pytest.MonkeyPatch
) -> None:
    settings = settings_from(composition.environment(room), ROOMS[room], only_these_variables)
    health = settings.model_dump()["health"]
    assert f"http://127.0.0.1:{health['port']}/readyz" in composition.services[room]["healthcheck"]["test"][-1]
    assert health["host"] == "0.0.0.0"  # noqa: S104 - Prometheus asks over a private network


@pytest.mark.parametrize("room", WITH_HEALTH)
def test_prometheus_scrapes_the_port_that_the_room_opens(room: str, composition: Composition) -> None:
    file = composition.root / "deploy" / "prometheus" / "prometheus.yml"
    jobs = {job["job_name"]: job for job in yaml.safe_load(file.read_text(encoding="utf-8"))["scrape_configs"]}
    found = jobs[room]["dns_sd_configs"][0]
    assert found["names"] == [room]
    assert str(found["port"]) == composition.environment(room)[f"{prefix_of(room)}HEALTH__PORT"]


def test_prometheus_scrapes_the_metrics_port_of_triton(composition: Composition) -> None:
    file = composition.root / "deploy" / "prometheus" / "prometheus.yml"
    jobs = {job["job_name"]: job for job in yaml.safe_load(file.read_text(encoding="utf-8"))["scrape_configs"]}
    port = re.search(r"--metrics-port=(\d+)", composition.services["triton"]["command"][2])
    assert port is not None
    assert jobs["triton"]["static_configs"][0]["targets"] == [f"triton:{port[1]}"]


@pytest.mark.parametrize("room", WITH_HEALTH)
def test_a_room_is_started_through_its_door(room: str, composition: Composition) -> None:
    module = f"services.{room.replace('-', '_')}"
    assert composition.services[room]["command"] == ["python", "-m", module]
    assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_the_dashboard_is_started_through_its_door(composition: Composition, project_root: Path) -> None:
    command = composition.services["dashboard"]["command"]
    assert command[:2] == ["streamlit", "run"]
    folder = Path(composition.services["dashboard"].get("working_dir", "/app")).relative_to("/app")
    assert (project_root / folder / command[2]).is_file()
    script = project_root / folder / command[2]
    assert (script.parent / ".streamlit" / "config.toml").is_file(), "Streamlit reads the script's own"
    port = dict(word.split("=") for word in command[3:])["--server.port"]
    assert f":{port}/_stcore/health" in composition.services["dashboard"]["healthcheck"]["test"][-1]
    assert composition.services["dashboard"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_migration_uses_commands_and_options_that_exist(composition: Composition) -> None:
    shell = composition.services["migrate"]["command"]
    assert shell[:2] == ["sh", "-c"]
    group = typer.main.get_command(db.app)
    assert hasattr(group, "commands")
    variables = set(composition.environment("migrate"))
    for line in shell[2].split("&&"):
        program, family, name, *options = line.split()
        assert (program, family) == ("millsight", "db")
        parameters = group.commands[name].params
        known = {option for parameter in parameters for option in parameter.opts}
        assert {option for option in options if option.startswith("--")} <= known
        for parameter in parameters:
            given = parameter.envvar in variables if parameter.envvar else bool(set(parameter.opts) & set(options))
            assert given or not parameter.required, f"{name}: {parameter.name} is not given"
    assert [line.split()[2] for line in shell[2].split("&&")] == ["roles", "migrate", "line", "models"]


def test_the_command_line_has_the_family_that_the_migration_calls() -> None:
    group = typer.main.get_command(cli.app)
    assert "db" in getattr(group, "commands", {})


def test_the_mounted_line_file_is_the_one_the_rooms_are_told_of(composition: Composition) -> None:
    targets = {(name, target) for name, source, target, _ in composition.bind_mounts() if source == "./line.yaml"}
    assert targets == {(name, "/etc/millsight/line.yaml") for name in (*WITH_HEALTH, "migrate")}
    for room in WITH_HEALTH:
        assert composition.environment(room)[f"{prefix_of(room)}LINE__FILE"] == "/etc/millsight/line.yaml"
    assert load_topology(composition.root / "line.yaml").cameras


def test_a_room_gets_the_database_url_of_its_own_role(composition: Composition) -> None:
    given = {}
    for room in ROOMS:
        secrets = composition.services[room].get("secrets", [])
        given[room] = [Path(composition.document["secrets"][name]["file"]).stem for name in secrets]
    assert given == {
        "camera": [],
        "classifier": ["millsight_classifier"],
        "process-monitor": ["millsight_monitor"],
        "dashboard": ["millsight_dashboard", "millsight_planner"],
    }


def test_the_alert_file_of_the_comment_lies_where_the_comment_mounts_it(
    composition: Composition, project_root: Path, only_these_variables: pytest.MonkeyPatch
) -> None:
    """With the comment signs taken away it is the room's setting, and its folder is mounted read-only."""
    text = re.sub(r"^( +)# (MONITOR_ALERTS__FILE: |- \./)", r"\1\2", composition.text, flags=re.M)
    offered = yaml.safe_load(text)["services"]["process-monitor"]
    settings = settings_from(
        {key: str(value) for key, value in offered["environment"].items()},
        ROOMS["process-monitor"],
        only_these_variables,
    )
    file = Path(settings.model_dump()["alerts"]["file"])
    [source] = [volume.split(":")[0] for volume in offered["volumes"] if f":{file.parent}:ro" in volume]
    assert f"deploy/alerts.example.yaml to {source.removeprefix('./')}/{file.name}," in text
    ignored = (project_root / ".gitignore").read_text(encoding="utf-8").split()
    assert any(f"{source.removeprefix('.')}/".startswith(rule) for rule in ignored), "secrets are never committed"


def test_the_example_of_receivers_is_valid_and_the_image_speaks_all_its_protocols(
    composition: Composition, project_root: Path
) -> None:
    receivers = load_receivers(project_root / "deploy" / "alerts.example.yaml")
    assert {receiver.kind for receiver in receivers} == {"webhook", "email", "mqtt"}
    assert "mqtt" in composition.services["process-monitor"]["build"]["args"]["EXTRAS"].split()


def test_the_spool_lies_on_a_volume_that_the_image_prepares(composition: Composition, dockerfile: str) -> None:
    folder = composition.environment("camera")["CAMERA_SPOOL__DIR"]
    assert f"spool:{folder}" in composition.services["camera"]["volumes"]
    assert re.search(rf"install --directory --owner .* {re.escape(folder)}$", dockerfile, re.M)


class TestDockerfile:
    """One image for all rooms."""

    def test_everything_it_copies_exists_and_reaches_the_builder(
        self, dockerfile: str, project_root: Path
    ) -> None:
        rules = (project_root / ".dockerignore").read_text(encoding="utf-8").split()
        sources = [path for match in _COPY.finditer(dockerfile) for path in match["paths"].split()[:-1]]
        assert {"services/", "dashboard/", "proto/", "uv.lock", "line.yaml"} <= set(sources)
        for source in sources:
            assert (project_root / source).exists(), source
            assert f"!{source.rstrip('/')}" in rules, f"{source} is kept from the builder"

    def test_nothing_else_reaches_the_builder(self, dockerfile: str, project_root: Path) -> None:
        rules = (project_root / ".dockerignore").read_text(encoding="utf-8").split()
        let_in = {rule[1:] for rule in rules if rule.startswith("!")}
        sources = {
            path.rstrip("/") for match in _COPY.finditer(dockerfile) for path in match["paths"].split()[:-1]
        }
        assert "*" in rules
        assert let_in == sources

    def test_the_package_finds_all_its_files_in_the_image(self, dockerfile: str, project_root: Path) -> None:
        project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
        for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
            assert f"COPY {package}/ {package}/" in dockerfile
        assert f"COPY {project['project']['readme']} " in dockerfile

    def test_it_uses_the_tool_versions_of_the_makefile(self, dockerfile: str, project_root: Path) -> None:
        makefile = (project_root / "Makefile").read_text(encoding="utf-8")
        version = re.search(r"^UV_VERSION := (\S+)$", makefile, re.M)
        python = re.search(r"^PYTHON \?= python(\S+)$", makefile, re.M)
        assert version is not None
        assert python is not None
        assert f"ARG UV_VERSION={version[1]}\n" in dockerfile
        assert re.search(rf"^ARG PYTHON_IMAGE=python:{re.escape(python[1])}\.\d+-slim-\w+$", dockerfile, re.M)

    def test_every_stage_stands_on_the_pinned_image_and_the_last_is_not_root(self, dockerfile: str) -> None:
        assert re.findall(r"^FROM (\S+)", dockerfile, re.M) == ["${PYTHON_IMAGE}"] * 2
        last = dockerfile.rpartition("\nFROM ")[2]
        assert "\nUSER ${UID}:${GID}\n" in last
        assert int(re.findall(r"^ARG UID=(\d+)$", last, re.M)[0]) > 0

    def test_it_is_given_only_arguments_and_extras_that_exist(
        self, dockerfile: str, composition: Composition, project_root: Path
    ) -> None:
        project = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        known = set(re.findall(r"^ARG (\w+)", dockerfile, re.M))
        for room in (*ROOMS, "migrate"):
            build = composition.services[room]["build"]
            assert build["context"] == "."
            assert {"UID", "GID"} <= set(build["args"]) <= known
            assert set(build["args"].get("EXTRAS", "").split()) <= set(project["optional-dependencies"])
        assert composition.services["dashboard"]["build"]["args"]["EXTRAS"] == "dashboard"

    def test_only_builds_alike_share_an_image_name(self, composition: Composition) -> None:
        builds: dict[str, list[object]] = {}
        for room in (*ROOMS, "migrate"):
            service = composition.services[room]
            builds.setdefault(service["image"], []).append(service["build"])
        assert all(each == same[0] for same in builds.values() for each in same)
