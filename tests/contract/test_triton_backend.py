"""Our OpenVINO backend for the embedded Triton: what it refuses, in words, and what it passes on."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from services.runtime.embedded import triton

ov = pytest.importorskip("openvino")
ops = pytest.importorskip("openvino.opset13")


class TritonModelException(Exception):
    """Stands for the one of Triton's utilities."""


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The backend's module, with Triton's utilities played by the test."""
    utilities: Any = SimpleNamespace(TritonModelException=TritonModelException)
    monkeypatch.setitem(sys.modules, "triton_python_backend_utils", utilities)
    file = Path(triton.__file__).with_name("triton_backends") / "openvino" / "model.py"
    spec = importlib.util.spec_from_file_location("openvino_backend", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "openvino_backend", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model `mean` in version 1: the mean of an image's channels."""
    image = ops.parameter([-1, 4, 4, 3], ov.Type.u8, name="image")
    means = ops.reduce_mean(ops.convert(image, "f32"), ops.constant([1, 2]), keep_dims=False)
    model = ov.Model([means], [image], "mean")
    model.inputs[0].get_tensor().set_names({"image"})
    model.outputs[0].get_tensor().set_names({"means"})
    version = tmp_path / "mean" / "1"
    version.mkdir(parents=True)
    ov.save_model(model, version / "model.xml", compress_to_fp16=False)
    (version.parent / "labels.txt").write_text("red\ngreen\nblue\n")
    return version


def config(**output: object) -> dict[str, Any]:
    described = {"name": "means", "data_type": "TYPE_FP32", "dims": ["3"], "label_filename": "labels.txt"}
    return {
        "max_batch_size": 8,
        "input": [{"name": "image", "data_type": "TYPE_UINT8", "dims": ["4", "4", "3"]}],
        "output": [described | output],
    }


def test_a_network_that_fits_its_configuration_is_taken(backend: ModuleType, folder: Path) -> None:
    backend.check_signature(config(), backend.read_model(folder / "model.xml"))
    backend.check_labels(config(), folder.parent)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "colours"}, r"names the output colours, the network has \['means'\]"),
        ({"dims": ["4"]}, r"output means is f32 \[-1, 4\], the network has f32 \[-1, 3\]"),
        ({"data_type": "TYPE_FP16"}, r"output means is f16 .*, the network has f32"),
        ({"data_type": "TYPE_STRING"}, r"output means is of an unknown type"),
        ({"dims": ["3", "1"]}, r"output means is f32 \[-1, 3, 1\]"),
    ],
)
def test_a_network_that_differs_from_its_configuration_is_refused(
    backend: ModuleType, folder: Path, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(TritonModelException, match=words):
        backend.check_signature(config(**change), backend.read_model(folder / "model.xml"))


def test_too_few_labels_are_refused(backend: ModuleType, folder: Path) -> None:
    (folder.parent / "labels.txt").write_text("red\ngreen\n")
    with pytest.raises(TritonModelException, match="holds 2 labels, output means has 3"):
        backend.check_labels(config(), folder.parent)


def test_a_missing_label_file_is_refused(backend: ModuleType, folder: Path) -> None:
    (folder.parent / "labels.txt").unlink()
    with pytest.raises(TritonModelException, match=r"labels\.txt cannot be read"):
        backend.check_labels(config(), folder.parent)


def test_a_truncated_network_is_refused_naming_its_file(backend: ModuleType, folder: Path) -> None:
    xml = folder / "model.xml"
    xml.write_bytes(xml.read_bytes()[:200])
    with pytest.raises(TritonModelException, match=r"model\.xml cannot be read"):
        backend.read_model(xml)


def test_a_missing_network_is_refused_naming_its_file(backend: ModuleType, folder: Path) -> None:
    with pytest.raises(TritonModelException, match=r"other\.xml is missing"):
        backend.read_model(folder / "other.xml")


def test_files_that_match_their_model_card_are_taken(backend: ModuleType, folder: Path) -> None:
    digest = hashlib.sha256((folder / "model.bin").read_bytes()).hexdigest()
    (folder / "model_card.json").write_text(json.dumps({"sha256": {"model.bin": digest}}))
    backend.verify_checksums(folder)


def test_files_that_differ_from_their_model_card_are_refused(backend: ModuleType, folder: Path) -> None:
    (folder / "model_card.json").write_text(json.dumps({"sha256": {"model.bin": "0" * 64}}))
    with pytest.raises(TritonModelException, match=r"model\.bin has SHA-256 .* will not be served"):
        backend.verify_checksums(folder)


def test_a_file_that_the_model_card_names_must_be_there(backend: ModuleType, folder: Path) -> None:
    (folder / "model_card.json").write_text(json.dumps({"sha256": {"gone.bin": "0" * 64}}))
    with pytest.raises(TritonModelException, match=r"gone\.bin, which its model card names"):
        backend.verify_checksums(folder)


def test_known_parameters_reach_openvino_and_others_do_not(backend: ModuleType) -> None:
    parameters = {name: {"string_value": "1"} for name in ("NUM_STREAMS", "TARGET_DEVICE")}
    assert backend.compile_options({"parameters": parameters}) == {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": "f32",
        "NUM_STREAMS": "1",
    }
    assert backend.compile_options({}) == {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
