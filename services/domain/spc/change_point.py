"""One change in the rate of Poisson counts with exposures: where it lies, how sure, and whether at all.

A split s means: observations 0..s-1 have the first rate, s..n-1 the second; s is the index of the onset.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Floats = npt.NDArray[np.float64]

_LIKELIHOOD_DROP = 3.84
"""Chi-square with one degree of freedom, 95 %: twice the drop in log likelihood inside the interval."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The most likely single change.

    Attributes:
        split: Index of the first observation after the change, 1..n-1.
        rate_before: Events per unit of exposure before it.
        rate_after: The same from the split on.
        statistic: Twice the log likelihood ratio against no change. Its null law is not chi-square, because the
            split was searched for.
        earliest: First split of the 95 % profile-likelihood interval.
        latest: Last one.
    """

    split: int
    rate_before: float
    rate_after: float
    statistic: float
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True, eq=False)
class ChangePosterior:
    """What a Bayesian believes about the split when every split is alike likely beforehand.

    Attributes:
        probabilities: Of the splits 1..n-1, given that there is a change; shape (n - 1,), entry i is split i + 1.
        log_bayes_factor: Natural log of the evidence for one change over none.
    """

    probabilities: Floats
    log_bayes_factor: float

    @property
    def mode(self) -> int:
        """The most probable split."""
        return int(self.probabilities.argmax()) + 1

    @property
    def mean(self) -> float:
        """Posterior mean of the split."""
        return float(self.probabilities @ np.arange(1, self.probabilities.size + 1))

    def interval(self, level: float = 0.95) -> tuple[int, int]:
        """Return the shortest run of splits that holds at least this probability, first and last included."""
        reached = np.concatenate(([0.0], np.cumsum(self.probabilities)))
        ends = np.searchsorted(reached, reached[:-1] + level - 1e-12)
        lengths = np.where(ends < reached.size, ends - np.arange(ends.size), reached.size)
        first = int(lengths.argmin())
        return first + 1, first + int(min(lengths[first], self.probabilities.size - first))


def poisson_change_point(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> ChangePoint:
    """Find the split of largest likelihood.

    Args:
        counts: Events per observation, shape (n,), n >= 2, in time order.
        exposures: Frames or metres per observation, above 0, shape (n,).

    Raises:
        ValueError: Shapes differ, fewer than two observations, or something is out of range.
    """
    found, looked_at = _checked(counts, exposures)
    before, after = _sides(found), _sides(looked_at)
    gain = _peak(before[0], after[0]) + _peak(before[1], after[1])
    gain = gain - _peak(found.sum(keepdims=True), looked_at.sum(keepdims=True))
    best = int(gain.argmax())
    inside = np.flatnonzero(2 * (gain[best] - gain) <= _LIKELIHOOD_DROP)
    return ChangePoint(
        split=best + 1,
        rate_before=float(before[0][best] / after[0][best]),
        rate_after=float(before[1][best] / after[1][best]),
        statistic=float(2 * gain[best]),
        earliest=int(inside[0]) + 1,
        latest=int(inside[-1]) + 1,
    )


def poisson_change_posterior(
    counts: npt.ArrayLike, exposures: npt.ArrayLike, prior_shape: float = 1.0, prior_rate: float = 1.0
) -> ChangePosterior:
    """Return the posterior over the split with one Gamma prior for the rate before, after, and without change.

    Args:
        counts: As in `poisson_change_point`.
        exposures: As in `poisson_change_point`.
        prior_shape: Shape of the Gamma prior of a rate.
        prior_rate: Rate parameter of it, in units of exposure; shape / rate is the prior mean.

    Raises:
        ValueError: As in `poisson_change_point`, or a prior parameter is not positive.
    """
    found, looked_at = _checked(counts, exposures)
    if prior_shape <= 0 or prior_rate <= 0:
        raise ValueError("a Gamma prior needs a shape and a rate above 0")
    before, after = _sides(found), _sides(looked_at)
    changed = sum(
        (_evidence(n, e, prior_shape, prior_rate) for n, e in zip(before, after, strict=True)),
        start=np.zeros(found.size - 1),
    )
    unchanged = _evidence(found.sum(keepdims=True), looked_at.sum(keepdims=True), prior_shape, prior_rate)[0]
    total = float(special.logsumexp(changed))
    return ChangePosterior(np.exp(changed - total), total - float(np.log(changed.size)) - float(unchanged))


def change_p_value(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> float:
    """Bound the p-value of the best split by Bonferroni over the n - 1 splits; safe, and enough for a report."""
    change = poisson_change_point(counts, exposures)
    splits = np.asarray(counts).size - 1
    return float(min(1.0, splits * stats.chi2.sf(change.statistic, 1)))


def _checked(counts: npt.ArrayLike, exposures: npt.ArrayLike) -> tuple[Floats, Floats]:
    found, looked_at = np.asarray(counts, dtype=np.float64), np.asarray(exposures, dtype=np.float64)
    if found.ndim != 1 or found.shape != looked_at.shape or found.size <= 1:
        raise ValueError("a change point needs two observations or more, each with a count and an exposure")
    if not (looked_at > 0).all() or not (found >= 0).all():
        raise ValueError("a change point needs exposures above 0 and counts of 0 or more")
    return found, looked_at


def _sides(values: Floats) -> tuple[Floats, Floats]:
    """Sums before and from each split 1..n-1 on."""
    before = np.cumsum(values)[:-1]
    return before, values.sum() - before


def _peak(counts: Floats, exposures: Floats) -> Floats:
    """Largest log likelihood of a rate, up to terms that do not depend on the split."""
    return np.asarray(special.xlogy(counts, counts / exposures), dtype=np.float64)


def _evidence(counts: Floats, exposures: Floats, shape: float, rate: float) -> Floats:
    """Log probability of counts under a Gamma prior, up to terms that do not depend on the split."""
    prior = shape * np.log(rate) - special.gammaln(shape)
    posterior = special.gammaln(shape + counts) - (shape + counts) * np.log(rate + exposures)
    return np.asarray(prior + posterior, dtype=np.float64)
