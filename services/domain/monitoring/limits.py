"""The threshold of all charts, from the promised number of coils between two false alarms of the whole line."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from services.domain.monitoring.frame import CAMERA_RATIO, DESIGN_RATIO, STEEP_RATIO
from services.domain.spc.lattice_run_length import compound_poisson_increments, lattice_cusum_arl

Floats = npt.NDArray[np.float64]

_LOWEST, _FIRST, _HIGHEST = 1.0, 6.0, 24.0
_STEP: Final = 0.05
_NEVER: Final = 1e-30
_LEAST_MEAN: Final = 1e-3
_MOST_MEAN: Final = 60.0
_STEPS_PER_E: Final = 8.0


def chart_limit(expected: Floats, false_calls: Floats, arl0_coils: float) -> float:
    """Return the threshold in nats at which the line raises one false alarm in `arl0_coils` coils on average.

    Run lengths of CUSUMs in control are close to exponential, so the rates of false alarms add up: the limit
    solves sum over streams of 1 / ARL(limit) = 1 / arl0_coils. Each ARL is that of a Poisson CUSUM on the
    log-likelihood ratio, by a Markov chain.

    Args:
        expected: (S,) expected number of defects of each stream per coil that are attributed without doubt;
            doubtful ones move a chart by next to nothing.
        false_calls: (J,) expected number of false calls of each camera per coil.
        arl0_coils: The promise.
    """
    charts = [(*each, DESIGN_RATIO) for each in _pooled(expected)]
    charts += [(*each, STEEP_RATIO) for each in _pooled(expected)]
    charts += [(*each, CAMERA_RATIO) for each in _pooled(false_calls)]

    def excess(limit: float) -> float:
        rates = [count / poisson_chart_arl(mean, ratio, limit) for mean, count, ratio in charts]
        return float(np.log(max(sum(rates) * arl0_coils, _NEVER)))

    low, high = _LOWEST, _FIRST
    if excess(low) < 0:
        return low
    while excess(high) > 0:
        if high >= _HIGHEST:
            return _HIGHEST
        low, high = high, min(1.5 * high, _HIGHEST)
    return float(brentq(excess, low, high, xtol=0.01))


def _pooled(means: Floats) -> list[tuple[float, int]]:
    """Return mean and number of charts whose means differ by less than e^(1/8): they share a run length."""
    clipped = np.clip(means, _LEAST_MEAN, _MOST_MEAN)
    _, place, counts = np.unique(np.round(_STEPS_PER_E * np.log(clipped)), return_inverse=True, return_counts=True)
    sums = np.bincount(place.ravel(), weights=clipped.ravel())
    return [(float(total / count), int(count)) for total, count in zip(sums, counts, strict=True)]


def poisson_chart_arl(mean: float, ratio: float, limit: float) -> float:
    """Return the mean number of coils until a Poisson log-likelihood CUSUM alarms although nothing changed.

    Infinite when no coil in 10^12 would let the chart rise at all.

    Args:
        mean: Expected events per coil in control.
        ratio: The rate ratio that the chart is tuned to.
        limit: Threshold, nats.
    """
    values, chances = compound_poisson_increments(
        np.array([np.log(ratio)]), np.array([mean]), (ratio - 1) * mean, _STEP, 1e-12
    )
    if not (values[chances > 0] > 0).any():
        return float("inf")
    return lattice_cusum_arl(values, chances, limit, _STEP)
