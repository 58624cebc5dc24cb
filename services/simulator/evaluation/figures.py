"""Figures with 95 % intervals: shares, means, run lengths, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from scipy import stats

_Z: Final = 1.959963984540054
_OUTSIDE: Final = 0.025
_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval, from n observations; the interval is None where there is none."""

    value: float
    low: float | None
    high: float | None
    n: int


def share(hits: int, of: int) -> Figure:
    """Return a proportion with Wilson's interval; NaN of nothing."""
    if of == 0:
        return Figure(float("nan"), None, None, 0)
    value, spread = hits / of, _Z**2 / of
    middle = (value + spread / 2) / (1 + spread)
    half = _Z * sqrt(value * (1 - value) / of + spread / (4 * of)) / (1 + spread)
    return Figure(value, max(0.0, middle - half), min(1.0, middle + half), of)


def mean(values: Sequence[float]) -> Figure:
    """Return a mean with the normal interval of its standard error; NaN of nothing."""
    if not values:
        return Figure(float("nan"), None, None, 0)
    data = np.asarray(values, dtype=np.float64)
    if len(data) == 1:
        return Figure(float(data[0]), None, None, 1)
    half = _Z * float(data.std(ddof=1)) / sqrt(len(data))
    middle = float(data.mean())
    return Figure(middle, middle - half, middle + half, len(data))


def quantile(values: Sequence[float], level: float) -> Figure:
    """Return a quantile with the distribution-free interval of two order statistics."""
    if not values:
        return Figure(float("nan"), None, None, 0)
    data = np.sort(np.asarray(values, dtype=np.float64))
    count = len(data)
    low = max(int(stats.binom.ppf(_OUTSIDE, count, level)) - 1, 0)
    high = min(int(stats.binom.ppf(1 - _OUTSIDE, count, level)), count - 1)
    return Figure(float(np.quantile(data, level)), float(data[low]), float(data[high]), count)


def mean_run_length(coils: float, alarms: int, runs: int) -> Figure:
    """Return coils per alarm of exponential run lengths, some of them cut off: total / alarms, exact interval.

    Epstein and Sobel (1953): 2 x total / ARL is chi-square with 2 x alarms degrees of freedom.

    Args:
        coils: Monitored coils of all runs together.
        alarms: Runs that ended with an alarm.
        runs: All runs.
    """
    if alarms == 0:
        return Figure(float("inf"), 2 * coils / float(stats.chi2.ppf(1 - _OUTSIDE, 2)), None, runs)
    low = 2 * coils / float(stats.chi2.ppf(1 - _OUTSIDE, 2 * alarms + 2))
    high = 2 * coils / float(stats.chi2.ppf(_OUTSIDE, 2 * alarms))
    return Figure(coils / alarms, low, high, runs)


def count_rate(events: int, exposure: float) -> Figure:
    """Return events per unit of exposure with Garwood's interval; n is the number of events."""
    low = float(stats.chi2.ppf(_OUTSIDE, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.ppf(1 - _OUTSIDE, 2 * events + 2)) / 2
    return Figure(events / exposure, low / exposure, high / exposure, events)


def calibration_error(probabilities: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over ten bins of equal width (Guo et al. 2017)."""
    said, was = np.asarray(probabilities), np.asarray(right, dtype=np.float64)
    if not len(said):
        return float("nan")
    bins = np.minimum((said * _BINS).astype(np.int64), _BINS - 1)
    error = sum(
        float(abs(said[bins == each].mean() - was[bins == each].mean())) * float((bins == each).mean())
        for each in np.unique(bins)
    )
    return float(error)
