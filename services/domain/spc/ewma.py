"""EWMA of rates with unequal exposure: for slow drift, where a CUSUM tuned to a jump is late.

Each sample is standardised against the baseline before it is smoothed, so a short coil weighs no more than
its own evidence. z_t = (1 - lambda) z_{t-1} + lambda x_t, z_0 = 0 (Roberts 1959; Lucas and Saccucci 1990).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import signal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EwmaPath:
    """The smoothed statistic in units of one standardised sample, shape (n,), and its symmetric limits.

    Attributes:
        statistic: z_t after each sample.
        fixed_limit: The limit a long run converges to; what tables of run lengths assume.
        varying_limits: The tighter limits of the first samples, shape (n,).
        signals: Indices where |z_t| exceeds the fixed limit.
        early_signals: Indices where |z_t| exceeds the time-varying limit.
    """

    statistic: Floats
    fixed_limit: float
    varying_limits: Floats
    signals: npt.NDArray[np.intp]
    early_signals: npt.NDArray[np.intp]


def ewma_limit(smoothing: float, width: float) -> float:
    """Return width * sqrt(lambda / (2 - lambda)), the fixed limit for samples of unit variance.

    Raises:
        ValueError: `smoothing` is outside (0, 1] or `width` is not positive.
    """
    if not 0 < smoothing <= 1 or width <= 0:
        raise ValueError("an EWMA needs a smoothing in (0, 1] and a width above 0")
    return float(width * np.sqrt(smoothing / (2 - smoothing)))


def standardised_rates(
    counts: npt.ArrayLike, exposures: npt.ArrayLike, baseline_rate: float, dispersion: float = 1.0
) -> Floats:
    """Return (count - expected) / sqrt(dispersion * expected) of each sample, shape (n,).

    Args:
        counts: Defects per sample.
        exposures: Frames or metres per sample, above 0.
        baseline_rate: Defects per unit of exposure when nothing is wrong, above 0.
        dispersion: Variance over mean of in-control counts; 1 for Poisson.

    Raises:
        ValueError: Shapes differ, or something is not positive that must be.
    """
    found, looked_at = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
    if found.shape != looked_at.shape or found.ndim != 1:
        raise ValueError("an EWMA needs one count and one exposure per sample")
    if not (looked_at > 0).all() or baseline_rate <= 0 or dispersion <= 0:
        raise ValueError("an EWMA needs exposures, a baseline rate and a dispersion above 0")
    expected = baseline_rate * looked_at
    return np.asarray((found - expected) / np.sqrt(dispersion * expected), dtype=np.float64)


def ewma_path(standardised: npt.ArrayLike, smoothing: float, width: float) -> EwmaPath:
    """Smooth standardised samples and hold them against both kinds of limits.

    Args:
        standardised: Samples of mean 0 and variance 1 when nothing is wrong, shape (n,).
        smoothing: lambda, the weight of the newest sample; .05 to .1 for drift.
        width: Limits in standard deviations of the statistic, see `run_length.ewma_width`.

    Raises:
        ValueError: As in `ewma_limit`.
    """
    fixed = ewma_limit(smoothing, width)
    samples = np.asarray(standardised, dtype=np.float64)
    statistic = np.asarray(signal.lfilter([smoothing], [1.0, smoothing - 1.0], samples), dtype=np.float64)
    age = np.arange(1, samples.size + 1)
    varying = fixed * np.sqrt(1 - (1 - smoothing) ** (2 * age))
    size = np.abs(statistic)
    return EwmaPath(statistic, fixed, varying, np.flatnonzero(size > fixed), np.flatnonzero(size > varying))
