"""How fast published versions are beside a plain INT8 ResNet50 of the same input size, in this process."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from services.trainer.settings import prepare_tensorflow

IMAGE_PX = 224
BATCH_SIZE = 16
_CLASSES = 11
_CALIBRATION_IMAGES = 32
_PLAIN = "plain INT8 ResNet50"
_AS_SERVED = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}


def plain_int8() -> ov.Model:
    """Build ResNet50 with average pooling and one Dense layer, float input, every operation quantised.

    Speed does not depend on the weights, so they are random.
    """
    prepare_tensorflow(0)
    import keras
    import nncf

    network = keras.applications.ResNet50(
        weights=None, classes=_CLASSES, input_shape=(IMAGE_PX, IMAGE_PX, 3), classifier_activation="softmax"
    )
    with tempfile.TemporaryDirectory(prefix="millsight-plain-") as directory:
        network.export(directory, format="tf_saved_model", verbose=False)
        graph = ov.convert_model(directory)
        graph.reshape([-1, IMAGE_PX, IMAGE_PX, 3])
        ov.save_model(graph, Path(directory) / "plain.xml", compress_to_fp16=False)
        graph = ov.Core().read_model(Path(directory) / "plain.xml")
    rng = np.random.default_rng(1)
    images = [rng.standard_normal((1, IMAGE_PX, IMAGE_PX, 3), np.float32) for _ in range(_CALIBRATION_IMAGES)]
    return nncf.quantize(graph, nncf.Dataset(images), subset_size=len(images))


def model_speed(versions: Sequence[Path], rounds: int, seconds: float) -> list[str]:
    """Measure the plain network and the versions in turn, every other round backwards.

    Args:
        versions: Directories that hold `model.xml`.
        rounds: How often each is measured.
        seconds: How long each time.

    Returns:
        A line for each: median images/s with the range over the rounds, and the median ratio to the plain network.
    """
    core = ov.Core()
    graphs = {_PLAIN: plain_int8(), **{str(each): core.read_model(each / "model.xml") for each in versions}}
    compiled = {name: core.compile_model(graph, "CPU", _AS_SERVED) for name, graph in graphs.items()}
    rates: dict[str, list[float]] = {name: [] for name in compiled}
    for number in range(rounds):
        for name in list(compiled)[:: 1 if number % 2 == 0 else -1]:
            rates[name].append(_images_per_s(compiled[name], seconds))
    return [_line(name, rates) for name in rates]


def _images_per_s(model: Any, seconds: float) -> float:
    kind = model.input(0).get_element_type().to_dtype()
    batch = np.random.default_rng(2).integers(0, 255, (BATCH_SIZE, IMAGE_PX, IMAGE_PX, 3)).astype(kind)
    requests = ov.AsyncInferQueue(model)
    requests.start_async({0: batch})
    requests.wait_all()
    started, images = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        requests.start_async({0: batch})
        images += BATCH_SIZE
    requests.wait_all()
    return images / (time.monotonic() - started)


def _line(name: str, rates: dict[str, list[float]]) -> str:
    own = rates[name]
    ratio = float(np.median(np.divide(own, rates[_PLAIN])))
    return (
        f"{name}: {np.median(own):.1f} images/s ({min(own):.1f} to {max(own):.1f}, n = {len(own)}), "
        f"{ratio:.2f} of the plain network"
    )
