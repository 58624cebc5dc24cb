"""Scoring a directory through the served model, with a client that knows the answers."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from typing_extensions import override

from services.adapters.cameras.renderer import render
from services.contracts.errors import ConfigurationError, InferenceUnavailable
from services.contracts.scores import Scores
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.trainer.evaluation import EvaluationRequest, evaluate_served


class BrightnessReader:
    """Tells the class from the brightness of the first pixel; `answers` maps brightness tenths to a class."""

    def __init__(self, labels: tuple[str, ...] = SURFACE_LABELS) -> None:
        self.labels = labels
        self.batch_sizes: list[int] = []

    @property
    def input_px(self) -> int:
        return 224

    def score(self, images: npt.NDArray[np.uint8]) -> Scores:
        self.batch_sizes.append(len(images))
        chosen = np.rint(images[:, 100, 100, 1] / 20).astype(int)
        probabilities = np.full((len(images), len(self.labels)), 0.1 / (len(self.labels) - 1), np.float32)
        probabilities[np.arange(len(images)), chosen] = 0.9
        return Scores(self.labels, probabilities, None, "surface_defects", "3")


class Hesitant(BrightnessReader):
    """Is not sure of creases."""

    @override
    def score(self, images: npt.NDArray[np.uint8]) -> Scores:
        surely = super().score(images)
        crease = self.labels.index("crease")
        evened = np.where(surely.probabilities.argmax(axis=1, keepdims=True) == crease, 0.5, 1.0)
        probabilities = surely.probabilities * evened + (1 - evened) / len(self.labels)
        return Scores(self.labels, probabilities.astype(np.float32), None, "surface_defects", "3")


class SilentServer(BrightnessReader):
    @override
    def score(self, images: npt.NDArray[np.uint8]) -> Scores:
        raise InferenceUnavailable("nobody there")


def images_of(directory: Path, answers: list[tuple[str, str]]) -> EvaluationRequest:
    """Write images that the fake reads as the first class of each pair; the second is the label."""
    lines = ["image_path,target"]
    for number, (seen, label) in enumerate(answers):
        grey = np.full((224, 224), 20 * SURFACE_LABELS.index(seen), np.uint8)
        cv2.imwrite(str(directory / f"{number}.png"), grey)
        lines.append(f"{number}.png,{label}")
    csv_file = directory / "labels.csv"
    csv_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return EvaluationRequest(directory, csv_file)


def test_hits_and_clean_answers_are_counted_over_all_batches(tmp_path: Path) -> None:
    pairs = [("crease", "crease")] * 12 + [("oil_spot", "3")] * 5 + [(NO_DEFECT, "crease")] * 3
    model = BrightnessReader()
    seen: list[tuple[int, int]] = []
    evaluation = evaluate_served(images_of(tmp_path, pairs), model, lambda done, total: seen.append((done, total)))
    assert (evaluation.report.top1.hits, evaluation.report.top1.n) == (17, 20)
    assert evaluation.called_no_defect == 3
    assert evaluation.model_version == "3"
    assert model.batch_sizes == [16, 4]
    assert seen == [(16, 20), (20, 20)]
    assert evaluation.as_json()["n"] == 20


def test_images_it_is_unsure_of_are_left_to_people_and_the_others_judged(tmp_path: Path) -> None:
    pairs = [("crease", "crease")] * 3 + [("oil_spot", "oil_spot")] * 4 + [("oil_spot", "water_spot")]
    evaluation = evaluate_served(images_of(tmp_path, pairs), Hesitant())
    assert evaluation.as_json()["called_unknown"] == 3
    assert (evaluation.when_sure.hits, evaluation.when_sure.n) == (4, 5)


def test_defects_only_leaves_the_clean_answer_and_clean_images_out(tmp_path: Path) -> None:
    pairs = [("crease", "crease"), (NO_DEFECT, "oil_spot"), (NO_DEFECT, NO_DEFECT)]
    request = images_of(tmp_path, pairs)
    evaluation = evaluate_served(EvaluationRequest(request.images_dir, request.csv_file, True), BrightnessReader())
    assert evaluation.report.top1.n == 2
    assert evaluation.report.no_defect is None
    assert evaluation.called_no_defect == 2


def test_a_class_the_model_does_not_know_is_the_users_mistake(tmp_path: Path) -> None:
    request = images_of(tmp_path, [("crease", "welding_line")])
    with pytest.raises(ConfigurationError, match="'welding_line' is no known class"):
        evaluate_served(request, BrightnessReader(SURFACE_LABELS[:9]))


def test_a_server_that_cannot_look_gives_no_figures(tmp_path: Path) -> None:
    with pytest.raises(InferenceUnavailable):
        evaluate_served(images_of(tmp_path, [("crease", "crease")]), SilentServer())


def test_an_unreadable_image_is_named(tmp_path: Path) -> None:
    request = images_of(tmp_path, [("crease", "crease")])
    (tmp_path / "0.png").write_bytes(render("crease", 1).tobytes())
    with pytest.raises(ConfigurationError, match=r"0\.png cannot be read"):
        evaluate_served(request, BrightnessReader())
