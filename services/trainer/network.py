"""The network: ResNet50 without its top, located pooling, Dense 128 ReLU, Dense softmax.

It takes uint8 RGB pixels; the per-image standardisation is a layer of the graph, so no caller can get it
wrong. Brightness and contrast of a frame identify the coil, not the defect, hence they are removed.

A defect is often one position of 49, and plain average pooling dilutes it forty-nine times. A 1x1 convolution
says at every position which defect is marked there (it is trained on the boxes); half of the pooling weight
goes evenly to all positions, half to the positions that it speaks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf

EMBEDDING_SIZE = 128
_STD_FLOOR_GREY_LEVELS = 4.0
_BATCH_NORM_MOMENTUM = 0.9
_EVEN_SHARE = 0.5
_RARELY = -4.0
"""Log odds of a mark at a position before anything is learnt."""


@keras.saving.register_keras_serializable(package="millsight")
class ImageStandardisation(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Zero mean and unit spread per image; a floor keeps flat images from becoming pure noise."""

    def call(self, pixels: tf.Tensor) -> tf.Tensor:
        """Standardise a batch of NHWC pixels of any numeric type."""
        values = tf.cast(pixels, tf.float32)
        mean = tf.reduce_mean(values, axis=[1, 2, 3], keepdims=True)
        spread = tf.sqrt(tf.reduce_mean(tf.square(values - mean), axis=[1, 2, 3], keepdims=True))
        return (values - mean) / (spread + _STD_FLOOR_GREY_LEVELS)


def pooling_weights(marks: tf.Tensor) -> tf.Tensor:
    """Share of every position in the pooled features: [n, h, w, 1], sum 1 per image.

    Args:
        marks: Log odds [n, h, w, classes] that a position shows a marked defect of a class.
    """
    shape = tf.shape(marks)
    positions = shape[1] * shape[2]
    salience = tf.reshape(tf.reduce_logsumexp(marks, axis=3), [-1, positions])
    even = _EVEN_SHARE / tf.cast(positions, tf.float32)
    weights = even + (1 - _EVEN_SHARE) * tf.nn.softmax(salience)
    return tf.reshape(weights, [-1, shape[1], shape[2], 1])


@keras.saving.register_keras_serializable(package="millsight")
class LocatedPooling(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Average of the features over positions, with the weights of `pooling_weights`."""

    def call(self, features: tf.Tensor, marks: tf.Tensor) -> tf.Tensor:
        """Pool features [n, h, w, c] to [n, c]."""
        return tf.reduce_sum(features * pooling_weights(marks), axis=[1, 2])

    def compute_output_shape(
        self, features_shape: tuple[int, ...], marks_shape: tuple[int, ...]
    ) -> tuple[int, int]:
        """One vector per image."""
        return marks_shape[0], features_shape[-1]


@dataclass(frozen=True, slots=True)
class Network:
    """The classifier and its parts, which share their weights.

    Attributes:
        model: uint8 pixels [n, h, w, 3] in; logits [n, classes] and marks [n, h/32, w/32, classes] out.
        features: uint8 pixels in, feature map [n, h/32, w/32, 2048] out.
        backbone: ResNet50 without its top, standardised pixels in.
        marks: The 1x1 convolution that says where a defect is marked.
        embedding: The Dense 128 layer.
        head: The last Dense layer (logits).
    """

    model: keras.Model
    features: keras.Model
    backbone: keras.Model
    marks: keras.layers.Conv2D
    embedding: keras.layers.Dense
    head: keras.layers.Dense


def build_network(
    class_count: int, *, dropout: float = 0.3, weights: Literal["imagenet"] | None = None
) -> Network:
    """Build the network with fresh weights; any image size that is a multiple of 32 works.

    Args:
        class_count: Number of outputs.
        dropout: Share of pooled features dropped while training.
        weights: "imagenet" downloads published weights of the backbone.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="image")
    backbone = keras.applications.ResNet50(include_top=False, weights=weights, input_shape=(None, None, 3))
    _prepare_batch_norm(backbone, zero_last_gain=weights is None)
    features = backbone(ImageStandardisation(name="standardise")(pixels))
    marks = keras.layers.Conv2D(
        class_count, 1, name="marks", bias_initializer=keras.initializers.Constant(_RARELY),
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
    )  # fmt: skip
    marked = marks(features)
    pooled = LocatedPooling(name="pool")(features, marked)
    embedding = keras.layers.Dense(EMBEDDING_SIZE, activation="relu", name="embedding")
    head = keras.layers.Dense(class_count, name="logits")
    logits = head(embedding(keras.layers.Dropout(dropout, name="dropout")(pooled)))
    return Network(
        model=keras.Model(pixels, [logits, marked], name="surface_defects"),
        features=keras.Model(pixels, features, name="features"),
        backbone=backbone,
        marks=marks,
        embedding=embedding,
        head=head,
    )


def _prepare_batch_norm(backbone: keras.Model, *, zero_last_gain: bool) -> None:
    """Let the moving statistics forget fast, since the image size changes during a run.

    With fresh weights the last gain of every residual block starts at zero (Goyal et al. 2017).
    """
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
        if zero_last_gain and layer.name.endswith("_3_bn"):
            layer.gamma.assign(tf.zeros_like(layer.gamma))
