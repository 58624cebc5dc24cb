"""Figures beyond top-1, on cases that can be counted by hand."""

import numpy as np
import pytest

from services.trainer.frames import Box, LabelledFrame
from services.trainer.judgement import (
    accuracy_at_coverage,
    confusion_matrix,
    evidence_in_box,
    false_calls_at_recall,
    lenient_top1,
    macro_f1,
    macro_f1_interval,
    reliability_bins,
)


def test_the_confusion_matrix_has_true_classes_in_rows() -> None:
    truth, called = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert confusion_matrix(truth, called, ("a", "b", "c")) == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]


def test_a_bootstrap_by_coil_is_wide_where_one_coil_holds_a_class() -> None:
    truth = np.repeat([0, 1], 40)
    called = truth.copy()
    called[:20] = 1
    assert macro_f1(truth, called) == pytest.approx((2 / 3 + 0.8) / 2)
    by_image = macro_f1_interval(truth, called, [str(number) for number in range(80)])
    by_coil = macro_f1_interval(truth, called, [str(number // 20) for number in range(80)])
    assert by_image[0] < macro_f1(truth, called) < by_image[1]
    assert by_coil[1] - by_coil[0] > 2 * (by_image[1] - by_image[0])


def test_coverage_keeps_the_most_confident_answers() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.2])
    right = np.array([True, True, True, False, False])
    kept = accuracy_at_coverage(confidence, right, coverage=0.6)
    assert (kept.hits, kept.n) == (3, 3)
    assert accuracy_at_coverage(confidence, right, coverage=1.0).value == pytest.approx(0.6)


def test_an_answer_that_is_marked_in_the_frame_is_lenient_right() -> None:
    frames = [
        LabelledFrame("a", 4, "1", (Box(4, 0, 0, 0.1, 0.1), Box(9, 0, 0.5, 1, 0.6))),
        LabelledFrame("b", 4, "1", (Box(4, 0, 0, 0.1, 0.1),)),
        LabelledFrame("c", 8, "1"),
    ]
    share = lenient_top1(frames, np.array([9, 9, 8]))
    assert share is not None
    assert (share.hits, share.n) == (2, 3)
    assert lenient_top1([frames[2]], np.array([8])) is None


def evidence_at(row: int, column: int) -> np.ndarray:
    maps = np.zeros((1, 4, 4, 11))
    maps[0, row, column, 4] = 1.0
    return maps


@pytest.mark.parametrize(
    ("row", "column", "overlaps", "centred"),
    [
        pytest.param(1, 2, 1, 1, id="centre in the box"),
        pytest.param(1, 3, 1, 0, id="only touched"),
        pytest.param(3, 0, 0, 0, id="elsewhere"),
    ],
)
def test_the_evidence_peak_is_looked_for_in_boxes_of_the_called_class(
    row: int, column: int, overlaps: int, centred: int
) -> None:
    frames = [LabelledFrame("a", 4, "1", (Box(4, 0.55, 0.3, 0.8, 0.45), Box(3, 0, 0.75, 0.25, 1)))]
    called, maps = np.array([4]), evidence_at(row, column)
    assert evidence_in_box(frames, called, maps).hits == overlaps
    assert evidence_in_box(frames, called, maps, reach=0).hits == centred
    assert evidence_in_box(frames, np.array([5]), maps).n == 0, "no box of that class"


def test_false_calls_are_counted_at_the_threshold_that_finds_the_defects() -> None:
    defects = np.linspace(0, 0.9, 10)
    clean = np.array([0.5, 0.7, 0.85, 0.95])
    share = false_calls_at_recall(clean, defects, recall=0.9)
    assert (share.hits, share.n) == (2, 4), "nine of ten defects lie at 0.81 or below"


def test_reliability_bins_hold_every_answer_once() -> None:
    confidence, right = np.array([0.05, 0.5, 0.51, 1.0]), np.array([False, True, False, True])
    bins = reliability_bins(confidence, right)
    assert [each["n"] for each in bins] == [1, 2, 1]
    assert bins[1]["right"] == pytest.approx(0.5)
