"""What samples say and how sure they are: percentiles, paired ratios, slopes, each with a 95 % interval.

Pure: values in, values out; randomness arrives as a generator.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

_T_975: Final = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
)  # fmt: skip
"""97.5 % points of Student's t for 1 to 20 degrees of freedom (any statistics textbook's table)."""
_NORMAL_975: Final = 1.960
_FEWEST_FOR_INTERVAL: Final = 3
_BLOCKS_OF_A_SLOPE: Final = 10


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its 95 % interval (None where too few samples were taken), and the number of samples."""

    value: float
    interval: Interval | None
    n: int


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles in milliseconds over `n` frames; the interval is that of the 99th."""

    n: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p99_interval: Interval


def mean_of(values: Sequence[float]) -> Estimate:
    """Return the mean with Student's interval; of fewer than three values none is worth telling.

    Raises:
        ValueError: No values.
    """
    samples = np.asarray(values, dtype=np.float64)
    if samples.size == 0:
        raise ValueError("a mean needs at least one value")
    mean = float(samples.mean())
    if samples.size < _FEWEST_FOR_INTERVAL:
        return Estimate(mean, None, int(samples.size))
    half = _t_975(samples.size - 1) * float(samples.std(ddof=1)) / math.sqrt(samples.size)
    return Estimate(mean, Interval(mean - half, mean + half), int(samples.size))


def ratio_of_pairs(numerators: Sequence[float], denominators: Sequence[float]) -> Estimate:
    """Return the geometric mean of the ratios of measurements taken side by side.

    Each pair was measured in the same round, so what the machine does in that round falls out of the ratio.

    Raises:
        ValueError: The sequences differ in length or are empty, or a value is not positive.
    """
    if len(numerators) != len(denominators) or min((*numerators, *denominators), default=0.0) <= 0:
        raise ValueError("paired ratios need as many positive numerators as denominators")
    logs = mean_of([math.log(top / bottom) for top, bottom in zip(numerators, denominators, strict=True)])
    interval = logs.interval
    if interval is not None:
        interval = Interval(math.exp(interval.low), math.exp(interval.high))
    return Estimate(math.exp(logs.value), interval, logs.n)


def summarise_latency(
    latencies_ms: Samples, rng: np.random.Generator, *, block: int = 50, resamples: int = 1000
) -> LatencySummary:
    """Return percentiles of latencies given in order of arrival.

    Neighbours wait in the same queue, hence the interval comes from a moving-block bootstrap: whole stretches of
    `block` neighbours are drawn with replacement, which keeps their dependence.

    Raises:
        ValueError: No latencies.
    """
    n = latencies_ms.size
    if n == 0:
        raise ValueError("percentiles need at least one latency")
    length = max(1, min(block, n // 4))
    starts = rng.integers(0, n - length + 1, size=(resamples, -(-n // length)))
    within = np.arange(length)
    p99 = [
        np.percentile(latencies_ms[(drawn[:, None] + within).ravel()[:n]], 99, overwrite_input=True)
        for drawn in starts
    ]
    low, high = np.percentile(p99, [2.5, 97.5])
    p50, p95, top = (float(value) for value in np.percentile(latencies_ms, [50, 95, 99]))
    return LatencySummary(n, p50, p95, top, Interval(float(low), float(high)))


def slope_of(times_s: Sequence[float], values: Sequence[float]) -> Estimate:
    """Return the slope per second of a line through the values.

    The samples depend on their neighbours, so the line goes through the means of ten consecutive blocks and the
    interval has the degrees of freedom of those.

    Raises:
        ValueError: Fewer than two samples for each block, or lengths that differ.
    """
    if len(times_s) != len(values) or len(values) < 2 * _BLOCKS_OF_A_SLOPE:
        raise ValueError(f"a slope needs at least {2 * _BLOCKS_OF_A_SLOPE} samples")
    times = np.array([part.mean() for part in np.array_split(np.asarray(times_s), _BLOCKS_OF_A_SLOPE)])
    means = np.array([part.mean() for part in np.array_split(np.asarray(values), _BLOCKS_OF_A_SLOPE)])
    centred = times - times.mean()
    spread = float(centred @ centred)
    slope = float(centred @ means) / spread
    residuals = means - means.mean() - slope * centred
    freedom = _BLOCKS_OF_A_SLOPE - 2
    half = _t_975(freedom) * math.sqrt(float(residuals @ residuals) / freedom / spread)
    return Estimate(slope, Interval(slope - half, slope + half), len(values))


def _t_975(freedom: int) -> float:
    return _T_975[freedom - 1] if freedom <= len(_T_975) else _NORMAL_975 + 2.5 / freedom
