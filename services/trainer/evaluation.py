"""Scores a directory of labelled images through the served model: the yardstick of every version."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from services.contracts.scores import Scores
from services.domain.classes import NO_DEFECT
from services.domain.inspection import UNSURE_BELOW
from services.trainer.frames import LabelledFrame, image_files, read_frames, read_pixels
from services.trainer.judgement import accuracy_at_coverage, lenient_top1, macro_f1_interval
from services.trainer.metrics import Report, Share, evaluate, only_defects

_BATCH_SIZE = 16


class ServedModelClient(Protocol):
    """The model behind the inference server; raises `InferenceUnavailable` when it cannot look."""

    @property
    def input_px(self) -> int:
        """Side of the square of pixels that the model takes."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in output order."""
        ...

    def score(self, images: npt.NDArray[np.uint8]) -> Scores:
        """Look at a batch [n, input_px, input_px, 3]."""
        ...


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """Which images to score.

    Attributes:
        images_dir: Directory that the CSV's paths are relative to.
        csv_file: `image_path` and `target` (class number or name) or `label`.
        defects_only: Leave the no_defect answer out and score the ten defect classes alone.
    """

    images_dir: Path
    csv_file: Path
    defects_only: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the served model is worth on these images.

    Attributes:
        model_name: The model that answered.
        model_version: Its version, as the server says.
        report: The figures.
        called_no_defect: Images that the model called clean, whether or not that answer was scored.
        macro_f1_interval: 95 % bootstrap interval of the macro-F1, drawn by coil (else by image).
        coils: How many coils the images are of.
        at_80_percent_coverage: Right answers among the most confident 80 %.
        when_sure: Right answers among those it is sure of, that is from the confidence of `UNSURE_BELOW` on; the
            other images it leaves to people (the review queue).
        lenient: Answers that name the label or a class marked in the frame; None without marks.
    """

    model_name: str
    model_version: str
    report: Report
    called_no_defect: int
    macro_f1_interval: tuple[float, float]
    coils: int
    at_80_percent_coverage: Share
    when_sure: Share
    lenient: Share | None

    def as_json(self) -> dict[str, object]:
        """Return the report as plain values."""
        served = {"model_name": self.model_name, "model_version": self.model_version}
        return {
            **served,
            **self.report.as_json(),
            "called_no_defect": self.called_no_defect,
            "coils": self.coils,
            "macro_f1_bootstrap95_by_coil": [round(bound, 4) for bound in self.macro_f1_interval],
            "accuracy_at_80_percent_coverage": self.at_80_percent_coverage.as_json(),
            "called_unknown": self.report.top1.n - self.when_sure.n,
            "accuracy_when_sure": self.when_sure.as_json(),
            "lenient_top1": None if self.lenient is None else self.lenient.as_json(),
        }


def evaluate_served(
    request: EvaluationRequest,
    model: ServedModelClient,
    on_batch: Callable[[int, int], None] = lambda _done, _total: None,
) -> Evaluation:
    """Score all images of the CSV, a batch at a time, and compare with their labels.

    Args:
        request: The images.
        model: The served model.
        on_batch: Told after every batch how many images of how many are done.

    Raises:
        ConfigurationError: The CSV or an image cannot be used, or the model does not know a label.
        TransientError: The inference server does not answer.
    """
    frames = read_frames(request.csv_file, model.labels)
    files = image_files(request.images_dir, frames)
    batches = list(_score_all(files, model, on_batch))
    labels: Sequence[str] = batches[0].labels
    names = [labels[frame.label] for frame in frames]
    served = tuple(labels)
    probabilities: npt.NDArray[np.floating] = np.concatenate([batch.probabilities for batch in batches])
    called = [labels[index] for index in probabilities.argmax(axis=1)].count(NO_DEFECT)
    if request.defects_only:
        probabilities, labels = only_defects(probabilities, labels)
        kept = [index for index, name in enumerate(names) if name != NO_DEFECT]
        frames, probabilities = [frames[index] for index in kept], probabilities[kept]
    return _judge(frames, served, probabilities, labels, batches[0], called)


def _judge(
    frames: Sequence[LabelledFrame],
    served: Sequence[str],
    probabilities: npt.NDArray[np.floating],
    labels: Sequence[str],
    answered: Scores,
    called: int,
) -> Evaluation:
    """Score answers [n, labels]; `served` are the labels that the frames were read by."""
    truth = np.array([labels.index(served[frame.label]) for frame in frames])
    predicted = probabilities.argmax(axis=1)
    nominal = np.array([served.index(labels[index]) for index in predicted])
    coils = [frame.coil for frame in frames]
    confidence, right = probabilities.max(axis=1), predicted == truth
    sure = confidence >= UNSURE_BELOW
    return Evaluation(
        answered.model_name,
        answered.model_version,
        evaluate(probabilities, [int(index) for index in truth], labels),
        called,
        macro_f1_interval(truth, predicted, coils),
        len(set(coils)),
        accuracy_at_coverage(confidence, right),
        Share(int(right[sure].sum()), int(sure.sum())),
        lenient_top1(frames, nominal),
    )


def _score_all(
    files: Sequence[Path], model: ServedModelClient, on_batch: Callable[[int, int], None]
) -> Iterator[Scores]:
    for start in range(0, len(files), _BATCH_SIZE):
        batch = [read_pixels(path, model.input_px) for path in files[start : start + _BATCH_SIZE]]
        yield model.score(np.stack(batch))
        on_batch(start + len(batch), len(files))
