"""The network: ResNet50 without its top, average pooling, Dense 128 ReLU, Dense softmax.

It takes uint8 RGB pixels; the per-image standardisation is a layer of the graph, so no caller can get it
wrong. Brightness and contrast of a frame identify the coil, not the defect, hence they are removed.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import tensorflow as tf

EMBEDDING_SIZE = 128
_STD_FLOOR_GREY_LEVELS = 4.0
_BATCH_NORM_MOMENTUM = 0.9


@keras.saving.register_keras_serializable(package="millsight")
class ImageStandardisation(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Zero mean and unit spread per image; a floor keeps flat images from becoming pure noise."""

    def call(self, pixels: tf.Tensor) -> tf.Tensor:
        """Standardise a batch of NHWC pixels of any numeric type."""
        values = tf.cast(pixels, tf.float32)
        mean = tf.reduce_mean(values, axis=[1, 2, 3], keepdims=True)
        spread = tf.sqrt(tf.reduce_mean(tf.square(values - mean), axis=[1, 2, 3], keepdims=True))
        return (values - mean) / (spread + _STD_FLOOR_GREY_LEVELS)


@dataclass(frozen=True, slots=True)
class Network:
    """The classifier and its parts, which share their weights.

    Attributes:
        model: uint8 pixels [n, h, w, 3] in, logits [n, classes] out.
        features: uint8 pixels in, feature map [n, h/32, w/32, 2048] out.
        embedding: The Dense 128 layer.
        head: The last Dense layer (logits).
    """

    model: keras.Model
    features: keras.Model
    embedding: keras.layers.Dense
    head: keras.layers.Dense


def build_network(class_count: int, *, dropout: float = 0.3) -> Network:
    """Build the network with fresh weights; any image size that is a multiple of 32 works.

    Args:
        class_count: Number of outputs.
        dropout: Share of pooled features dropped while training.
    """
    pixels = keras.Input((None, None, 3), dtype="uint8", name="image")
    backbone = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(None, None, 3))
    _start_blocks_as_identity(backbone)
    features = backbone(ImageStandardisation(name="standardise")(pixels))
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(features)
    embedding = keras.layers.Dense(EMBEDDING_SIZE, activation="relu", name="embedding")
    head = keras.layers.Dense(class_count, name="logits")
    logits = head(embedding(keras.layers.Dropout(dropout, name="dropout")(pooled)))
    return Network(
        model=keras.Model(pixels, logits, name="surface_defects"),
        features=keras.Model(pixels, features, name="features"),
        embedding=embedding,
        head=head,
    )


def _start_blocks_as_identity(backbone: keras.Model) -> None:
    """Zero the last batch-norm gain of every residual block (Goyal et al. 2017).

    The moving statistics forget fast, since the image size changes during a run.
    """
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = _BATCH_NORM_MOMENTUM
        if layer.name.endswith("_3_bn"):
            layer.gamma.assign(tf.zeros_like(layer.gamma))
