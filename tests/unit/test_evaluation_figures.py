"""Figures of the evaluation against values from elsewhere."""

import numpy as np
import pytest

from services.simulator.evaluation.figures import (
    calibration_error,
    count_rate,
    mean,
    mean_run_length,
    quantile,
    share,
)


def test_a_share_has_wilsons_interval() -> None:
    """Values of statsmodels' proportion_confint(262, 420, method='wilson'), as on the model card."""
    figure = share(262, 420)
    assert (figure.low, figure.high) == pytest.approx((0.5766, 0.6688), abs=5e-5)


def test_run_lengths_that_were_cut_off_count_with_their_coils() -> None:
    figure = mean_run_length(coils=5000.0, alarms=10, runs=15)
    assert figure.value == 500
    assert (figure.low, figure.high) == pytest.approx((10_000 / 36.7807, 10_000 / 9.5908), rel=1e-4)


def test_the_interval_of_a_mean_run_length_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        lengths = rng.exponential(500, 60)
        cut = np.minimum(lengths, 600)
        figure = mean_run_length(float(cut.sum()), int((lengths < 600).sum()), 60)
        held += (figure.low or 0) <= 500 <= (figure.high or np.inf)
    assert 0.93 <= held / 400 <= 0.99


def test_without_an_alarm_only_a_lower_bound_is_told() -> None:
    figure = mean_run_length(coils=1000.0, alarms=0, runs=3)
    assert figure.value == float("inf")
    assert figure.low == pytest.approx(1000 / 3.6889, rel=1e-4)
    assert figure.high is None


def test_nothing_observed_is_not_a_number() -> None:
    assert all(np.isnan(each.value) for each in (share(0, 0), mean([]), quantile([], 0.9)))


def test_a_mean_has_the_interval_of_its_standard_error() -> None:
    figure = mean([1.0, 2.0, 3.0, 4.0])
    half = 1.96 * np.std([1, 2, 3, 4], ddof=1) / 2
    assert (figure.value, figure.high) == pytest.approx((2.5, 2.5 + half), abs=1e-3)


def test_a_quantile_lies_between_its_order_statistics() -> None:
    figure = quantile(list(range(100)), 0.9)
    assert (figure.low, figure.high) == (83.0, 95.0)
    assert figure.value == pytest.approx(89.1)


def test_a_rate_has_the_exact_poisson_interval() -> None:
    figure = count_rate(10, 2.0)
    assert (figure.value, figure.low, figure.high) == pytest.approx((5.0, 4.795 / 2, 18.390 / 2), abs=1e-3)


def test_who_says_ninety_percent_and_is_right_half_the_time_is_off_by_forty_percent() -> None:
    assert calibration_error([0.9] * 10, [True, False] * 5) == pytest.approx(0.4)
    assert calibration_error([1.0, 0.05], [True, False]) == pytest.approx(0.025)
