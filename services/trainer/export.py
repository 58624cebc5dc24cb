"""From the trained network to the served file: OpenVINO IR with three outputs, and its INT8 version."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import nncf
import numpy as np
import openvino as ov
import tensorflow as tf
from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
from nncf.quantization.range_estimator import RangeEstimatorParametersSet

from services.trainer.frames import GreyImage
from services.trainer.network import Network, pooling_weights
from services.trainer.served import INPUT_NAME, OUTPUT_NAMES, ServedModel, as_input

_HEAD_LAYER = "evidence_head"
_LEAST_CALIBRATION_IMAGES = 8
_KEPT_IN_FLOATING_POINT = ("MVN", "Pad", "MaxPool", "Add", "Multiply", "ReduceSum", "ReduceMean", "MatMul")
"""Everything but convolutions. INT8 of standardisation, stem and residual sums tripled the change of the
probabilities and won no speed; INT8 of the pooling, which the converter renames, parted evidence and logits.
"""


@keras.saving.register_keras_serializable(package="millsight")
class EvidenceHead(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Located pooling, Dense 128 ReLU and Dense softmax, decomposed exactly over positions.

    Pooling is a sum with weights w(pos) that add up to 1, the first Dense layer is linear, and the ReLU is a
    mask m once its input is known. With x(pos) the features at one of N positions,
    evidence(pos) = N w(pos) W2 (m * (W1 x(pos) + b1)), and its mean over positions plus b2 is the logit.
    The temperature divides W2 and b2, so the logits are calibrated.
    """

    def __init__(self, network: Network, temperature: float) -> None:
        """Copy the weights of the marks and of the two Dense layers: arrays, so that a converter keeps them."""
        super().__init__(name=_HEAD_LAYER)
        kernel, self._marks_bias = network.marks.get_weights()
        self._marks_kernel = kernel[0, 0]
        self._kernel, self._bias = network.embedding.get_weights()
        kernel, bias = network.head.get_weights()
        self._head_kernel = np.asarray(kernel / temperature, np.float32)
        self._head_bias = np.asarray(bias / temperature, np.float32)

    def call(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        """Turn a feature map [n, h, w, c] into probabilities, embedding and evidence."""
        weights = pooling_weights(tf.matmul(features, self._marks_kernel) + self._marks_bias)
        pooled = tf.reduce_sum(features * weights, axis=[1, 2])
        before = tf.matmul(pooled, self._kernel) + self._bias
        embedding = tf.nn.relu(before)
        logits = tf.matmul(embedding, self._head_kernel) + self._head_bias
        mask = tf.cast(before > 0, tf.float32)[:, None, None, :]
        shape = tf.shape(features)
        positions = tf.cast(shape[1] * shape[2], tf.float32)
        local = (tf.matmul(features, self._kernel) + self._bias) * mask * weights * positions
        return {
            "probabilities": tf.nn.softmax(logits),
            "embedding": embedding,
            "evidence": tf.matmul(local, self._head_kernel),
        }


def served_network(network: Network, image_px: int, temperature: float = 1.0) -> keras.Model:
    """Join the backbone and the exact head: uint8 pixels in, the outputs of `OUTPUT_NAMES` out."""
    head = EvidenceHead(network, temperature)
    pixels = keras.Input((image_px, image_px, 3), dtype="uint8", name=INPUT_NAME)
    return keras.Model(pixels, head(network.features(pixels)), name="served")


def export_ir(network: Network, image_px: int, temperature: float = 1.0) -> ServedModel:
    """Convert a trained network to fp32 IR with the outputs of `OUTPUT_NAMES`."""
    served = served_network(network, image_px, temperature)
    with tempfile.TemporaryDirectory(prefix="millsight-export-") as directory:
        served.export(directory, format="tf_saved_model", verbose=False)
        ir = ov.convert_model(directory)
        _name_tensors(ir, image_px)
        ov.save_model(ir, Path(directory) / "whole.xml", compress_to_fp16=False)
        ir = ov.Core().read_model(Path(directory) / "whole.xml")
    bias = network.head.get_weights()[1] / temperature
    return ServedModel(ir, tuple(float(value) for value in bias))


def _name_tensors(ir: ov.Model, image_px: int) -> None:
    ir.reshape([-1, image_px, image_px, 3])
    ir.inputs[0].get_tensor().set_names({INPUT_NAME})
    for output in ir.outputs:
        name = next(name for name in OUTPUT_NAMES if name in output.get_any_name())
        output.get_tensor().set_names({name})


def quantise(model: ServedModel, images: Sequence[GreyImage]) -> ServedModel:
    """Quantise the convolutions to INT8 after training; the head stays in fp32 so that the evidence adds up.

    Ranges come from histograms: with plain mean minima and maxima INT8 and fp32 agreed on 86 % of frames, with
    histograms on 94 %.

    Args:
        model: The fp32 model.
        images: Training images of the model's size for calibration, at least 8.
    """
    if len(images) < _LEAST_CALIBRATION_IMAGES:
        raise ValueError(f"calibration needs at least {_LEAST_CALIBRATION_IMAGES} images")
    nncf.set_log_level(logging.ERROR)
    batches = [as_input([image]) for image in images]
    quantised = nncf.quantize(
        model.ir,
        nncf.Dataset(batches),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(batches),
        fast_bias_correction=True,
        advanced_parameters=AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.HISTOGRAM
        ),
        ignored_scope=nncf.IgnoredScope(
            patterns=[f".*{_HEAD_LAYER}.*"], types=list(_KEPT_IN_FLOATING_POINT), validate=False
        ),
    )
    return ServedModel(quantised, model.evidence_bias)
