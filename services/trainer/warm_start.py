"""Starting weights: a published version of a model, a weights file, or the public ImageNet weights.

A published version holds INT8 kernels into which the batch-norm layers are folded. Its kernels are scaled back to
real numbers, and every batch-norm layer is given the statistics, gain and shift that leave the function as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import openvino as ov

from services.contracts.errors import ConfigurationError
from services.trainer.frames import GreyImage
from services.trainer.lineage import version_folder
from services.trainer.network import Network, build_network
from services.trainer.served import as_input

NONE = "none"
IMAGENET = "imagenet"
_HEAD = "evidence_head"
_PROBE_IMAGES = 48
_PROBE_BATCH = 16

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Layer:
    """A convolution or dense layer of a published graph: kernel as Keras keeps it, and bias."""

    kernel: Array
    bias: Array


def start_network(
    weights: str, repository: Path, class_count: int, dropout: float, images: Sequence[GreyImage]
) -> Network:
    """Build the network and give it its starting weights.

    Args:
        weights: `none`, `imagenet`, a `.weights.h5` file of this network, or MODEL@VERSION of the repository.
        repository: The model repository.
        class_count: Number of outputs; a start with other classes leaves the last layer fresh.
        dropout: Share of pooled features dropped while training.
        images: Some training images, to take batch-norm statistics from.

    Raises:
        ConfigurationError: There are no such weights, or they do not fit.
    """
    if weights == IMAGENET:
        return _imagenet(class_count, dropout)
    network = build_network(class_count, dropout=dropout)
    if weights == NONE:
        return network
    folder = version_folder(weights, repository)
    if folder is None:
        _load_file(network, Path(weights))
    else:
        _load_version(network, folder, images)
    return network


def _imagenet(class_count: int, dropout: float) -> Network:
    try:
        return build_network(class_count, dropout=dropout, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ConfigurationError(f"The ImageNet weights cannot be downloaded: {error}.") from error


def _load_file(network: Network, file: Path) -> None:
    if not file.is_file():
        raise ConfigurationError(
            f"There are no weights {file}: give none, imagenet, MODEL@VERSION or a file that exists."
        )
    try:
        network.model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"The weights {file} do not fit this network: {error}.") from error


def _load_version(network: Network, folder: Path, images: Sequence[GreyImage]) -> None:
    try:
        card = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
        graph = ov.Core().read_model(folder / "model.xml")
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(f"The model version {folder} cannot be read: {error}.") from error
    convolutions, dense = _layers(graph)
    own = _in_graph_order(network.backbone)
    if [tuple(layer.kernel.shape) for layer, _ in own] != [each.kernel.shape for each in convolutions]:
        raise ConfigurationError(f"The model version {folder} is no ResNet50 of this trainer.")
    for (layer, norm), given in zip(own, convolutions, strict=True):
        _fold_in(layer, norm, given)
    _unfold(network, own, images)
    _load_head(network, dense, float(card.get("temperature", {}).get("value", 1.0)))


def _load_head(network: Network, dense: dict[tuple[int, int], _Layer], temperature: float) -> None:
    for layer, factor in ((network.embedding, 1.0), (network.head, temperature)):
        given = dense.get(tuple(layer.kernel.shape))
        if given is not None:
            layer.set_weights([given.kernel * factor, given.bias * factor])
    marks = network.marks.kernel.shape
    given = dense.get((marks[2], marks[3]))
    if given is not None:
        network.marks.set_weights([given.kernel[None, None], given.bias])


def _in_graph_order(backbone: keras.Model) -> list[tuple[Any, Any]]:
    """Pairs of convolution and batch norm, in the order in which a converted graph holds them."""
    names = [layer.name for layer in backbone.layers if isinstance(layer, keras.layers.Conv2D)]

    def place(name: str) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", name))

    return [
        (backbone.get_layer(name), backbone.get_layer(name.replace("_conv", "_bn")))
        for name in sorted(names, key=place)
    ]


def _layers(graph: ov.Model) -> tuple[list[_Layer], dict[tuple[int, int], _Layer]]:
    """Convolutions of the backbone in order; matrix products of the head by their shape.

    A shortcut's convolution is as deep in the graph as the first one of its block, and has more outputs.
    """
    found: list[tuple[int, int, _Layer]] = []
    dense: dict[tuple[int, int], _Layer] = {}
    depths: dict[str, int] = {}
    for node in graph.get_ordered_ops():
        name, is_convolution = node.get_friendly_name(), node.get_type_name() == "Convolution"
        before = max((depths[each.get_node().get_friendly_name()] for each in node.input_values()), default=0)
        depths[name] = before + is_convolution
        if is_convolution:
            kernel = _constant(node.input_value(1).get_node()).transpose(2, 3, 1, 0)
            found.append((depths[name], -kernel.shape[3], _Layer(kernel, _bias_after(node, kernel.shape[3]))))
        elif node.get_type_name() == "MatMul" and _HEAD in node.get_friendly_name():
            kernel = _constant(node.input_value(1).get_node()).T
            shape = (kernel.shape[0], kernel.shape[1])
            if shape not in dense:
                dense[shape] = _Layer(kernel, _bias_after(node, shape[1]))
    return [layer for _, _, layer in sorted(found, key=lambda each: each[:2])], dense


def _constant(node: Any) -> Array:  # noqa: ANN401 - openvino's nodes have no common public type
    """Value of a constant, or of the INT8 constant that a scale makes real."""
    kind = node.get_type_name()
    if kind == "Constant":
        return np.array(node.data, np.float32)
    parts = [_constant(node.input_value(index).get_node()) for index in range(len(node.inputs()))]
    if kind == "Multiply":
        return np.asarray(parts[0] * parts[1], np.float32)
    if kind == "Subtract":
        return np.asarray(parts[0] - parts[1], np.float32)
    return parts[0]


def _bias_after(node: Any, size: int) -> Array:  # noqa: ANN401 - see `_constant`
    """Return the constant that is added next; zeros where the converter left an addition of zeros out."""
    follower = next(iter(node.output(0).get_target_inputs())).get_node()
    if follower.get_type_name() == "Add":
        for source in (each.get_node() for each in follower.input_values()):
            if source.get_type_name() == "Constant" and source.data.size == size:
                return np.array(source.data, np.float32).reshape(-1)
    return np.zeros(size, np.float32)


def _fold_in(layer: Any, norm: Any, given: _Layer) -> None:  # noqa: ANN401 - keras ships no types
    """Make convolution and batch norm compute exactly what the folded layer computes.

    The kernel is brought to the usual size of a fresh one, so that a step of the optimiser means the same.
    """
    height, width, depth, _ = given.kernel.shape
    usual = float(np.sqrt(2.0 / (height * width * depth)))
    factor = usual / max(float(np.sqrt(np.mean(given.kernel**2))), 1e-12)
    size = given.bias.size
    layer.set_weights([given.kernel * factor, np.zeros(size, np.float32)])
    gain = np.full(size, 1 / factor, np.float32)
    norm.set_weights([gain, given.bias, np.zeros(size, np.float32), np.full(size, 1 - norm.epsilon, np.float32)])


def _unfold(network: Network, own: Sequence[tuple[Any, Any]], images: Sequence[GreyImage]) -> None:
    """Give every batch norm the statistics of its input, and the gain and shift that keep its output."""
    probe = keras.Model(network.backbone.input, [layer.output for layer, _ in own])
    standardise = network.model.get_layer("standardise")
    sums: list[list[npt.NDArray[np.float64]]] = [[] for _ in own]
    squares: list[list[npt.NDArray[np.float64]]] = [[] for _ in own]
    for start in range(0, min(len(images), _PROBE_IMAGES), _PROBE_BATCH):
        outputs = probe.predict_on_batch(standardise(as_input(images[start : start + _PROBE_BATCH])))
        for index, output in enumerate(outputs):
            sums[index].append(output.mean(axis=(0, 1, 2), dtype=np.float64))
            squares[index].append(np.square(output, dtype=np.float64).mean(axis=(0, 1, 2)))
    for index, (_, norm) in enumerate(own):
        gain, shift, _, _ = norm.get_weights()
        mean = np.mean(sums[index], axis=0)
        variance = np.maximum(np.mean(squares[index], axis=0) - mean**2, 0)
        norm.set_weights([gain * np.sqrt(variance + norm.epsilon), shift + gain * mean, mean, variance])
