"""CUSUM paths of one stream: S_t = max(0, S_{t-1} + x_t), alarm when S_t >= h.

The increment x_t is the log likelihood ratio of "changed" against "as before", in nats, and may use another
exposure at every step (Page 1954; Lucas 1985 for counts).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CusumPath:
    """The statistic of one stream from its last reset on.

    Attributes:
        statistic: S_t after each observation, shape (n,); it is not reset at the alarm, that is the caller's act.
        alarm: Index of the first observation with S_t >= limit; None: no alarm.
        onset: Index of the first observation after the last zero before the alarm (or before the end): the
            classical estimate of when the change began. Equals n when the path ends at zero.
    """

    statistic: Floats
    alarm: int | None
    onset: int


def poisson_increments(
    counts: npt.ArrayLike, exposures: npt.ArrayLike, baseline_rate: float, ratio: float
) -> Floats:
    """Return y ln(R) - (R - 1) mu_t of each count, in nats, with mu_t = baseline_rate * exposure.

    Args:
        counts: Defects, shape (n,).
        exposures: Frames or metres looked at, 0 or more, shape (n,); an observation without exposure is neutral.
        baseline_rate: Defects per unit of exposure before the change, above 0.
        ratio: R, the rate after the change over the rate before; above 0 and not 1.

    Raises:
        ValueError: Shapes differ or an argument is out of range.
    """
    found, looked_at = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
    if found.shape != looked_at.shape or not (looked_at >= 0).all():
        raise ValueError("a CUSUM needs one exposure of 0 or more for every count")
    if baseline_rate <= 0 or ratio <= 0 or ratio == 1:
        raise ValueError("a CUSUM needs a baseline rate above 0 and a rate ratio above 0 that is not 1")
    return np.asarray(found * np.log(ratio) - (ratio - 1) * baseline_rate * looked_at, dtype=np.float64)


def bernoulli_increments(successes: npt.ArrayLike, trials: npt.ArrayLike, before: float, after: float) -> Floats:
    """Return the log likelihood ratio of `successes` in `trials`, in nats, shape (n,).

    Args:
        successes: Defective frames; 0 or 1 each for a Bernoulli CUSUM.
        trials: Frames looked at; 1 each for a Bernoulli CUSUM.
        before: Probability of a defective frame before the change, in (0, 1).
        after: The same after the change, in (0, 1).

    Raises:
        ValueError: Shapes differ, more successes than trials, or a probability outside (0, 1).
    """
    hits, looked_at = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    if hits.shape != looked_at.shape or not ((hits >= 0) & (hits <= looked_at)).all():
        raise ValueError("a Bernoulli CUSUM needs 0 <= successes <= trials for every observation")
    if not (0 < before < 1 and 0 < after < 1):
        raise ValueError("a Bernoulli CUSUM needs probabilities between 0 and 1")
    miss = np.log((1 - after) / (1 - before))
    return np.asarray(hits * np.log(after / before) + (looked_at - hits) * miss, dtype=np.float64)


def normal_increments(standardised: npt.ArrayLike, reference: float) -> Floats:
    """Return x - k: the classical upward CUSUM of values of unit variance; negate the values to look down."""
    return np.asarray(standardised, dtype=np.float64) - reference


def cusum_path(increments: npt.ArrayLike, limit: float, head_start: float = 0.0) -> CusumPath:
    """Run the recursion over increments, shape (n,).

    Args:
        increments: One log likelihood ratio (or x - k) per observation.
        limit: h; alarm at S_t >= h.
        head_start: S_0, between 0 and h; h/2 is the usual fast initial response.

    Raises:
        ValueError: `limit` is not positive or the head start is not in [0, limit).
    """
    if limit <= 0 or not 0 <= head_start < limit:
        raise ValueError("a CUSUM needs a limit above 0 and a head start from 0 to below the limit")
    total = np.cumsum(np.asarray(increments, dtype=np.float64))
    statistic = total - np.minimum(np.minimum.accumulate(total), -head_start)
    alarms = np.flatnonzero(statistic >= limit)
    alarm = int(alarms[0]) if alarms.size else None
    before = statistic if alarm is None else statistic[:alarm]
    zeros = np.flatnonzero(before <= 0)
    return CusumPath(statistic, alarm, int(zeros[-1]) + 1 if zeros.size else 0)
