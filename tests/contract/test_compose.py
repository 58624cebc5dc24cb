"""compose.yaml as far as it can be held to account without an engine: schema, references, pins, hardening."""

import importlib
import json
import re
import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.adapters.kafka.config import MAX_DEAD_LETTER_BYTES, MAX_FRAME_BYTES
from tests.contract.composition import MADE_BY_THE_SCRIPT, Composition, UnsetVariable

ROOMS = ("classifier", "camera", "process-monitor", "dashboard", "migrate")
LONG_RUNNING = (
    "kafka", "postgres", "triton", "classifier", "camera", "process-monitor", "dashboard", "prometheus", "grafana",
)  # fmt: skip
WRITES_ITS_CONFIGURATION = {"kafka"}
_IMAGE = re.compile(r"^(?P<name>[a-z0-9./-]+):(?P<tag>v?\d+[.]\d+(?:[.]\d+)?(?:-[a-z0-9]+)?)$")


@pytest.fixture(scope="module")
def composition(project_root: Path) -> Composition:
    return Composition.load(project_root)


def test_the_file_satisfies_the_schema_of_the_compose_specification(composition: Composition) -> None:
    schemas = importlib.import_module("check_jsonschema.builtin_schemas")
    validator = importlib.import_module("jsonschema").Draft202012Validator(
        schemas.get_builtin_schema("vendor.compose-spec")
    )
    problems = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(composition.document)]
    assert problems == []


def test_it_refuses_to_start_before_the_secrets_are_made(project_root: Path) -> None:
    with pytest.raises(UnsetVariable, match="run deploy/make-secrets first"):
        Composition.load(project_root, {})


@pytest.mark.parametrize("missing", sorted(MADE_BY_THE_SCRIPT))
def test_every_variable_of_the_script_is_required(missing: str, project_root: Path) -> None:
    rest = {name: value for name, value in MADE_BY_THE_SCRIPT.items() if name != missing}
    with pytest.raises(UnsetVariable, match=missing):
        Composition.load(project_root, rest)


def test_every_image_is_pinned_to_a_version(composition: Composition) -> None:
    for name, service in composition.services.items():
        assert _IMAGE.match(service["image"]), f"{name}: {service['image']}"


def test_images_are_of_the_releases_the_project_relies_on(composition: Composition) -> None:
    tags = {name: service["image"].rpartition(":")[2] for name, service in composition.services.items()}
    assert tags["kafka"].startswith("4.1.")
    assert int(tags["kafka"].split(".")[2]) >= 2, "CVE-2026-35554 is fixed in 4.1.2"
    assert tags["postgres"].startswith("18.")
    assert re.fullmatch(r"\d\d\.\d\d-py3", tags["triton"])
    assert tags["triton"] >= "26.07", "older releases have known holes, see SECURITY.md"


def test_our_own_images_carry_the_version_of_the_project(composition: Composition, project_root: Path) -> None:
    version = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    for room in ROOMS:
        assert composition.services[room]["image"].rpartition(":")[2] == version


def test_every_mounted_path_of_the_checkout_exists(composition: Composition) -> None:
    for name, source, target, _ in composition.bind_mounts():
        if not source.startswith("./deploy/secrets"):
            assert (composition.root / source).exists(), f"{name} mounts {source} at {target}"


def test_the_checkout_is_mounted_read_only_but_for_the_roles(composition: Composition) -> None:
    writable = {(name, source) for name, source, _, mode in composition.bind_mounts() if mode != "ro"}
    assert writable == {("migrate", "./deploy/secrets/roles")}


def test_every_named_volume_network_and_secret_is_declared_and_used(composition: Composition) -> None:
    used: dict[str, set[str]] = {"volumes": set(), "networks": set(), "secrets": set()}
    for service in composition.services.values():
        used["volumes"] |= {each.split(":")[0] for each in service.get("volumes", []) if each[0] not in "./"}
        used["networks"] |= set(service["networks"])
        used["secrets"] |= set(service.get("secrets", []))
    for kind, names in used.items():
        assert names == set(composition.document[kind]), kind


def test_a_service_reads_only_the_secrets_it_was_given(composition: Composition) -> None:
    for name, service in composition.services.items():
        text = json.dumps([service.get("environment", {}), service.get("command", [])])
        assert set(re.findall(r"/run/secrets/(\w+)", text)) == set(service.get("secrets", [])), name


def test_no_password_stands_in_the_file(composition: Composition) -> None:
    for name in composition.services:
        for key, value in composition.environment(name).items():
            if re.search("PASS|SECRET|TOKEN|URL", key):
                assert value.startswith("/run/secrets/") or re.fullmatch(r"[\w.-]+:\d+", value), f"{name}: {key}"
    assert not re.search(r"postgres(ql)?://[^$\s]*:", composition.text)


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_long_running_service_restarts_and_has_a_health_check(name: str, composition: Composition) -> None:
    service = composition.services[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


def test_no_service_is_forgotten_by_these_tests(composition: Composition) -> None:
    assert set(composition.services) == {*LONG_RUNNING, "migrate"}


@pytest.mark.parametrize("name", [*LONG_RUNNING, "migrate"])
def test_a_service_has_no_more_rights_than_it_needs(name: str, composition: Composition) -> None:
    service = composition.services[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only") is (None if name in WRITES_ITS_CONFIGURATION else True)
    assert "privileged" not in service
    assert service.get("user", "image's own")[0] != "0"


def test_ports_are_published_on_loopback_only(composition: Composition) -> None:
    published = [port for service in composition.services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    assert "ports" not in composition.services["triton"], "its network reaches nothing outside"
    assert composition.document["networks"]["inference"] == {"internal": True}


def test_services_that_talk_share_a_network(composition: Composition) -> None:
    def share(one: str, other: str) -> bool:
        return bool(set(composition.services[one]["networks"]) & set(composition.services[other]["networks"]))

    talk = [("classifier", "kafka"), ("classifier", "triton"), ("classifier", "postgres"), ("camera", "kafka")]
    talk += [("dashboard", "postgres"), ("migrate", "postgres"), ("grafana", "prometheus")]
    talk += [("prometheus", each) for each in ("classifier", "camera", "process-monitor", "triton")]
    talk += [("process-monitor", "postgres")]
    assert all(share(one, other) for one, other in talk)
    assert not share("process-monitor", "kafka")
    assert not share("process-monitor", "triton")
    assert not share("camera", "postgres")
    assert not share("camera", "triton")
    assert not share("dashboard", "kafka")


def test_the_process_monitor_alone_has_a_network_for_alerts_and_it_leads_out(composition: Composition) -> None:
    members = [name for name, service in composition.services.items() if "alerts" in service["networks"]]
    assert members == ["process-monitor"]
    assert not (composition.document["networks"]["alerts"] or {}).get("internal")


def test_there_is_one_process_monitor(composition: Composition) -> None:
    service = composition.services["process-monitor"]
    assert not {"deploy", "scale"} & set(service)
    assert [name for name, each in composition.services.items() if each.get("command") == service["command"]] == [
        "process-monitor"
    ]


def test_dependencies_wait_for_health_or_for_the_migration(composition: Composition) -> None:
    def waits(name: str) -> dict[str, str]:
        return {other: how["condition"] for other, how in composition.services[name].get("depends_on", {}).items()}

    healthy, done = "service_healthy", "service_completed_successfully"
    assert waits("classifier") == {"kafka": healthy, "triton": healthy, "migrate": done}
    assert waits("camera") == {"kafka": healthy}
    assert waits("process-monitor") == waits("dashboard") == {"migrate": done}
    assert waits("migrate") == {"postgres": healthy}
    assert composition.services["migrate"]["restart"] == "no"


def test_the_broker_takes_the_largest_frame_and_its_dead_letter(composition: Composition) -> None:
    environment = composition.environment("kafka")
    limit = int(environment["KAFKA_MESSAGE_MAX_BYTES"])
    assert limit == 4.25 * 1024 * 1024
    assert MAX_FRAME_BYTES < MAX_DEAD_LETTER_BYTES <= limit
    assert int(environment["KAFKA_REPLICA_FETCH_MAX_BYTES"]) == limit


def test_the_brokers_listeners_fit_together(composition: Composition) -> None:
    environment = composition.environment("kafka")
    listeners = dict(each.split("://") for each in environment["KAFKA_LISTENERS"].split(","))
    protocols = dict(each.split(":") for each in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    advertised = dict(each.split("://") for each in environment["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert set(listeners) == set(protocols) == {*advertised, environment["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert all(advertised[name].rpartition(":")[2] == listeners[name].rpartition(":")[2] for name in advertised)
    assert composition.environment("camera")["CAMERA_KAFKA__BOOTSTRAP_SERVERS"] == advertised["LINE"]
    assert composition.services["kafka"]["ports"] == [f"{advertised['HOST']}:9092"]
    assert advertised["LINE"] in " ".join(composition.services["kafka"]["healthcheck"]["test"])


def test_the_embedded_and_the_composed_broker_agree(composition: Composition) -> None:
    from services.runtime.embedded import kafka

    ours = dict(line.split("=", 1) for line in kafka._PROPERTIES.splitlines() if "={" not in line)
    theirs = composition.environment("kafka")
    same = ["num.partitions", "auto.create.topics.enable", "offsets.retention.minutes"]
    assert {name: theirs["KAFKA_" + name.upper().replace(".", "_")] for name in same} == {
        name: ours[name] for name in same
    }


@pytest.fixture(scope="module")
def made(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the script for real in a scratch directory."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "deploy").mkdir()
    script = root / "deploy" / "make-secrets"
    script.write_bytes((project_root / "deploy" / "make-secrets").read_bytes())
    script.chmod(0o755)
    subprocess.run([script], check=True, capture_output=True, timeout=30)
    return root


class TestMakeSecrets:
    """deploy/make-secrets."""

    def test_it_makes_every_secret_that_compose_mounts(self, made: Path, composition: Composition) -> None:
        for secret in composition.document["secrets"].values():
            assert (made / secret["file"]).stat().st_size > 40

    def test_nobody_else_can_read_them(self, made: Path) -> None:
        for path in (made / ".env", *(made / "deploy" / "secrets").rglob("*")):
            assert path.stat().st_mode & 0o077 == 0, path

    def test_it_gives_compose_all_the_variables_and_never_root(self, made: Path, project_root: Path) -> None:
        lines = [line for line in (made / ".env").read_text().splitlines() if not line.startswith("#")]
        variables = dict(line.split("=", 1) for line in lines)
        assert set(variables) == {*MADE_BY_THE_SCRIPT, "MILLSIGHT_INSTALLED_AT"}
        assert variables["MILLSIGHT_UID"] != "0"
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", variables["MILLSIGHT_KAFKA_CLUSTER_ID"])
        composed = Composition.load(project_root, variables)
        learns_from = composed.environment("camera")["CAMERA_SOURCE__LEARNS_FROM"]
        assert datetime.fromisoformat(learns_from).tzinfo is not None
        assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(learns_from) < timedelta(minutes=10)

    def test_urls_are_those_that_the_role_command_writes(self, made: Path) -> None:
        from services.adapters.postgres.roles import ROLE_NAMES, role_url

        admin = (made / "deploy/secrets/postgres_admin_url").read_text().strip()
        for role in ROLE_NAMES:
            password = (made / f"deploy/secrets/roles/{role}.password").read_text().strip()
            assert (made / f"deploy/secrets/roles/{role}.url").read_text() == role_url(
                admin, role, password
            ) + "\n"

    def test_running_it_again_changes_nothing(self, made: Path) -> None:
        def contents() -> dict[str, Any]:
            return {str(path): path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()}

        before = contents()
        subprocess.run([made / "deploy" / "make-secrets"], check=True, capture_output=True, timeout=30)
        assert contents() == before
