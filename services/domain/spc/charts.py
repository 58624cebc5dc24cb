"""Attribute control charts with unequal samples: p, u, and Laney's p' and u'.

Limits are three standard errors around the centre. With large samples the plain limits are far too tight as
soon as coils differ a little from each other; Laney's charts widen them by sigma_z, the standard deviation of
the standardised points estimated from their moving ranges (Laney, Quality Engineering 14(4), 2002).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

WIDTH_SIGMA = 3.0
"""Half width of the limits, in standard errors."""

_MOVING_RANGE_OF_TWO = 1.128
"""d2 for ranges of two normal values: mean range over standard deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class ControlChart:
    """A chart ready to draw; all arrays have one entry per sample.

    Attributes:
        points: Defectives per piece (p) or defects per unit of exposure (u).
        centre: The centre line.
        lower: Lower limit of each point, never below 0.
        upper: Upper limit of each point; for proportions never above 1.
        sigma_z: Factor on the limits; 1.0 for the plain charts.
        signals: Indices of the points strictly outside their limits.
    """

    points: Floats
    centre: float
    lower: Floats
    upper: Floats
    sigma_z: float
    signals: npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class DispersionTest:
    """Whether samples vary more than chance alone: chi-square statistic, degrees of freedom, p-value."""

    statistic: float
    degrees_of_freedom: int
    p_value: float


def p_chart(defectives: npt.ArrayLike, sizes: npt.ArrayLike, centre: float | None = None) -> ControlChart:
    """Chart the proportion defective.

    Args:
        defectives: Defective pieces per sample, shape (n,).
        sizes: Pieces per sample, shape (n,).
        centre: Known in-control proportion; None: the pooled one.

    Raises:
        ValueError: Shapes differ, a size is not positive, or a count is outside 0..size.
    """
    return _chart(*_proportions(defectives, sizes), centre, _proportion_error, sigma_z=1.0)


def u_chart(counts: npt.ArrayLike, exposures: npt.ArrayLike, centre: float | None = None) -> ControlChart:
    """Chart defects per unit of exposure, frames or metres; as `p_chart`, but counts have no upper bound."""
    return _chart(*_samples(counts, exposures), centre, _rate_error, sigma_z=1.0)


def laney_p_chart(defectives: npt.ArrayLike, sizes: npt.ArrayLike, centre: float | None = None) -> ControlChart:
    """Chart the proportion defective with Laney's limits (p'); needs two samples or more, see `p_chart`."""
    return _chart(*_proportions(defectives, sizes), centre, _proportion_error, sigma_z=None)


def laney_u_chart(counts: npt.ArrayLike, exposures: npt.ArrayLike, centre: float | None = None) -> ControlChart:
    """Chart defects per unit of exposure with Laney's limits (u'); needs two samples or more, see `u_chart`."""
    return _chart(*_samples(counts, exposures), centre, _rate_error, sigma_z=None)


def moving_range_sigma(standardised: npt.ArrayLike) -> float:
    """Return Laney's sigma_z: the mean moving range of two neighbours over 1.128.

    The plain standard deviation would absorb the very shifts that a chart looks for.

    Raises:
        ValueError: Fewer than two points.
    """
    points = np.asarray(standardised, dtype=np.float64)
    if points.size <= 1:
        raise ValueError("sigma_z needs at least two samples")
    return float(np.abs(np.diff(points)).mean() / _MOVING_RANGE_OF_TWO)


def proportion_dispersion(defectives: npt.ArrayLike, sizes: npt.ArrayLike) -> DispersionTest:
    """Test whether proportions differ between samples more than binomial chance allows."""
    return _dispersion(*_proportions(defectives, sizes), _proportion_error)


def rate_dispersion(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> DispersionTest:
    """Test whether rates differ between samples more than Poisson chance allows."""
    return _dispersion(*_samples(counts, exposures), _rate_error)


def standardised_points(counts: npt.ArrayLike, exposures: npt.ArrayLike, *, proportions: bool) -> Floats:
    """Return z = (point - centre) / standard error of each sample, shape (n,), around the pooled centre.

    Args:
        counts: Defects or defective pieces per sample.
        exposures: Exposure or pieces per sample.
        proportions: True for binomial standard errors (p), False for Poisson ones (u).

    Raises:
        ValueError: As in `p_chart`; or all points are alike at a bound, so that no standard error exists.
    """
    samples = _proportions(counts, exposures) if proportions else _samples(counts, exposures)
    return _standardise(*samples, None, _proportion_error if proportions else _rate_error)


_StandardError = Callable[[float, Floats], Floats]


def _proportion_error(centre: float, sizes: Floats) -> Floats:
    return np.sqrt(centre * (1 - centre) / sizes)


def _rate_error(centre: float, exposures: Floats) -> Floats:
    return np.sqrt(centre / exposures)


def _samples(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> tuple[Floats, Floats]:
    found, looked_at = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
    if found.ndim != 1 or found.shape != looked_at.shape or found.size == 0:
        raise ValueError("a chart needs one count and one exposure per sample, and at least one sample")
    if not (looked_at > 0).all() or not (found >= 0).all():
        raise ValueError(
            "a chart needs exposures above 0 and counts of 0 or more; leave samples out that nobody saw"
        )
    return found, looked_at


def _proportions(defectives: npt.ArrayLike, sizes: npt.ArrayLike) -> tuple[Floats, Floats]:
    found, looked_at = _samples(defectives, sizes)
    if (found > looked_at).any():
        raise ValueError("a sample has more defective pieces than pieces")
    return found, looked_at


def _standardise(
    counts: Floats, exposures: Floats, centre: float | None, standard_error: _StandardError
) -> Floats:
    middle = float(counts.sum() / exposures.sum()) if centre is None else centre
    errors = standard_error(middle, exposures)
    if not (errors > 0).all():
        raise ValueError("all samples are alike at a bound, so they have no spread to measure")
    return np.asarray((counts / exposures - middle) / errors, dtype=np.float64)


def _chart(
    counts: Floats,
    exposures: Floats,
    centre: float | None,
    standard_error: _StandardError,
    *,
    sigma_z: float | None,
) -> ControlChart:
    middle = float(counts.sum() / exposures.sum()) if centre is None else centre
    if sigma_z is None:
        sigma_z = moving_range_sigma(_standardise(counts, exposures, middle, standard_error))
    half_width = WIDTH_SIGMA * sigma_z * standard_error(middle, exposures)
    highest = 1.0 if standard_error is _proportion_error else np.inf
    points = counts / exposures
    lower, upper = np.maximum(middle - half_width, 0.0), np.minimum(middle + half_width, highest)
    signals = np.flatnonzero((points < lower) | (points > upper))
    return ControlChart(points, middle, lower, upper, sigma_z, signals)


def _dispersion(counts: Floats, exposures: Floats, standard_error: _StandardError) -> DispersionTest:
    statistic = float((_standardise(counts, exposures, None, standard_error) ** 2).sum())
    freedom = counts.size - 1
    return DispersionTest(statistic, freedom, float(stats.chi2.sf(statistic, freedom)))
