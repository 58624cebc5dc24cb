"""Trends, projections and OEE.

Sources: NIST/SEMATECH e-Handbook 8.4 (ten failures in 1500 h) with Laplace's test, the power law and
MIL-HDBK-189; the OEE example of Vorne; numbers of "correlation.md" 2.3 and rules of 2.9.
"""

import numpy as np
import pytest

from services.domain.prognosis import RateTrend, fit_rate_trend, laplace_trend, power_law, project_coils_to_limit
from services.domain.spc.oee import effectiveness, mean_time_between_failures, mean_time_to_repair
from tests.golden.printed import off_by

FAILURES_H = [5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478]
COILS = np.arange(40.0)
FRAMES = np.full(40, 1000.0)


def test_the_handbooks_failures_come_ever_more_rarely() -> None:
    fit = power_law(FAILURES_H, 1500)
    assert not off_by([fit.shape, fit.unbiased_shape], ".53723 .48351")
    assert not off_by([fit.instantaneous_mtbf_h, fit.statistic, fit.statistic / 2], "310.2 37.228 18.61404")
    assert not off_by(fit.p_improving, ".0110")
    assert fit.p_improving + fit.p_deteriorating == pytest.approx(1.0)
    assert not off_by(laplace_trend(FAILURES_H, 1500), "-1.32695")


def test_failures_that_crowd_at_the_end_are_a_deterioration() -> None:
    mirrored = [1500 - each for each in FAILURES_H]
    assert laplace_trend(mirrored, 1500) == pytest.approx(1.32695, abs=5e-6)
    ever_faster = [1500 * (each / 1500) ** 0.25 for each in FAILURES_H]
    assert power_law(ever_faster, 1500).shape == pytest.approx(4 * 0.53723, rel=1e-4)
    assert power_law(ever_faster, 1500).p_deteriorating < 0.05


@pytest.mark.parametrize("times", [[], [0.0, 3.0], [3.0, 11.0]], ids=["none", "at_zero", "after_the_end"])
def test_impossible_failures_are_refused(times: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one, all after 0"):
        laplace_trend(times, 10.0)


def test_a_trend_fits_counts_that_follow_one_exactly() -> None:
    exposures = np.linspace(500, 3000, 12)
    times = np.linspace(200, 310, 12)
    counts = exposures * np.exp(-7.0 + 0.02 * times)
    trend = fit_rate_trend(counts, times, exposures)
    assert trend is not None
    assert (trend.intercept, trend.slope) == pytest.approx((-7.0, 0.02))
    assert trend.dispersion == 1.0
    assert trend.rate_at(250.0) == pytest.approx(np.exp(-2.0))


def test_the_variances_are_those_of_the_information_matrix() -> None:
    counts = np.array([3.0, 5, 4, 9, 12])
    times, exposures = np.arange(5.0), np.array([10.0, 12, 9, 11, 10])
    trend = fit_rate_trend(counts, times, exposures)
    assert trend is not None
    mean = exposures * np.exp(trend.intercept + trend.slope * times)
    design = np.column_stack((np.ones(5), times))
    assert design.T @ (counts - mean) == pytest.approx([0, 0], abs=1e-8)
    spread = trend.dispersion * np.linalg.inv(design.T @ (design * mean[:, None]))
    assert (trend.intercept_variance, trend.covariance, trend.slope_variance) == pytest.approx(
        (spread[0, 0], spread[0, 1], spread[1, 1])
    )


def test_overdispersed_counts_widen_the_interval_of_the_slope() -> None:
    rng = np.random.default_rng(8)
    counts = rng.poisson(12 * rng.gamma(2.0, 0.5, 40))
    poisson, negative_binomial = fit_rate_trend(counts, COILS, FRAMES), fit_rate_trend(counts, COILS, FRAMES, 2.0)
    assert poisson is not None
    assert negative_binomial is not None
    assert poisson.dispersion > 4
    assert negative_binomial.dispersion < 2
    assert negative_binomial.slope_variance == pytest.approx(poisson.slope_variance, rel=0.5)


@pytest.mark.parametrize(
    "counts", [pytest.param([0, 0, 0], id="no_events"), pytest.param([0, 0, 5], id="all_at_the_end")]
)
def test_counts_that_determine_no_slope_have_no_trend(counts: list[int]) -> None:
    assert fit_rate_trend(counts, [0, 1, 2], [1.0] * 3) is None


@pytest.mark.parametrize(
    ("times", "exposures", "message"),
    [
        ([0, 1], [1, 1], "three points"),
        ([1, 1, 1], [1, 1, 1], "times that differ"),
        ([0, 1, 2], [1, 0, 1], "above 0"),
    ],
    ids=["too_few", "one_time", "no_exposure"],
)
def test_impossible_trends_are_refused(times: list[float], exposures: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_rate_trend([1] * len(times), times, exposures)


def trend_of(slope: float, slope_sd: float, level_sd: float = 0.0) -> RateTrend:
    """A trend around coil 100, the last of 50, whose rate there is 0.01."""
    centre = 100.0
    return RateTrend(
        intercept=float(np.log(0.01)) - slope * centre,
        slope=slope,
        intercept_variance=level_sd**2 + (slope_sd * centre) ** 2,
        slope_variance=slope_sd**2,
        covariance=-(slope_sd**2) * centre,
        dispersion=1.0,
        first_time=50.0,
        last_time=centre,
    )


def test_the_median_is_where_the_fit_meets_the_limit() -> None:
    projection = project_coils_to_limit(trend_of(0.02, 0.004), 0.02)
    assert projection is not None
    assert projection.p50 == pytest.approx(np.log(2) / 0.02)
    assert projection.p10 == pytest.approx(np.log(2) / (0.02 + 1.2815516 * 0.004))
    assert projection.p90 == pytest.approx(np.log(2) / (0.02 - 1.2815516 * 0.004))


@pytest.mark.parametrize(("slope_sd", "projected"), [(0.0121, True), (0.0122, False)])
def test_a_slope_that_may_be_flat_projects_nothing(slope_sd: float, projected: bool) -> None:
    # 0.02 / 1.645 = 0.01216: the 90 % interval just excludes, or includes, no trend.
    assert (project_coils_to_limit(trend_of(0.02, slope_sd), 0.02) is not None) is projected


def test_a_falling_rate_projects_nothing() -> None:
    assert project_coils_to_limit(trend_of(-0.02, 0.001), 0.02) is None


def test_a_projection_ends_at_three_times_the_observed_span() -> None:
    projection = project_coils_to_limit(trend_of(0.02, 0.001), 0.01 * np.exp(0.02 * 149))
    assert projection is not None
    assert projection.p50 == pytest.approx(149)
    assert projection.p90 == 150.0


def test_a_rate_above_its_limit_has_no_coils_left() -> None:
    projection = project_coils_to_limit(trend_of(0.02, 0.001, level_sd=0.01), 0.009)
    assert projection is not None
    assert (projection.p10, projection.p50, projection.p90) == (0.0, 0.0, 0.0)


def test_eighty_per_cent_of_projections_hold_the_truth() -> None:
    rng, held = np.random.default_rng(1), []
    for _ in range(300):
        trend = fit_rate_trend(rng.poisson(np.exp(0.04 * COILS)), COILS, FRAMES)
        assert trend is not None
        projection = project_coils_to_limit(trend, 0.001 * np.exp(0.04 * 60))
        assert projection is not None
        held.append(projection.p10 <= 60 - 39 <= projection.p90)
    assert 0.74 <= np.mean(held) <= 0.86


def test_vornes_shift() -> None:
    shift = effectiveness(420 * 60, 373 * 60, 19_271, 19_271 - 423, 1.0)
    factors = [shift.availability, shift.performance, shift.quality, shift.oee]
    assert not off_by([100 * each for each in factors], "88.81 86.11 97.80 74.79")


@pytest.mark.parametrize(
    ("running_s", "good"), [(0.0, 5), (11.0, 5), (5.0, 11)], ids=["never_ran", "ran_too_long", "too_many_good"]
)
def test_an_impossible_shift_is_refused(running_s: float, good: int) -> None:
    with pytest.raises(ValueError, match="OEE needs"):
        effectiveness(10.0, running_s, 10, good, 1.0)


def test_hours_between_failures_and_to_repair() -> None:
    assert mean_time_between_failures(900.0, 3) == 300.0
    assert mean_time_to_repair(6.0, 4) == 1.5
    assert mean_time_between_failures(900.0, 0) is mean_time_to_repair(0.0, 0) is None
