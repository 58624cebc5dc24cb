"""The inference container: its flags, its health check against a real gRPC server, the model it serves."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from services.domain.classes import SURFACE_LABELS
from services.runtime.embedded import triton as embedded
from tests.contract.composition import Composition

INPUT_PX = 224


@pytest.fixture(scope="module")
def flags(project_root: Path) -> dict[str, str]:
    command = Composition.load(project_root).services["triton"]["command"]
    assert command[:2] == ["sh", "-c"]
    words = command[2].split()
    assert words[:2] == ["exec", "tritonserver"]
    return {key: value for key, _, value in (word.partition("=") for word in re.findall(r"--[^ ]+", command[2]))}


def test_what_is_not_needed_is_off(flags: dict[str, str]) -> None:
    assert flags["--allow-http"] == flags["--allow-sagemaker"] == flags["--allow-vertex-ai"] == "false"
    assert flags["--model-control-mode"] == "poll", "the served version follows config.pbtxt, not a client"
    assert "--allow-client-shm" not in flags, "off by default since release 2.69"


def test_a_model_that_cannot_be_served_stops_the_server(flags: dict[str, str]) -> None:
    assert flags["--exit-on-error"] == flags["--strict-readiness"] == "true"
    assert "--disable-auto-complete-config" in flags


def test_restricted_protocols_need_the_secret_key(flags: dict[str, str]) -> None:
    protocols, key = flags["--grpc-restricted-protocol"].split(":", 1)
    assert protocols == embedded._RESTRICTED
    assert key.startswith("admin-key=$(cat")


def test_the_embedded_server_has_the_same_safety_flags(flags: dict[str, str], tmp_path: Path) -> None:
    where_things_are = {"--backend-directory", "--backend-config", "--exit-timeout-secs"}
    server = embedded.EmbeddedTriton(tmp_path, tmp_path, (1, 2))
    theirs = dict(flag.partition("=")[::2] for flag in server._flags())
    assert set(theirs) - where_things_are <= set(flags)
    same = {name for name in theirs if name.startswith(("--allow", "--model-control", "--strict", "--exit-on"))}
    assert {name: flags[name] for name in same} == {name: theirs[name] for name in same}


class _Model(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]  # generated, untyped
    """Says of one model that it is ready, and nothing of any other."""

    def __init__(self) -> None:
        self.ready = True

    def ModelReady(  # noqa: N802 - the protocol's name
        self, request: service_pb2.ModelReadyRequest, context: grpc.ServicerContext
    ) -> service_pb2.ModelReadyResponse:
        if request.name != "surface_defects":
            context.abort(grpc.StatusCode.NOT_FOUND, "no such model")
        return service_pb2.ModelReadyResponse(ready=self.ready)


class TestHealthCheck:
    """deploy/triton/ready.py, run as the engine runs it."""

    @pytest.fixture
    def model(self) -> _Model:
        return _Model()

    @pytest.fixture
    def address(self, model: _Model) -> Iterator[str]:
        server = grpc.server(futures.ThreadPoolExecutor(2))
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(model, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(None).wait()

    @staticmethod
    def check(project_root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
        # -I -S: only the standard library, as in the image.
        command = [sys.executable, "-I", "-S", str(project_root / "deploy/triton/ready.py"), *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)

    def test_a_ready_model_is_healthy(self, project_root: Path, address: str) -> None:
        assert self.check(project_root, "surface_defects", address).returncode == 0

    def test_a_model_that_is_not_ready_is_not(self, project_root: Path, address: str, model: _Model) -> None:
        model.ready = False
        result = self.check(project_root, "surface_defects", address)
        assert (result.returncode, result.stderr) == (1, f"surface_defects at {address}: not ready\n")

    def test_an_unknown_model_is_not(self, project_root: Path, address: str) -> None:
        assert self.check(project_root, "elsewhere", address).returncode == 1

    def test_a_server_that_is_away_is_one_line(self, project_root: Path) -> None:
        result = self.check(project_root, "surface_defects", "127.0.0.1:1")
        assert result.returncode == 1
        assert "Connection refused" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_compose_asks_the_served_port_for_the_served_model(
        self, project_root: Path, flags: dict[str, str]
    ) -> None:
        composition = Composition.load(project_root)
        command = composition.services["triton"]["healthcheck"]["test"]
        mounted = {target: source for name, source, target, _ in composition.bind_mounts() if name == "triton"}
        assert command[0:2] == ["CMD", "python3"]
        assert (project_root / mounted[command[2]]).is_file()
        assert command[3] == "surface_defects"
        assert command[4] == f"127.0.0.1:{flags['--grpc-port']}"
        assert composition.environment("classifier")["CLASSIFIER_TRITON__URL"] == f"triton:{flags['--grpc-port']}"
        assert mounted[flags["--model-repository"]] == "./model_repository"


@pytest.fixture(scope="module")
def folder(project_root: Path) -> Path:
    return project_root / "model_repository" / "surface_defects"


@pytest.fixture(scope="module")
def repository_configuration(folder: Path) -> model_config_pb2.ModelConfig:
    return _configuration(folder / "config.pbtxt")


def _configuration(file: Path) -> model_config_pb2.ModelConfig:
    return text_format.Parse(file.read_text(encoding="utf-8"), model_config_pb2.ModelConfig())


def _tensors(configuration: model_config_pb2.ModelConfig) -> dict[str, tuple[int, list[int]]]:
    """Return type and shape by name, the batch dimension written as -1 whether the batcher adds it or not."""
    batch = [-1] if configuration.max_batch_size else []
    both = (*configuration.input, *configuration.output)
    return {each.name: (each.data_type, [*batch, *each.dims]) for each in both}


EXPECTED_TENSORS = {
    "image": (model_config_pb2.TYPE_UINT8, [-1, INPUT_PX, INPUT_PX, 3]),
    "probabilities": (model_config_pb2.TYPE_FP32, [-1, len(SURFACE_LABELS)]),
    "embedding": (model_config_pb2.TYPE_FP32, [-1, 128]),
    "evidence": (model_config_pb2.TYPE_FP32, [-1, 7, 7, len(SURFACE_LABELS)]),
}


class TestModelConfiguration:
    """The configuration that each server reads, against what the classifier asks for."""

    def test_the_repository_has_the_tensors_that_the_classifier_asks_for(
        self, repository_configuration: model_config_pb2.ModelConfig
    ) -> None:
        assert _tensors(repository_configuration) == EXPECTED_TENSORS

    def test_it_names_the_model_and_a_backend_that_both_servers_have(
        self, repository_configuration: model_config_pb2.ModelConfig
    ) -> None:
        assert repository_configuration.name == "surface_defects"
        assert repository_configuration.backend == "openvino"

    def test_the_native_backend_takes_batches_of_any_size(
        self, repository_configuration: model_config_pb2.ModelConfig
    ) -> None:
        # openvino_backend's README and its issue 71: with N it takes batches of exactly N.
        assert repository_configuration.max_batch_size == 0
        assert not repository_configuration.HasField("dynamic_batching"), "it needs a max_batch_size"

    def test_the_graph_has_a_free_batch_dimension_and_the_same_names(self, folder: Path) -> None:
        for graph in folder.glob("*/model.xml"):
            text = graph.read_text(encoding="utf-8")
            assert f'<data shape="?,{INPUT_PX},{INPUT_PX},3" element_type="u8"' in text
            for name in EXPECTED_TENSORS:
                assert re.search(rf'names="[^"]*\b{name}\b', text), name

    def test_labels_are_in_the_order_of_the_outputs(self, folder: Path) -> None:
        assert (folder / "labels.txt").read_text(encoding="utf-8").split() == list(SURFACE_LABELS)

    def test_a_version_has_graph_and_weights_as_its_card_says_and_under_the_size_limit(self, folder: Path) -> None:
        versions = [path for path in folder.iterdir() if path.is_dir() and path.name.isdigit()]
        assert versions
        for version in versions:
            card = json.loads((version / "model_card.json").read_text(encoding="utf-8"))
            for name in ("model.xml", "model.bin"):
                assert hashlib.sha256((version / name).read_bytes()).hexdigest() == card["sha256"][name]
            assert sum(file.stat().st_size for file in version.iterdir()) < 30 * 1024 * 1024

    def test_any_user_may_read_the_repository(self, folder: Path) -> None:
        assert all(path.stat().st_mode & 0o004 for path in folder.rglob("*"))
