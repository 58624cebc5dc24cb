"""The threshold of all charts, from the promised number of coils between two false alarms of the whole line."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from services.domain.monitoring.frame import DESIGN_RATIO
from services.domain.spc.lattice_run_length import compound_poisson_increments, lattice_cusum_arl

Floats = npt.NDArray[np.float64]

_LOWEST, _HIGHEST = 1.0, 24.0
_STEP: Final = 0.05
_LEAST_MEAN: Final = 1e-3
_MOST_MEAN: Final = 60.0
_STEPS_PER_E: Final = 3.0
"""Streams whose expected counts differ by less than a factor e^(1/3) share a run length."""


def chart_limit(expected: Floats, cameras: int, arl0_coils: float) -> float:
    """Return the threshold in nats at which the line raises one false alarm in `arl0_coils` coils on average.

    Run lengths of CUSUMs in control are close to exponential, so the rates of false alarms add up: the limit
    solves sum over streams of 1 / ARL(limit) = 1 / arl0_coils. Each ARL is that of a Poisson CUSUM on the
    log-likelihood ratio, by a Markov chain.

    Args:
        expected: (S,) expected number of registered defects of each stream per coil.
        cameras: Number of camera charts in the budget; each counts as an average stream.
        arl0_coils: The promise.
    """
    means = np.clip(expected, _LEAST_MEAN, _MOST_MEAN)
    grid, counts = np.unique(np.round(_STEPS_PER_E * np.log(means)), return_counts=True)
    share = 1 + cameras / max(len(means), 1)

    def excess(limit: float) -> float:
        rates = [
            count / poisson_chart_arl(float(np.exp(place / _STEPS_PER_E)), limit)
            for place, count in zip(grid, counts, strict=True)
        ]
        return float(np.log(share * sum(rates) * arl0_coils))

    if excess(_HIGHEST) > 0:
        return _HIGHEST
    return _LOWEST if excess(_LOWEST) < 0 else float(brentq(excess, _LOWEST, _HIGHEST, xtol=0.01))


def poisson_chart_arl(mean: float, limit: float) -> float:
    """Return the mean number of coils until a Poisson log-likelihood CUSUM alarms although nothing changed.

    Args:
        mean: Expected defects per coil in control.
        limit: Threshold, nats.
    """
    values, chances = compound_poisson_increments(
        np.array([np.log(DESIGN_RATIO)]), np.array([mean]), (DESIGN_RATIO - 1) * mean, _STEP, 1e-12
    )
    return lattice_cusum_arl(values, chances, limit, _STEP)
