"""Attribute charts.

Source: Laney's chart as Minitab documents it (sigma_z from moving ranges over 1.128); the ten samples of
"correlation.md" 2.3, whose numbers were worked out from those formulas.
"""

import numpy as np
import pytest

from services.domain.spc.charts import (
    laney_p_chart,
    laney_u_chart,
    moving_range_sigma,
    p_chart,
    proportion_dispersion,
    rate_dispersion,
    standardised_points,
    u_chart,
)
from services.domain.spc.ewma import ewma_limit, ewma_path, standardised_rates
from tests.golden.printed import off_by

DEFECTIVE = [210, 245, 190, 260, 230, 300, 205, 275, 220, 240]
SIZES = [5000, 5200, 4800, 5100, 5000, 5300, 4900, 5150, 5050, 5000]


def test_the_points_around_the_pooled_proportion() -> None:
    z = standardised_points(DEFECTIVE, SIZES, proportions=True)
    assert not off_by(z, "-1.680 .029 -2.437 1.333 -.344 3.292 -1.717 2.159 -1.163 .324")
    assert not off_by(p_chart(DEFECTIVE, SIZES).centre, ".0470297")
    assert not off_by(np.abs(np.diff(z)).mean(), "2.99471")
    assert not off_by(z.std(ddof=1), "1.84265")


def test_laneys_sigma_comes_from_moving_ranges_and_not_from_the_standard_deviation() -> None:
    z = standardised_points(DEFECTIVE, SIZES, proportions=True)
    assert not off_by(moving_range_sigma(z), "2.65488")
    assert not off_by(laney_p_chart(DEFECTIVE, SIZES).sigma_z, "2.65488")


def test_the_limits_of_the_first_sample() -> None:
    plain, laney = p_chart(DEFECTIVE, SIZES), laney_p_chart(DEFECTIVE, SIZES)
    assert not off_by([plain.lower[0], plain.upper[0]], ".038048 .056011")
    assert not off_by([laney.lower[0], laney.upper[0]], ".023184 .070875")


def test_the_plain_chart_flags_point_six_and_laneys_none() -> None:
    assert p_chart(DEFECTIVE, SIZES).signals.tolist() == [5]
    assert laney_p_chart(DEFECTIVE, SIZES).signals.tolist() == []


def test_the_samples_differ_more_than_chance_allows() -> None:
    test = proportion_dispersion(DEFECTIVE, SIZES)
    assert test.degrees_of_freedom == 9
    assert not off_by([test.statistic, test.p_value], "30.562 .000352")


def test_u_limits_follow_the_exposure_and_never_go_below_zero() -> None:
    chart = u_chart([2, 1, 3, 12], [100.0, 50.0, 100.0, 100.0], centre=0.02)
    assert chart.upper == pytest.approx(0.02 + 3 * np.sqrt(0.02 / np.array([100, 50, 100, 100])))
    assert chart.lower.tolist() == [0.0] * 4
    assert chart.signals.tolist() == [3]


def test_a_point_at_zero_is_no_signal_when_the_lower_limit_is_zero() -> None:
    assert u_chart([0, 4, 0], [10, 10, 10], centre=0.13).signals.tolist() == []


def test_a_point_below_the_lower_limit_is_a_signal() -> None:
    assert u_chart([60, 100, 104], [10, 10, 10], centre=10.0).signals.tolist() == [0]


def test_laneys_u_limits_are_the_plain_ones_times_sigma_z() -> None:
    counts, exposures = [30, 70, 35, 80, 28], [100, 110, 90, 120, 100]
    plain, laney = u_chart(counts, exposures), laney_u_chart(counts, exposures)
    assert laney.sigma_z > 1.5
    assert laney.upper - laney.centre == pytest.approx(laney.sigma_z * (plain.upper - plain.centre))


def test_poisson_dispersion_is_pearsons_chi_square() -> None:
    counts, exposures = np.array([12, 30, 17]), np.array([100.0, 150.0, 90.0])
    expected = counts.sum() / exposures.sum() * exposures
    assert rate_dispersion(counts, exposures).statistic == pytest.approx(
        ((counts - expected) ** 2 / expected).sum()
    )


@pytest.mark.parametrize(
    ("counts", "sizes", "message"),
    [
        pytest.param([1, 2], [10], "one count and one exposure", id="shapes_differ"),
        pytest.param([], [], "at least one sample", id="empty"),
        pytest.param([1], [0], "above 0", id="no_exposure"),
        pytest.param([-1], [5], "0 or more", id="negative"),
        pytest.param([6], [5], "more defective pieces than pieces", id="more_than_all"),
    ],
)
def test_impossible_samples_are_refused(counts: list[int], sizes: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        p_chart(counts, sizes)


def test_one_sample_has_no_sigma_z() -> None:
    with pytest.raises(ValueError, match="two samples"):
        laney_u_chart([3], [10], centre=0.2)


def test_an_ewma_follows_its_recursion_and_its_limits_widen_with_age() -> None:
    x = standardised_rates([5, 9, 14, 2], [100, 200, 150, 50], 0.05, dispersion=1.5)
    path = ewma_path(x, 0.2, 2.0)
    z, by_hand = 0.0, []
    for each in x:
        z = 0.8 * z + 0.2 * each
        by_hand.append(z)
    assert path.statistic == pytest.approx(by_hand)
    assert x[1] == pytest.approx((9 - 10) / np.sqrt(1.5 * 10))
    assert path.fixed_limit == pytest.approx(2.0 * np.sqrt(0.2 / 1.8)) == ewma_limit(0.2, 2.0)
    assert path.varying_limits[0] == pytest.approx(2.0 * 0.2)
    assert path.varying_limits[-1] < path.fixed_limit


def test_an_early_jump_crosses_the_varying_limit_before_the_fixed_one() -> None:
    path = ewma_path([3.2, 0.0, 3.2, 3.2, 3.2], 0.1, 2.8)
    assert path.early_signals[0] == 0
    assert path.signals.tolist() == [3, 4]
