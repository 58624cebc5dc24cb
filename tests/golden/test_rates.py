"""Rates, tests of two rates, and many tests at once.

Sources: Garwood 1936 for the interval; the C-test and E-test example and the 15 p-values of Benjamini and Hochberg
1995 (thrombolysis trial), with the numbers of "correlation.md" 2.3; scipy as the second opinion.
"""

import numpy as np
import pytest
from scipy import stats

from services.domain.spc.multiplicity import benjamini_hochberg, benjamini_yekutieli, bonferroni
from services.domain.spc.rates import (
    c_test,
    difference_p_value,
    e_test,
    excess_p_value,
    negative_binomial_shape,
    rate_interval,
    rate_ratio,
)
from tests.golden.printed import off_by

TRIAL = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
TRIAL += [0.7590, 1.0]


def test_ten_events_against_twenty_five() -> None:
    assert not off_by(c_test(10, 1000, 25, 1000, "less"), ".008337")
    assert not off_by(e_test(10, 1000, 25, 1000, "less"), ".005376")


def test_the_two_sided_c_test_at_equal_exposure_is_twice_the_one_sided() -> None:
    assert c_test(10, 1000, 25, 1000) == pytest.approx(2 * c_test(10, 1000, 25, 1000, "less"))


def test_garwoods_interval_for_ten_events_and_for_none() -> None:
    ten, none = rate_interval(10, 1.0), rate_interval(0, 2.0)
    assert not off_by([ten.low, ten.high], "4.795 18.390")
    assert (none.value, none.low) == (0.0, 0.0)
    assert not off_by(none.high * 2.0, "3.689")


def test_the_interval_of_a_ratio_ends_where_the_test_turns() -> None:
    ratio = rate_ratio(25, 800.0, 10, 1000.0)
    assert ratio.value == pytest.approx(25 / 800 / (10 / 1000))
    # At the ends of the interval the conditional test has 2.5 % left on each side.
    assert c_test(25, 800.0 * ratio.low, 10, 1000.0, "greater") == pytest.approx(0.025)
    assert c_test(25, 800.0 * ratio.high, 10, 1000.0, "less") == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("count", "other", "expected"),
    [
        pytest.param(4, 0, (np.inf, True, np.inf), id="nothing_before"),
        pytest.param(0, 4, (0.0, False, None), id="nothing_after"),
    ],
)
def test_a_ratio_with_an_empty_window_is_open_on_one_side(
    count: int, other: int, expected: tuple[float, bool, float | None]
) -> None:
    ratio = rate_ratio(count, 10.0, other, 10.0)
    assert ratio.value == expected[0]
    assert (ratio.low > 0) is expected[1]
    assert ratio.high == expected[2] if expected[2] is not None else 0 < ratio.high < np.inf


def test_without_any_event_a_ratio_says_nothing() -> None:
    ratio = rate_ratio(0, 10.0, 0, 20.0)
    assert np.isnan(ratio.value)
    assert (ratio.low, ratio.high) == (0.0, np.inf)
    assert c_test(0, 10.0, 0, 20.0) == e_test(0, 10.0, 0, 20.0) == 1.0


@pytest.mark.parametrize("shape", [None, 2.0])
def test_the_mid_p_value_counts_what_was_seen_by_half(shape: float | None) -> None:
    counts = np.arange(400)
    law = stats.poisson(4.0) if shape is None else stats.nbinom(shape, shape / (shape + 4.0))
    masses = law.pmf(counts)
    assert masses @ counts == pytest.approx(4.0)
    assert excess_p_value(9, 4.0, shape) == pytest.approx(masses[10:].sum() + masses[9] / 2)
    assert difference_p_value(1, 4.0, shape) == pytest.approx(2 * (masses[0] + masses[1] / 2))


def test_mid_p_values_are_one_half_on_average() -> None:
    counts = np.arange(60)
    p_values = [excess_p_value(int(count), 3.3) for count in counts]
    assert stats.poisson(3.3).pmf(counts) @ p_values == pytest.approx(0.5)


def test_overdispersion_makes_the_same_count_less_surprising() -> None:
    assert excess_p_value(10, 4.0, shape=2.0) > 5 * excess_p_value(10, 4.0)


def test_the_shape_is_recovered_from_unequal_exposures() -> None:
    rng = np.random.default_rng(2)
    exposures = rng.uniform(50, 300, 4000)
    counts = rng.poisson(exposures * 0.06 * rng.gamma(2.0, 0.5, 4000))
    assert negative_binomial_shape(counts, exposures) == pytest.approx(2.0, rel=0.1)


def test_the_shape_of_two_counts_by_hand() -> None:
    # Mean 2 each; sample variance 8, of which 2 is Poisson's: 2**2 / 6.
    assert negative_binomial_shape([0, 4], [3.0, 3.0]) == pytest.approx(4 / 6)


def test_counts_that_vary_less_than_poisson_have_no_shape() -> None:
    assert negative_binomial_shape([5, 5, 6, 5, 5, 4], [10.0] * 6) is None


@pytest.mark.parametrize(
    ("count", "exposure", "level", "message"),
    [(-1, 1.0, 0.95, "count of 0 or more"), (1, 0.0, 0.95, "exposure above 0"), (1, 1.0, 1.0, "confidence level")],
    ids=["negative", "no_exposure", "certain"],
)
def test_impossible_rates_are_refused(count: int, exposure: float, level: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rate_interval(count, exposure, level)


def test_benjamini_hochberg_on_their_own_trial() -> None:
    adjusted = benjamini_hochberg(TRIAL, 0.05)
    assert adjusted.rejected.sum() == 4
    assert not off_by(
        adjusted.values[:10], ".0015 .003 .0095 .03562 .0603 .06386 .06386 .0645 .0765 .486", last_digit=0.51
    )


def test_bonferroni_and_benjamini_yekutieli_on_the_same_trial() -> None:
    assert bonferroni(TRIAL, 0.05).rejected.sum() == 3
    assert benjamini_yekutieli(TRIAL, 0.05).rejected.sum() == 3


def test_decisions_keep_the_order_of_the_tests() -> None:
    shuffled = [0.9, 0.001, 0.5, 0.002]
    assert benjamini_hochberg(shuffled, 0.05).rejected.tolist() == [False, True, False, True]
    assert bonferroni(shuffled, 0.05).values.tolist() == pytest.approx([1.0, 0.004, 1.0, 0.008])


def test_no_tests_give_no_discoveries() -> None:
    assert benjamini_hochberg([], 0.05).rejected.size == 0


@pytest.mark.parametrize("p_values", [[1.2], [-0.1], [float("nan")]])
def test_what_is_no_p_value_is_refused(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match="p-values"):
        benjamini_hochberg(p_values, 0.05)
