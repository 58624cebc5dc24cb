"""Trends of defect rates and failures, and how many coils remain until a rate reaches its limit.

"Projected coils to limit" is an extrapolation of a trend, not a remaining useful life: nobody has seen these
machines run to failure.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

_SLOPE_BOUND_Z = 1.6448536269514722
"""Normal quantile of the lower end of a two-sided 90 % interval."""
_P10_Z = -1.2815515655446004
_P90_Z = 1.2815515655446004
_LONGEST_PROJECTION = 3.0
"""Projections end at this multiple of the observed span."""
_MOST_ROUNDS = 100
_SETTLED = 1e-10
_FEWEST_POINTS = 3


@dataclass(frozen=True, slots=True)
class RateTrend:
    """ln(rate) = intercept + slope * time, with the covariance of both, inflated for overdispersion.

    Attributes:
        intercept: ln of the rate per unit of exposure at time 0.
        slope: Change of ln(rate) per unit of time (coils, kilometres).
        intercept_variance: Variance of the intercept.
        slope_variance: Variance of the slope.
        covariance: Of intercept and slope.
        dispersion: Pearson's chi-square over its degrees of freedom, 1 or more; factor on all variances.
        first_time: Time of the first observation.
        last_time: Time of the last one.
    """

    intercept: float
    slope: float
    intercept_variance: float
    slope_variance: float
    covariance: float
    dispersion: float
    first_time: float
    last_time: float

    @property
    def slope_lower_bound(self) -> float:
        """Lower end of the 90 % interval of the slope."""
        return float(self.slope - _SLOPE_BOUND_Z * np.sqrt(self.slope_variance))

    def rate_at(self, time: float) -> float:
        """Return the fitted rate per unit of exposure."""
        return float(np.exp(self.intercept + self.slope * time))


@dataclass(frozen=True, slots=True)
class Projection:
    """Time from the last observation until the fitted rate reaches the limit: 10 %, 50 % and 90 % quantiles.

    Each is between 0 (already there) and three times the observed span.
    """

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True)
class PowerLawProcess:
    """Failures of a repairable machine, intensity (beta / theta) (t / theta)**(beta - 1) (Crow-AMSAA).

    Attributes:
        shape: Maximum-likelihood beta; above 1 the machine gets worse.
        unbiased_shape: The same, corrected for bias.
        instantaneous_mtbf_h: T / (n * unbiased beta), time between failures as it is at the end.
        statistic: 2 sum ln(T / t_i), chi-square with 2 n degrees of freedom without trend (MIL-HDBK-189).
        p_improving: Probability of a statistic at least as large without trend.
        p_deteriorating: Probability of one at most as large.
    """

    shape: float
    unbiased_shape: float
    instantaneous_mtbf_h: float
    statistic: float
    p_improving: float
    p_deteriorating: float


def fit_rate_trend(
    counts: npt.ArrayLike, times: npt.ArrayLike, exposures: npt.ArrayLike, shape: float | None = None
) -> RateTrend | None:
    """Fit a log-linear trend by iteratively reweighted least squares; None when no finite fit exists.

    No fit exists when all events fall on one end so that the slope runs away, or when there are none.

    Args:
        counts: Events, shape (n,), n >= 3.
        times: Coil numbers, kilometres or the like, not all equal, shape (n,). Give the data after the last
            change point or maintenance only.
        exposures: Frames or metres, above 0, shape (n,).
        shape: k of a negative binomial, variance mean + mean**2 / k; None: Poisson.

    Raises:
        ValueError: Shapes differ, fewer than three points, or something is out of range.
    """
    found, when, looked_at = (np.asarray(each, dtype=np.float64) for each in (counts, times, exposures))
    _check_trend(found, when, looked_at, shape)
    centre, scale = float(when.mean()), float(when.std())
    design = np.column_stack((np.ones(when.size), (when - centre) / scale))
    if found.sum() == 0:
        return None
    solved = _newton(found, design, np.log(looked_at), shape)
    if solved is None:
        return None
    beta, information, dispersion = solved
    back = np.array([[1.0, -centre / scale], [0.0, 1 / scale]])
    values, spread = back @ beta, dispersion * back @ np.linalg.inv(information) @ back.T
    return RateTrend(
        intercept=float(values[0]),
        slope=float(values[1]),
        intercept_variance=float(spread[0, 0]),
        slope_variance=float(spread[1, 1]),
        covariance=float(spread[0, 1]),
        dispersion=dispersion,
        first_time=float(when.min()),
        last_time=float(when.max()),
    )


def project_coils_to_limit(trend: RateTrend, limit_rate: float) -> Projection | None:
    """Project when the rate reaches a limit; None when there is no trend upwards.

    There is none when the lower end of the 90 % interval of the slope is 0 or less. Quantiles are those times at
    which the fitted ln(rate) exceeds the limit with 10, 50 and 90 % (Fieller), since the ratio that gives the time
    is far from normal.

    Args:
        trend: A fit of `fit_rate_trend`, in coils.
        limit_rate: Events per unit of exposure that must not be reached, above 0.

    Raises:
        ValueError: `limit_rate` is not positive.
    """
    if limit_rate <= 0:
        raise ValueError("a projection needs a limit above 0")
    if trend.slope_lower_bound <= 0:
        return None
    longest = _LONGEST_PROJECTION * (trend.last_time - trend.first_time)
    quantiles = (_crossing(trend, np.log(limit_rate), z) - trend.last_time for z in (_P10_Z, 0.0, _P90_Z))
    p10, p50, p90 = (float(np.clip(each, 0.0, longest)) for each in quantiles)
    return Projection(p10, p50, p90)


def laplace_trend(event_times: npt.ArrayLike, end: float) -> float:
    """Return Laplace's U of events in (0, end]: above 1.645 the machine gets worse (5 %, one-sided).

    Raises:
        ValueError: No event, or one outside (0, end].
    """
    times = _checked_events(event_times, end)
    return float((times.mean() / end - 0.5) * np.sqrt(12 * times.size))


def power_law(event_times: npt.ArrayLike, end: float) -> PowerLawProcess:
    """Fit a power-law process to failures in (0, end], observed until `end` (time truncated).

    Raises:
        ValueError: Fewer than two events, one outside (0, end], or all at `end`.
    """
    times = _checked_events(event_times, end)
    total = float(np.log(end / times).sum())
    if times.size == 1 or total <= 0:
        raise ValueError("a power law needs two events or more, not all at the end")
    number, unbiased = times.size, (times.size - 1) / total
    chi_square = stats.chi2(2 * number)
    return PowerLawProcess(
        shape=number / total,
        unbiased_shape=unbiased,
        instantaneous_mtbf_h=end / (number * unbiased),
        statistic=2 * total,
        p_improving=float(chi_square.sf(2 * total)),
        p_deteriorating=float(chi_square.cdf(2 * total)),
    )


def _checked_events(event_times: npt.ArrayLike, end: float) -> Floats:
    times = np.asarray(event_times, dtype=np.float64)
    if times.ndim != 1 or times.size == 0 or not ((times > 0) & (times <= end)).all():
        raise ValueError("a trend of events needs at least one, all after 0 and up to the end")
    return times


def _check_trend(counts: Floats, times: Floats, exposures: Floats, shape: float | None) -> None:
    if counts.ndim != 1 or not counts.shape == times.shape == exposures.shape or counts.size < _FEWEST_POINTS:
        raise ValueError("a trend needs three points or more, each with a count, a time and an exposure")
    if not (exposures > 0).all() or not (counts >= 0).all() or np.ptp(times) == 0:
        raise ValueError("a trend needs exposures above 0, counts of 0 or more, and times that differ")
    if shape is not None and shape <= 0:
        raise ValueError("a negative binomial needs a shape above 0")


def _newton(
    counts: Floats, design: Floats, offset: Floats, shape: float | None
) -> tuple[Floats, Floats, float] | None:
    """Fisher scoring; coefficients, information and dispersion, or None when it runs away."""
    beta = np.array([np.log(counts.sum() / np.exp(offset).sum()), 0.0])
    for _ in range(_MOST_ROUNDS):
        mean = np.exp(np.clip(design @ beta + offset, -700, 700))
        damping = 1 + mean / shape if shape is not None else np.ones_like(mean)
        information = design.T @ (design * (mean / damping)[:, np.newaxis])
        if not np.linalg.cond(information) < 1 / _SETTLED:
            return None
        move = np.linalg.solve(information, design.T @ ((counts - mean) / damping))
        beta = beta + np.clip(move, -3, 3)
        if np.abs(move).max() < _SETTLED:
            pearson = float(((counts - mean) ** 2 / (mean * damping)).sum())
            return beta, np.asarray(information, dtype=np.float64), max(1.0, pearson / (counts.size - 2))
    return None


def _crossing(trend: RateTrend, log_limit: float, z: float) -> float:
    """Time t with (intercept + slope t - log_limit) = z * its standard error; the slope is clearly positive."""
    gap = trend.intercept - log_limit
    square = trend.slope**2 - z**2 * trend.slope_variance
    linear = trend.slope * gap - z**2 * trend.covariance
    constant = gap**2 - z**2 * trend.intercept_variance
    root = np.sqrt(max(linear**2 - square * constant, 0.0))
    return float((-linear + np.sign(z) * root) / square)
