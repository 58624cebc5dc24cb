"""Figures beyond top-1: by coil, by confidence, by place, and for frames that show several classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from services.trainer.frames import LabelledFrame
from services.trainer.metrics import ECE_BINS, Share

_BOOTSTRAP_DRAWS = 1000
_SEED = 20261123
COVERAGE = 0.8
LEAST_RECALL = 0.9

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


def confusion_matrix(truth: Integers, predicted: Integers, labels: Sequence[str]) -> list[list[int]]:
    """Count frames by true class (rows) and called class (columns), in the order of `labels`."""
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (truth, predicted), 1)
    return [[int(count) for count in row] for row in counts]


def macro_f1(truth: Integers, predicted: Integers) -> float:
    """Mean F1 over the classes that the truth contains."""
    scores = []
    for label in np.unique(truth):
        hits = int(np.sum((truth == label) & (predicted == label)))
        scores.append(2 * hits / int(np.sum(truth == label) + np.sum(predicted == label)))
    return float(np.mean(scores))


def accuracy(truth: Integers, predicted: Integers) -> float:
    """Share of right answers."""
    return float(np.mean(truth == predicted))


def macro_f1_interval(truth: Integers, predicted: Integers, groups: Sequence[str]) -> tuple[float, float]:
    """95 % interval of the macro-F1, by coil; a draw that misses a class is scored on those that it holds."""
    return _interval_by_group(macro_f1, truth, predicted, groups)


def accuracy_interval(truth: Integers, predicted: Integers, groups: Sequence[str]) -> tuple[float, float]:
    """95 % interval of the share of right answers, by coil: wider than Wilson's, as frames of a coil are alike."""
    return _interval_by_group(accuracy, truth, predicted, groups)


def _interval_by_group(
    score: Callable[[Integers, Integers], float], truth: Integers, predicted: Integers, groups: Sequence[str]
) -> tuple[float, float]:
    """95 % percentile interval of a score, bootstrapped by group: coils are drawn, not images."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    rows = [np.array(indices) for indices in members.values()]
    rng = np.random.default_rng(_SEED)
    scores = []
    for _ in range(_BOOTSTRAP_DRAWS):
        chosen = np.concatenate([rows[index] for index in rng.integers(0, len(rows), len(rows))])
        scores.append(score(truth[chosen], predicted[chosen]))
    low, high = np.percentile(scores, [2.5, 97.5])
    return float(low), float(high)


def accuracy_at_coverage(confidence: Floats, right: npt.NDArray[np.bool_], coverage: float = COVERAGE) -> Share:
    """Share of right answers among the most confident ones, when the model may leave the rest to people."""
    kept = max(1, round(coverage * confidence.size))
    chosen = np.argsort(-confidence, kind="stable")[:kept]
    return Share(int(right[chosen].sum()), int(chosen.size))


def lenient_top1(frames: Sequence[LabelledFrame], predicted: Integers) -> Share | None:
    """Share of answers that name the label or any class marked in the frame; None when nothing is marked."""
    if not any(frame.boxes for frame in frames):
        return None
    hits = sum(
        answer == frame.label or answer in {box.label for box in frame.boxes}
        for frame, answer in zip(frames, predicted, strict=True)
    )
    return Share(int(hits), len(frames))


def evidence_in_box(
    frames: Sequence[LabelledFrame], predicted: Integers, evidence: Floats, reach: float = 0.5
) -> Share:
    """Share of frames whose strongest evidence for the called class lies in a marked box of that class.

    Args:
        frames: The frames; those without a box of the called class are left out.
        predicted: Called class of each frame.
        evidence: [n, rows, columns, classes].
        reach: How far from the centre of the strongest position a box may begin, in positions: 0.5 asks that the
            position and the box overlap, 0 that the position's centre lies in the box.
    """
    hits = n = 0
    rows, columns = evidence.shape[1:3]
    for frame, answer, maps in zip(frames, predicted, evidence, strict=True):
        own = [box for box in frame.boxes if box.label == answer]
        if not own:
            continue
        row, column = np.unravel_index(int(maps[:, :, answer].argmax()), (rows, columns))
        x, y, aside, above = (column + 0.5) / columns, (row + 0.5) / rows, reach / columns, reach / rows
        n += 1
        hits += any(
            box.left - aside <= x <= box.right + aside and box.top - above <= y <= box.bottom + above
            for box in own
        )
    return Share(hits, n)


def false_calls_at_recall(clean: Floats, defects: Floats, recall: float = LEAST_RECALL) -> Share:
    """Share of clean frames called a defect at the threshold that calls `recall` of the defect frames one.

    Args:
        clean: Probability of no_defect on clean frames.
        defects: Probability of no_defect on defect frames.
        recall: Share of the defect frames that must be called a defect.
    """
    threshold = float(np.quantile(defects, recall))
    return Share(int(np.sum(clean <= threshold)), int(clean.size))


def reliability_bins(confidence: Floats, right: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """Mean confidence and share of right answers in each of 15 equal-width bins that holds answers."""
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    return [
        {
            "confidence": round(float(confidence[bins == each].mean()), 4),
            "right": round(float(right[bins == each].mean()), 4),
            "n": int(np.sum(bins == each)),
        }
        for each in np.unique(bins)
    ]
