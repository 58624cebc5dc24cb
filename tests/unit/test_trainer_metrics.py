"""Figures of merit against published or hand-computed values."""

import math

import numpy as np
import pytest

from services.trainer.metrics import (
    Share,
    calibration_error,
    evaluate,
    fit_temperature,
    only_defects,
)

LABELS = ("crease", "oil_spot", "no_defect")


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe 1998, table I"),
        pytest.param(15, 148, 0.0624, 0.1605, id="Newcombe 1998, table I, second"),
        pytest.param(0, 20, 0.0, 0.1611, id="Newcombe 1998, table I, none"),
        pytest.param(0, 0, 0.0, 1.0, id="no trials"),
    ],
)
def test_the_wilson_interval_matches_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert Share(hits, n).interval == pytest.approx((low, high), abs=5e-5)


def probabilities(*rows: tuple[float, float, float]) -> np.ndarray:
    return np.array(rows)


def test_the_report_counts_hits_classes_and_clean_answers() -> None:
    answers = probabilities((0.8, 0.1, 0.1), (0.2, 0.7, 0.1), (0.1, 0.1, 0.8), (0.6, 0.3, 0.1))
    report = evaluate(answers, [0, 1, 1, 1], LABELS)
    assert (report.top1.hits, report.top1.n, report.no_defect) == (2, 4, 1)
    by_label = {line.label: line for line in report.classes}
    assert by_label["crease"].f1 == pytest.approx(2 / 3)
    assert by_label["oil_spot"].f1 == pytest.approx(2 / 4)
    assert by_label["no_defect"].f1 is None
    assert report.macro_f1 == pytest.approx((2 / 3 + 2 / 4) / 2)
    assert report.nll == pytest.approx(-np.mean(np.log([0.8, 0.7, 0.1, 0.3])))


def test_a_class_that_is_never_found_counts_as_zero() -> None:
    report = evaluate(probabilities((0.9, 0.1, 0.0), (0.9, 0.1, 0.0)), [0, 1], LABELS)
    assert report.macro_f1 == pytest.approx((2 / 3 + 0) / 2)


def test_no_images_are_no_evaluation() -> None:
    with pytest.raises(ValueError, match="no images"):
        evaluate(np.empty((0, 3)), [], LABELS)


def test_a_calibrated_forecast_has_no_calibration_error_and_an_overconfident_one_has() -> None:
    confidence = np.full(10, 0.7)
    right = np.array([True] * 7 + [False] * 3)
    assert calibration_error(confidence, right) == pytest.approx(0)
    assert calibration_error(np.full(10, 0.99), right) == pytest.approx(0.29)


def test_leaving_no_defect_out_renormalises_the_rest() -> None:
    kept, labels = only_defects(probabilities((0.1, 0.3, 0.6)), LABELS)
    assert labels == ["crease", "oil_spot"]
    np.testing.assert_allclose(kept, [[0.25, 0.75]])


def test_the_temperature_undoes_a_known_overconfidence() -> None:
    rng = np.random.default_rng(3)
    truth_logits = rng.normal(0, 1.5, (4000, 5))
    shares = np.exp(truth_logits) / np.exp(truth_logits).sum(axis=1, keepdims=True)
    targets = [int(rng.choice(5, p=row)) for row in shares]
    assert fit_temperature(truth_logits * 2.0, targets) == pytest.approx(2.0, rel=0.08)
    assert math.isclose(fit_temperature(truth_logits, targets), 1.0, rel_tol=0.08)
