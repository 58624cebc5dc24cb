"""Starting from a published version: the network answers as the file does, whatever its batch norms became."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest

from services.adapters.cameras.renderer import render
from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.settings import prepare_tensorflow

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]

EXACT = {"INFERENCE_PRECISION_HINT": "f32"}  # a processor with bfloat16 rounds without being asked
SIZE = 64
IMAGES = [render(label, seed)[:SIZE, :SIZE] for label in ("crease", "oil_spot", "no_defect") for seed in range(8)]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a network whose batch norms have seen pictures, as training leaves them."""
    prepare_tensorflow(0)
    from services.trainer.export import export_ir
    from services.trainer.network import build_network
    from services.trainer.repository import ModelRepository, VersionExtras
    from services.trainer.served import as_input

    network = build_network(len(SURFACE_LABELS))
    rng = np.random.default_rng(5)
    for layer in network.backbone.layers:
        if layer.name.endswith("_3_bn"):
            layer.gamma.assign(rng.uniform(0.1, 0.4, layer.gamma.shape))
    kernel, bias = network.marks.get_weights()
    network.marks.set_weights([rng.normal(0, 0.1, kernel.shape), bias])
    network.head.set_weights([network.head.get_weights()[0], np.linspace(-1, 1, len(SURFACE_LABELS))])
    for _ in range(20):
        network.model(as_input(IMAGES), training=True)
    root = tmp_path_factory.mktemp("published")
    temperature = 1.4
    card = {"temperature": {"value": temperature}}
    ModelRepository(root).publish(
        "tiny", SURFACE_LABELS, export_ir(network, SIZE, temperature), VersionExtras(card)
    )
    network.model.save_weights(root / "tiny.weights.h5")
    np.save(root / "logits.npy", network.model(as_input(IMAGES), training=False)[0].numpy())
    return root


def test_a_version_and_a_weights_file_start_the_same_network(published: Path) -> None:
    from services.trainer.served import as_input
    from services.trainer.warm_start import start_network

    expected = np.load(published / "logits.npy")
    for weights in ("tiny@1", str(published / "tiny.weights.h5")):
        network = start_network(weights, published, len(SURFACE_LABELS), 0.3, IMAGES)
        logits = network.model(as_input(IMAGES), training=False)[0].numpy()
        np.testing.assert_allclose(logits, expected, atol=2e-3, err_msg=weights)


def test_batch_norms_start_with_the_statistics_of_their_input(published: Path) -> None:
    """Without them the first training step, which takes the batch's own statistics, would change every answer."""
    from services.trainer.served import as_input
    from services.trainer.warm_start import start_network

    network = start_network("tiny@1", published, len(SURFACE_LABELS), 0.0, IMAGES)
    pixels = as_input(IMAGES)
    still = network.features(pixels, training=False).numpy()
    training = network.features(pixels, training=True).numpy()
    assert np.corrcoef(still.ravel(), training.ravel())[0, 1] > 0.95


def test_other_classes_keep_the_backbone_and_get_a_fresh_last_layer(published: Path) -> None:
    from services.trainer.served import as_input
    from services.trainer.warm_start import start_network

    six = start_network("tiny@1", published, 6, 0.0, IMAGES)
    eleven = start_network("tiny@1", published, len(SURFACE_LABELS), 0.0, IMAGES)
    pixels = as_input(IMAGES[:4])
    np.testing.assert_allclose(six.features(pixels).numpy(), eleven.features(pixels).numpy(), atol=1e-4)
    np.testing.assert_array_equal(six.embedding.get_weights()[0], eleven.embedding.get_weights()[0])
    assert six.model(pixels)[0].shape == (4, 6)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        pytest.param("tiny@9", "The model version .*9 cannot be read", id="version"),
        pytest.param("nowhere.weights.h5", "There are no weights nowhere", id="file"),
    ],
)
def test_weights_that_do_not_exist_are_named(published: Path, weights: str, sentence: str) -> None:
    from services.trainer.warm_start import start_network

    with pytest.raises(ConfigurationError, match=sentence):
        start_network(weights, published, len(SURFACE_LABELS), 0.0, IMAGES)


def test_a_version_is_exported_for_other_tools(published: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    from services.trainer.exchange import export_version
    from services.trainer.served import as_input

    export_version(published, "tiny", 1, "openvino-int8", tmp_path / "ir")
    assert sorted(entry.name for entry in (tmp_path / "ir").iterdir()) == [
        "labels.txt", "model.bin", "model.xml", "model_card.json",
    ]  # fmt: skip
    export_version(published, "tiny", 1, "saved-model", tmp_path / "tf")
    served = tf.saved_model.load(str(tmp_path / "tf" / "saved_model"))
    images = [np.asarray(render("crease", seed)) for seed in range(2)]
    answer = served.serve(tf.constant(as_input(images)))
    assert answer["probabilities"].shape == (2, len(SURFACE_LABELS))
    export_version(published, "tiny", 1, "onnx", tmp_path / "onnx")
    graph = ov.Core().compile_model(tmp_path / "onnx" / "model.onnx", "CPU", EXACT)
    assert [each.get_any_name() for each in graph.inputs] == ["image"]
    elsewhere = graph(as_input(images))
    for name in ("probabilities", "embedding", "evidence"):
        np.testing.assert_allclose(elsewhere[name], answer[name], atol=1e-3)
    with pytest.raises(ConfigurationError, match="is no export target"):
        export_version(published, "tiny", 1, "caffe", tmp_path / "x")
    with pytest.raises(ConfigurationError, match="exists already"):
        export_version(published, "tiny", 1, "openvino-int8", tmp_path / "ir")
