"""Rates of counts with exposure: exact intervals, ratios of two, p-values against a baseline, overdispersion."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy import stats

Alternative = Literal["two-sided", "less", "greater"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval; `high` may be infinite, `value` is NaN when the data say nothing about it."""

    value: float
    low: float
    high: float


def rate_interval(count: int, exposure: float, level: float = 0.95) -> Estimate:
    """Return events per unit of exposure with the exact Poisson interval (Garwood 1936).

    Raises:
        ValueError: The count is negative, the exposure not positive or the level outside (0, 1).
    """
    _check(count, exposure, level)
    outside = (1 - level) / 2
    low = float(stats.chi2.ppf(outside, 2 * count)) / 2 if count > 0 else 0.0
    high = float(stats.chi2.ppf(1 - outside, 2 * count + 2)) / 2
    return Estimate(count / exposure, low / exposure, high / exposure)


def rate_ratio(
    count: int, exposure: float, other_count: int, other_exposure: float, level: float = 0.95
) -> Estimate:
    """Return the first rate over the other, with the exact conditional interval.

    Given the sum of both, the first count is binomial; the Clopper-Pearson interval of its proportion is turned
    into one of the ratio. Without any event the ratio is NaN and its interval 0 to infinity.

    Args:
        count: Events in the first window.
        exposure: Its exposure.
        other_count: Events in the other (the reference).
        other_exposure: Its exposure.
        level: Confidence of the interval.

    Raises:
        ValueError: As in `rate_interval`, for either window.
    """
    _check(count, exposure, level)
    _check(other_count, other_exposure, level)
    total = count + other_count
    if total == 0:
        return Estimate(float("nan"), 0.0, float("inf"))
    outside, scale = (1 - level) / 2, other_exposure / exposure
    low = float(stats.beta.ppf(outside, count, other_count + 1)) if count > 0 else 0.0
    high = float(stats.beta.ppf(1 - outside, count + 1, other_count)) if other_count > 0 else 1.0
    ratio = count / other_count * scale if other_count > 0 else float("inf")
    return Estimate(ratio, low / (1 - low) * scale, high / (1 - high) * scale if high < 1 else float("inf"))


def c_test(
    count: int, exposure: float, other_count: int, other_exposure: float, alternative: Alternative = "two-sided"
) -> float:
    """Return the p-value that two Poisson rates are one, given their sum (Przyborowski and Wilenski 1940).

    Args:
        count: Events in the first window.
        exposure: Its exposure.
        other_count: Events in the other.
        other_exposure: Its exposure.
        alternative: What is suspected of the first rate: that it differs, is less or is greater.

    Raises:
        ValueError: As in `rate_interval`, for either window.
    """
    _check(count, exposure)
    _check(other_count, other_exposure)
    total = count + other_count
    if total == 0:
        return 1.0
    share = exposure / (exposure + other_exposure)
    return float(stats.binomtest(count, total, share, alternative=alternative).pvalue)


def e_test(
    count: int, exposure: float, other_count: int, other_exposure: float, alternative: Alternative = "two-sided"
) -> float:
    """Return the p-value that two Poisson rates are one, unconditionally (Krishnamoorthy and Thomson 2004).

    More powerful than `c_test` at small counts; arguments and errors are the same.
    """
    _check(count, exposure)
    _check(other_count, other_exposure)
    if count + other_count == 0:
        return 1.0
    test = stats.poisson_means_test(count, exposure, other_count, other_exposure, alternative=alternative)
    return float(test.pvalue)


def excess_p_value(count: int, expected: float, shape: float | None = None) -> float:
    """Return the mid-p value of at least this many events: P(Y > y) + P(Y = y) / 2.

    Mid-p keeps discrete p-values uniform on average, so that Benjamini-Hochberg does not turn conservative.

    Args:
        count: Events seen.
        expected: Mean when nothing is wrong, above 0.
        shape: k of the negative binomial, variance = mean + mean**2 / k; None: Poisson.

    Raises:
        ValueError: An argument is out of range.
    """
    above, at, _ = _split_probability(count, expected, shape)
    return min(1.0, above + at / 2)


def difference_p_value(count: int, expected: float, shape: float | None = None) -> float:
    """Return the two-sided mid-p value of a count against its expectation: twice the smaller side, 1 at most.

    Arguments and errors as in `excess_p_value`.
    """
    above, at, below = _split_probability(count, expected, shape)
    return min(1.0, 2 * min(above + at / 2, below + at / 2))


def negative_binomial_shape(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> float | None:
    """Estimate k of the negative binomial by moments; None when the counts vary no more than Poisson counts do.

    Each count has mean mu_i = rate * exposure_i and variance mu_i + mu_i**2 / k around the pooled rate.

    Args:
        counts: In-control counts, shape (n,), n >= 2.
        exposures: Their exposures, above 0, shape (n,).

    Raises:
        ValueError: Shapes differ, fewer than two counts, or something is out of range.
    """
    found, looked_at = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
    if found.ndim != 1 or found.shape != looked_at.shape or found.size <= 1:
        raise ValueError("a dispersion needs two counts or more, each with an exposure")
    if not (looked_at > 0).all() or not (found >= 0).all():
        raise ValueError("a dispersion needs exposures above 0 and counts of 0 or more")
    expected = found.sum() / looked_at.sum() * looked_at
    corrected = found.size / (found.size - 1)
    surplus = float((corrected * (found - expected) ** 2 - expected).sum())
    return float((expected**2).sum()) / surplus if surplus > 0 else None


def _split_probability(count: int, expected: float, shape: float | None) -> tuple[float, float, float]:
    """Return P(Y > y), P(Y = y) and P(Y < y)."""
    if count < 0 or not expected > 0 or (shape is not None and not shape > 0):
        raise ValueError("a p-value needs a count of 0 or more, and an expectation and a shape above 0")
    if shape is None:
        return _around(stats.poisson(expected), count)
    return _around(stats.nbinom(shape, shape / (shape + expected)), count)


class _CountLaw(Protocol):
    def sf(self, count: int) -> float: ...
    def pmf(self, count: int) -> float: ...
    def cdf(self, count: int) -> float: ...


def _around(law: _CountLaw, count: int) -> tuple[float, float, float]:
    return float(law.sf(count)), float(law.pmf(count)), float(law.cdf(count - 1))


def _check(count: int, exposure: float, level: float = 0.95) -> None:
    if count < 0 or not exposure > 0:
        raise ValueError("a rate needs a count of 0 or more and an exposure above 0")
    if not 0 < level < 1:
        raise ValueError("a confidence level lies between 0 and 1")
