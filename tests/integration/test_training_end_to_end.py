"""A tiny training run: rendered images in, a version in Triton's layout out, refusals and resumption."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from services.adapters.cameras.renderer import render
from services.contracts.errors import ConfigurationError
from services.domain.classes import DEFECT_CLASSES, SURFACE_LABELS
from services.trainer.plan import Phase, TrainingPlan
from services.trainer.ports import EpochReport
from services.trainer.settings import prepare_tensorflow

if TYPE_CHECKING:
    from services.trainer.app import TrainingRequest

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore"),  # TensorFlow and NNCF warn of their own dependencies
]

COILS_PER_CLASS = 4


class Diary:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.epochs: list[EpochReport] = []
        self.steps: list[float] = []

    def step_done(self, progress: float, loss: float, accuracy: float) -> None:
        assert np.isfinite(loss)
        self.steps.append(progress)

    def epoch_done(self, report: EpochReport) -> None:
        self.epochs.append(report)

    def stage(self, sentence: str) -> None:
        pass


@pytest.fixture(scope="module")
def rendered_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("rendered")
    with (directory / "frames.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image_path", "target", "coil"])
        for label, name in enumerate(DEFECT_CLASSES):
            for coil in range(COILS_PER_CLASS):
                cv2.imwrite(str(directory / f"{name}_{coil}.jpg"), render(name, coil))
                writer.writerow([f"{name}_{coil}.jpg", label, f"{name}-{coil}"])
    return directory


@dataclass(frozen=True)
class Published:
    request: "TrainingRequest"
    diary: Diary
    folder: Path

    @property
    def card(self) -> dict[str, Any]:
        card: dict[str, Any] = json.loads((self.folder / "1" / "model_card.json").read_text(encoding="utf-8"))
        return card


@pytest.fixture(scope="module")
def published(rendered_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    prepare_tensorflow(0)
    from services.trainer.app import TrainingRequest, train

    directory = tmp_path_factory.mktemp("training")
    request = TrainingRequest(
        images_dir=rendered_set,
        csv_file=rendered_set / "frames.csv",
        model_name="tiny",
        repository_dir=directory / "repository",
        work_dir=directory / "work",
        plan=TrainingPlan(epochs=2, steps_per_epoch=2, batch_size=4, phases=(Phase(32, 1.0),)),
        date="2026-11-23",
        command="millsight train",
        held_out_share=0.25,
        rendered_per_class=1,
        calibration_frames=4,
        settling_batches=2,
    )
    diary = Diary()
    version = train(request, diary)
    assert version.directory == directory / "repository" / "tiny" / "1"
    return Published(request, diary, version.directory.parent)


def test_the_run_tells_of_every_epoch_and_ends(published: Published) -> None:
    assert [report.epoch for report in published.diary.epochs] == [1, 2]
    assert published.diary.steps == [0.25, 0.5, 0.75, 1.0]


def test_the_version_lies_in_tritons_layout_and_nothing_half_written_beside_it(published: Published) -> None:
    assert {"1", "config.pbtxt", "labels.txt"} <= {entry.name for entry in published.folder.iterdir()}
    assert not [entry for entry in published.folder.iterdir() if entry.name.startswith(".")]
    assert (published.folder / "labels.txt").read_text(encoding="utf-8").split() == list(SURFACE_LABELS)
    assert 'name: "tiny"' in (published.folder / "config.pbtxt").read_text(encoding="utf-8")


def test_the_card_names_files_by_hash_and_counts_the_held_out_frames(published: Published) -> None:
    from services.trainer.repository import sha256_of

    card, version = published.card, published.folder / "1"
    assert card["sha256"] == {name: sha256_of(version / name) for name in ("model.xml", "model.bin")}
    assert card["figures"]["coil_grouped_hold_out"]["n"] == len(DEFECT_CLASSES)
    held_out = json.loads((version / "split.json").read_text(encoding="utf-8"))["held_out_coils"]
    assert len(held_out) == len(DEFECT_CLASSES)


def test_the_served_file_answers_with_evidence_that_adds_up(published: Published) -> None:
    import openvino as ov

    file = published.folder / "1" / "model.xml"
    served = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = cv2.cvtColor(render("oil_spot", 7), cv2.COLOR_GRAY2RGB)
    answer = served(np.stack([image, image[::-1]]))
    assert answer["embedding"].shape == (2, 128)
    assert answer["evidence"].shape == (2, 7, 7, 11)
    logits = answer["evidence"].mean(axis=(1, 2)) + np.array(published.card["evidence_bias"])
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, answer["probabilities"], atol=1e-5)


def test_only_convolutions_are_quantised(published: Published) -> None:
    import openvino as ov

    def takers(node: ov.Node) -> set[str]:
        kinds = {each.get_node() for output in node.outputs() for each in output.get_target_inputs()}
        return {each.get_type_name() for each in kinds}

    graph = ov.Core().read_model(published.folder / "1" / "model.xml")
    rounded = [takers(node) for node in graph.get_ops() if node.get_type_name() == "FakeQuantize"]
    assert len(rounded) > 40
    assert set().union(*rounded) == {"Convolution"}


def test_a_finished_run_is_not_trained_again(published: Published) -> None:
    from services.trainer.network import build_network
    from services.trainer.sampling import BatchMix, BatchSource
    from services.trainer.training import Trainer

    plan, diary = published.request.plan, Diary()
    network = build_network(len(SURFACE_LABELS))
    resumed = Trainer(network, plan, BatchSource([], [], 1, BatchMix()), published.request.work_dir)
    resumed.run(diary)
    assert diary.epochs == []
    assert resumed.history == published.diary.epochs


def test_a_work_directory_of_another_recipe_or_fold_is_refused(published: Published) -> None:
    from services.trainer.app import train

    longer = replace(published.request, plan=replace(published.request.plan, epochs=3))
    elsewhere = replace(published.request, fold="1/4")
    for other in (longer, elsewhere):
        with pytest.raises(ConfigurationError, match="other data, split or settings"):
            train(other, Diary())


def test_a_start_that_has_seen_held_out_images_is_refused(published: Published, tmp_path: Path) -> None:
    from services.trainer.app import train

    split = json.loads((published.folder / "1" / "split.json").read_text(encoding="utf-8"))
    trained_on = sorted({f"{name}-0" for name in DEFECT_CLASSES} - set(split["held_out_coils"]))[:1]
    (tmp_path / "split.json").write_text(json.dumps(split | {"held_out_coils": trained_on}), encoding="utf-8")
    leaky = replace(
        published.request,
        plan=replace(published.request.plan, weights="tiny@1"),
        split_file=tmp_path / "split.json",
        work_dir=tmp_path / "work",
    )
    with pytest.raises(ConfigurationError, match="tiny@1 was trained on 1 of the 1 held-out images"):
        train(leaky, Diary())
    assert not leaky.work_dir.exists()


def test_folds_start_from_rendered_frames_and_are_judged_together(published: Published, tmp_path: Path) -> None:
    from services.trainer.app import train
    from services.trainer.cross_validation import add_folds
    from services.trainer.pretraining import pretrain

    plan, start = published.request.plan, tmp_path / "rendered.weights.h5"
    pretrain(replace(plan, epochs=1), tmp_path / "pretraining", start, "millsight pretrain", Diary())
    runs = []
    for number in (1, 2):
        request = replace(
            published.request,
            fold=f"{number}/2",
            model_name=f"fold_{number}",
            work_dir=tmp_path / f"fold_{number}",
            plan=replace(plan, epochs=1, weights=str(start)),
        )
        runs.append(train(request, Diary()).directory)
    card = json.loads((runs[0] / "model_card.json").read_text(encoding="utf-8"))
    assert "has seen 8 rendered frames and no picture of a data set." in card["deviations"][-1]
    top1 = add_folds(published.request.repository_dir, "tiny", 1, runs)
    assert top1.n == COILS_PER_CLASS * len(DEFECT_CLASSES)
    figures = published.card["figures"]["coil_grouped_folds"]
    assert sum(run["top1"]["hits"] for run in figures["runs"]) == figures["top1"]["hits"] == top1.hits


def test_a_weights_file_by_another_name_is_refused(tmp_path: Path) -> None:
    from services.trainer.pretraining import pretrain

    with pytest.raises(ConfigurationError, match=r"must end in \.weights\.h5"):
        pretrain(TrainingPlan(), tmp_path / "work", tmp_path / "start.h5", "millsight pretrain", Diary())
    assert not list(tmp_path.iterdir())


def test_the_evidence_adds_up_to_the_logits_of_the_training_graph() -> None:
    prepare_tensorflow(0)
    from services.trainer.export import export_ir
    from services.trainer.network import build_network
    from services.trainer.served import as_input, run_model
    from services.trainer.verification import logits_of

    network = build_network(len(SURFACE_LABELS))
    bias = np.linspace(-1, 1, len(SURFACE_LABELS), dtype=np.float32)
    network.head.set_weights([network.head.get_weights()[0], bias])
    rng = np.random.default_rng(3)
    kernel, marked = network.marks.get_weights()
    network.marks.set_weights([rng.normal(0, 0.2, kernel.shape), marked])
    network.embedding.set_weights([network.embedding.get_weights()[0], np.linspace(-1, 1, 128)])
    images = [render("oil_spot", 1)[:64, :64], render("crease", 2)[:64, :64]]
    trained = network.model(as_input(images))[0].numpy()
    temperature = 1.7
    served = export_ir(network, 64, temperature)
    outputs = run_model(served, images)
    np.testing.assert_allclose(logits_of(served, outputs), trained / temperature, atol=1e-3)
    softmax = np.exp(trained / temperature)
    softmax /= softmax.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(outputs.probabilities, softmax, atol=1e-3)
