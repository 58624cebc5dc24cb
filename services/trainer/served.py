"""A model as it is served: its OpenVINO graph, and how to run it in this process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import openvino as ov

from services.trainer.frames import GreyImage

INPUT_NAME = "image"
OUTPUT_NAMES = ("probabilities", "embedding", "evidence")


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model as it will be served.

    Attributes:
        ir: The OpenVINO graph; batch size is open, image size fixed.
        evidence_bias: Per class: mean of the evidence over positions plus this is the logit.
    """

    ir: ov.Model
    evidence_bias: tuple[float, ...]

    @property
    def image_px(self) -> int:
        """Side of the square input image."""
        return int(self.ir.input(INPUT_NAME).get_partial_shape()[1].get_length())

    @property
    def embedding_size(self) -> int:
        """Length of the embedding."""
        return int(self.ir.output("embedding").get_partial_shape()[1].get_length())

    @property
    def evidence_cells(self) -> int:
        """Rows (and columns) of the evidence map."""
        return int(self.ir.output("evidence").get_partial_shape()[1].get_length())


def as_input(images: Sequence[GreyImage]) -> npt.NDArray[np.uint8]:
    """Stack grey images into model input: uint8 [n, h, w, 3], grey in all three channels."""
    return np.repeat(np.stack(images)[..., None], 3, axis=3)


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """What a served model answers for a set of images, rows in their order."""

    probabilities: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    evidence: npt.NDArray[np.float32]


def run_model(model: ServedModel, images: Sequence[GreyImage], batch_size: int = 16) -> ModelOutputs:
    """Run the graph on grey images of its size, in this process and without bfloat16 short cuts."""
    compiled = ov.compile_model(model.ir, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    parts: dict[str, list[npt.NDArray[np.float32]]] = {name: [] for name in OUTPUT_NAMES}
    for start in range(0, len(images), batch_size):
        answer = compiled(as_input(images[start : start + batch_size]))
        for name in OUTPUT_NAMES:
            parts[name].append(np.array(answer[name], np.float32))
    return ModelOutputs(*(np.concatenate(parts[name]) for name in OUTPUT_NAMES))
