"""Limits for a wanted ARL0: how far to the alarm, when false alarms may come once per so many observations."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize

from services.domain.spc.lattice_run_length import (
    bernoulli_cusum_arl,
    compound_poisson_increments,
    lattice_cusum_arl,
    poisson_cusum_arl,
)
from services.domain.spc.run_length import ewma_arl, one_sided_cusum_arl, two_sided_cusum_arl

_TOLERANCE = 1e-6
_WIDENINGS = 40


def limit_for_arl0(arl0_at: Callable[[float], float], arl0: float, start: float) -> float:
    """Return the limit at which an increasing ARL0 reaches the wanted one, by bracketing and Brent's method.

    Args:
        arl0_at: In-control ARL of a limit; increasing.
        arl0: The wanted mean number of observations between false alarms, above 1.
        start: A limit above 0 to start from.

    Raises:
        ValueError: `arl0` or `start` is out of range, or no limit within 2**40 times the start reaches it.
    """
    if arl0 <= 1 or start <= 0:
        raise ValueError("a limit needs an ARL0 above 1 and a start above 0")

    def excess(limit: float) -> float:
        return float(np.log(arl0_at(limit)) - np.log(arl0))

    low = high = start
    if excess(start) < 0:
        high = _widened(lambda limit: excess(limit) >= 0, start, 1.3)
        low = high / 1.3
    else:
        low = _widened(lambda limit: excess(limit) <= 0, start, 1 / 1.3)
        high = low * 1.3
    return float(optimize.brentq(excess, low, high, xtol=_TOLERANCE))


def one_sided_cusum_limit(reference: float, arl0: float) -> float:
    """Return h of the one-sided CUSUM of normal values with reference k for an ARL0."""
    return limit_for_arl0(lambda limit: one_sided_cusum_arl(reference, limit), arl0, start=3.0)


def two_sided_cusum_limit(reference: float, arl0: float) -> float:
    """Return h of the two-sided CUSUM of normal values with reference k for an ARL0."""
    return limit_for_arl0(lambda limit: two_sided_cusum_arl(reference, limit), arl0, start=3.0)


def ewma_width(smoothing: float, arl0: float) -> float:
    """Return c, the fixed limits of a two-sided EWMA in standard deviations of its statistic, for an ARL0."""
    return limit_for_arl0(lambda width: ewma_arl(smoothing, width), arl0, start=2.5)


def poisson_cusum_limit(reference: float, mean: float, arl0: float, step: float) -> float:
    """Return the smallest multiple h of `step` whose exact ARL0 at this mean count is at least the wanted one.

    Args:
        reference: k, a multiple of `step`.
        mean: In-control mean count per observation.
        arl0: Wanted observations between false alarms.
        step: Lattice of the chain, for instance 0.1.

    Raises:
        ValueError: As in `poisson_cusum_arl`, or no lattice limit reaches the ARL0.
    """
    return step * _smallest(lambda steps: poisson_cusum_arl(reference, steps * step, mean) >= arl0)


def bernoulli_cusum_limit(gamma_steps: int, probability: float, arl0: float) -> int:
    """Return the smallest H in steps of the Bernoulli CUSUM whose ARL0, in frames, is at least the wanted one."""
    return _smallest(lambda steps: bernoulli_cusum_arl(gamma_steps, steps, probability) >= arl0)


def compound_cusum_limit(
    jump_values: npt.ArrayLike, jump_rates: npt.ArrayLike, drift: float, arl0: float, step: float
) -> float:
    """Return h, in the unit of the jumps, for a CUSUM of compound Poisson increments.

    Arguments as in `compound_poisson_increments`; the tail that is cut off is a thousandth of 1 / `arl0`.
    """
    values, chances = compound_poisson_increments(jump_values, jump_rates, drift, step, tail=1e-3 / arl0)
    return limit_for_arl0(lambda limit: lattice_cusum_arl(values, chances, limit, step), arl0, start=4.0)


def _widened(reached: Callable[[float], bool], start: float, factor: float) -> float:
    limit = start
    for _ in range(_WIDENINGS):
        limit *= factor
        if reached(limit):
            return limit
    raise ValueError("no limit gives the wanted ARL0")


def _smallest(enough: Callable[[int], bool]) -> int:
    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
