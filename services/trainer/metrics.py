"""Figures of merit of a classifier: shares with intervals, per class, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Z95 = 1.959964
_LEAST_PROBABILITY = 1e-7
ECE_BINS = 15


@dataclass(frozen=True, slots=True)
class Share:
    """Successes of trials with the Wilson 95 % interval; `value` is None without trials."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The plain share."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson score interval; 0 to 1 without trials."""
        if not self.n:
            return (0.0, 1.0)
        share, z2 = self.hits / self.n, _Z95**2
        centre = (share + z2 / (2 * self.n)) / (1 + z2 / self.n)
        spread = math.sqrt(share * (1 - share) / self.n + z2 / (4 * self.n**2))
        half = _Z95 * spread / (1 + z2 / self.n)
        return (max(0.0, centre - half), min(1.0, centre + half))

    def as_json(self) -> dict[str, object]:
        """Return share, trials and interval, rounded for people."""
        value = None if self.value is None else round(self.value, 4)
        return {"value": value, "hits": self.hits, "n": self.n, "wilson95": [round(x, 4) for x in self.interval]}


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One line of the per-class table. F1 is 0 for a class that is there but never found."""

    label: str
    n: int
    recall: Share
    precision: Share
    f1: float | None

    def as_json(self) -> dict[str, object]:
        """Return the line for the model card."""
        f1 = None if self.f1 is None else round(self.f1, 4)
        return {"n": self.n, "recall": self.recall.as_json(), "precision": self.precision.as_json(), "f1": f1}


@dataclass(frozen=True, slots=True)
class Report:
    """How well a set of images is classified.

    Attributes:
        top1: Share of images whose most probable class is the label.
        macro_f1: Mean F1 over the classes that the labels contain.
        classes: One line per class with labels or predictions.
        ece: Expected calibration error, 15 equal-width bins of the top probability.
        nll: Mean negative log likelihood of the label (nats).
        no_defect: How many images were called no_defect; None when the class is not scored.
    """

    top1: Share
    macro_f1: float
    classes: tuple[ClassFigures, ...]
    ece: float
    nll: float
    no_defect: int | None

    def as_json(self) -> dict[str, object]:
        """Return everything as plain values."""
        return {
            "n": self.top1.n,
            "top1": self.top1.as_json(),
            "macro_f1": round(self.macro_f1, 4),
            "ece": round(self.ece, 4),
            "nll": round(self.nll, 4),
            "called_no_defect": self.no_defect,
            "per_class": {line.label: line.as_json() for line in self.classes},
        }


def evaluate(probabilities: npt.NDArray[np.floating], targets: Sequence[int], labels: Sequence[str]) -> Report:
    """Compare class probabilities [n, classes] with the true classes.

    Args:
        probabilities: One row per image, columns in the order of `labels`.
        targets: True class of every image, a position in `labels`.
        labels: Class names; a class `no_defect` is counted apart.

    Raises:
        ValueError: There are no images.
    """
    truth = np.asarray(targets)
    if truth.size == 0:
        raise ValueError("no images to evaluate")
    predicted = probabilities.argmax(axis=1)
    lines = tuple(
        class_figures(name, truth == index, predicted == index)
        for index, name in enumerate(labels)
        if np.any(truth == index) or np.any(predicted == index)
    )
    f1s = [line.f1 for line in lines if line.n and line.f1 is not None]
    likelihood = probabilities[np.arange(truth.size), truth]
    clean = labels.index("no_defect") if "no_defect" in labels else None
    return Report(
        top1=Share(int(np.sum(predicted == truth)), int(truth.size)),
        macro_f1=float(np.mean(f1s)),
        classes=lines,
        ece=calibration_error(probabilities.max(axis=1), predicted == truth),
        nll=float(-np.mean(np.log(np.maximum(likelihood, _LEAST_PROBABILITY)))),
        no_defect=None if clean is None else int(np.sum(predicted == clean)),
    )


def class_figures(
    label: str, is_label: npt.NDArray[np.bool_], is_predicted: npt.NDArray[np.bool_]
) -> ClassFigures:
    """Reckon a class's line from two masks [n]: frames of the class, and frames called so."""
    hits, n, called = int(np.sum(is_label & is_predicted)), int(is_label.sum()), int(is_predicted.sum())
    f1 = 2 * hits / (n + called) if n else None
    return ClassFigures(label, n, Share(hits, n), Share(hits, called), f1)


def calibration_error(confidence: npt.NDArray[np.floating], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error with 15 equal-width bins."""
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [
        abs(float(confidence[bins == b].mean()) - float(right[bins == b].mean())) * float(np.mean(bins == b))
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def only_defects(
    probabilities: npt.NDArray[np.floating], labels: Sequence[str]
) -> tuple[npt.NDArray[np.floating], list[str]]:
    """Drop the no_defect column and renormalise: the question 'which defect, given there is one'."""
    keep = [index for index, name in enumerate(labels) if name != "no_defect"]
    kept = probabilities[:, keep]
    total = np.maximum(kept.sum(axis=1, keepdims=True), _LEAST_PROBABILITY)
    return kept / total, [labels[index] for index in keep]


def fit_temperature(logits: npt.NDArray[np.floating], targets: Sequence[int]) -> float:
    """Find the temperature in 0.3 to 5 that minimises the negative log likelihood (Guo et al. 2017)."""
    candidates = np.exp(np.linspace(np.log(0.3), np.log(5.0), 300))
    rows = np.arange(len(targets))
    losses = []
    for temperature in candidates:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(axis=1))
        losses.append(float(np.mean(log_sum - scaled[rows, np.asarray(targets)])))
    return float(candidates[int(np.argmin(losses))])
