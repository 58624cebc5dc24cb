"""Average run lengths of detectors on normal data: CUSUM, EWMA and Shewhart.

A run length counts observations until the alarm, the alarming one included. ARL0 is its mean when nothing is
wrong; the zero-state ARL1 its mean when the change is there from the first observation on.

The integral equations are solved by Nystrom's method on Gauss-Legendre nodes (Brook and Evans 1972; Crowder
1987; Vance 1986 for the equations). Values have unit variance and mean `shift`.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

_NODES_PER_SIGMA = 8
_FEWEST_NODES = 48
_RESTARTS_UNTIL_STEADY = 100_000
_STEADY_TOLERANCE = 1e-12
_NO_DRIFT = 1e-6


def one_sided_cusum_arl(reference: float, limit: float, shift: float = 0.0, head_start: float = 0.0) -> float:
    """Return the ARL of S = max(0, S + x - k) with alarm at S >= h for normal x of mean `shift`.

    Args:
        reference: k, in standard deviations.
        limit: h, above 0.
        shift: Mean of the values.
        head_start: S_0, from 0 to below the limit.

    Raises:
        ValueError: `limit` is not positive or the head start is not in [0, limit).
    """
    if limit <= 0 or not 0 <= head_start < limit:
        raise ValueError("a CUSUM needs a limit above 0 and a head start from 0 to below the limit")
    states, kernel = _cusum_kernel(reference, limit, shift)
    arl = np.linalg.solve(np.eye(states.size) - kernel, np.ones(states.size))
    onward = _cusum_rows(np.array([head_start]), reference - shift, states, _weights(limit))
    return float(1.0 + (onward @ arl)[0])


def two_sided_cusum_arl(reference: float, limit: float, shift: float = 0.0, head_start: float = 0.0) -> float:
    """Return the ARL of an upward and a downward CUSUM run together, both from `head_start`.

    From zero 1/L = 1/L+ + 1/L- (Kemp 1961); with a head start the combination of Lucas and Crosier 1982.

    Raises:
        ValueError: As in `one_sided_cusum_arl`.
    """
    up, down = (one_sided_cusum_arl(reference, limit, sign * shift) for sign in (1, -1))
    up_head, down_head = (one_sided_cusum_arl(reference, limit, sign * shift, head_start) for sign in (1, -1))
    return (up_head * down + up * down_head - up * down) / (up + down)


def steady_state_delay(reference: float, limit: float, shift: float, *, two_sided: bool = False) -> float:
    """Return the mean delay when the change comes late, on a CUSUM that has run quietly for long.

    The state at the change is drawn from the conditional distribution of S given no alarm yet; for the
    two-sided scheme both sides are taken in their own conditional distribution (Crosier 1986).

    Args:
        reference: k.
        limit: h.
        shift: Mean of the values after the change; before it is 0.
        two_sided: Run an upward and a downward CUSUM together.

    Raises:
        ValueError: As in `one_sided_cusum_arl`.
    """
    _, quiet = _cusum_kernel(reference, limit, 0.0)
    settled = quasi_stationary(quiet)
    up, up_mean = _zero_and_mean_arl(reference, limit, shift, settled)
    if not two_sided:
        return up_mean
    down, down_mean = _zero_and_mean_arl(reference, limit, -shift, settled)
    return (up_mean * down + up * down_mean - up * down) / (up + down)


def ewma_arl(smoothing: float, width: float, shift: float = 0.0) -> float:
    """Return the zero-state ARL of a two-sided EWMA with fixed limits for normal values of mean `shift`.

    Args:
        smoothing: lambda in (0, 1].
        width: c, the limits in standard deviations of the statistic, above 0.
        shift: Mean of the values.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 < smoothing <= 1 or width <= 0:
        raise ValueError("an EWMA needs a smoothing in (0, 1] and a width above 0")
    limit = width * np.sqrt(smoothing / (2 - smoothing))
    nodes, weights = _legendre(_node_count(2 * limit / smoothing), -limit, limit)

    def onward(starts: Floats) -> Floats:
        reached = (nodes[np.newaxis, :] - (1 - smoothing) * starts[:, np.newaxis]) / smoothing
        return np.asarray(stats.norm.pdf(reached - shift) * weights / smoothing, dtype=np.float64)

    arl = np.linalg.solve(np.eye(nodes.size) - onward(nodes), np.ones(nodes.size))
    return float(1.0 + (onward(np.zeros(1)) @ arl)[0])


def shewhart_arl(width: float = 3.0, shift: float = 0.0) -> float:
    """Return the ARL of a two-sided Shewhart chart with limits at +- `width` for normal values."""
    return float(1.0 / (stats.norm.sf(width - shift) + stats.norm.cdf(-width - shift)))


def siegmund_arl(reference: float, limit: float, shift: float = 0.0) -> float:
    """Return Siegmund's approximation to the one-sided CUSUM ARL, with b = h + 1.166 (Siegmund 1985).

    Good to about 1 %; use it to bracket, not to promise.
    """
    drift, barrier = shift - reference, limit + 1.166
    if abs(drift) < _NO_DRIFT:
        return barrier**2
    exponent = 2 * drift * barrier
    return float((np.exp(-exponent) + exponent - 1) / (2 * drift**2))


def delay_lower_bound(arl0: float, information: float) -> float:
    """Return (ln(ARL0 * KL) - 1) / KL, the delay that no detector with this ARL0 beats by much.

    Args:
        arl0: Mean observations between false alarms.
        information: Kullback-Leibler divergence of one changed observation, in nats.
    """
    return float((np.log(arl0 * information) - 1) / information)


def quasi_stationary(kernel: Floats) -> Floats:
    """Return where a chain stands in the long run, given that it has not been absorbed.

    Args:
        kernel: Sub-stochastic transitions between n states, shape (n, n).

    Returns:
        Probabilities of the states, shape (n,): the normalised left eigenvector of the largest eigenvalue.

    Raises:
        ArithmeticError: The power iteration does not settle.
    """
    settled = np.full(kernel.shape[0], 1.0 / kernel.shape[0])
    for _ in range(_RESTARTS_UNTIL_STEADY):
        moved = settled @ kernel
        moved /= moved.sum()
        if np.abs(moved - settled).max() < _STEADY_TOLERANCE:
            return np.asarray(moved, dtype=np.float64)
        settled = moved
    raise ArithmeticError("the chain does not settle in a long run")


def _zero_and_mean_arl(reference: float, limit: float, shift: float, settled: Floats) -> tuple[float, float]:
    _, kernel = _cusum_kernel(reference, limit, shift)
    arl = np.linalg.solve(np.eye(settled.size) - kernel, np.ones(settled.size))
    return float(arl[0]), float(settled @ arl)


def _cusum_kernel(reference: float, limit: float, shift: float) -> tuple[Floats, Floats]:
    """States (0 and the nodes inside) and the probabilities to move between them without alarm."""
    nodes, _ = _legendre(_node_count(limit), 0.0, limit)
    states = np.concatenate(([0.0], nodes))
    return states, _cusum_rows(states, reference - shift, states, _weights(limit))


def _cusum_rows(starts: Floats, fall: float, states: Floats, weights: Floats) -> Floats:
    rows = np.empty((starts.size, states.size))
    rows[:, 0] = stats.norm.cdf(fall - starts)
    rows[:, 1:] = stats.norm.pdf(states[np.newaxis, 1:] + fall - starts[:, np.newaxis]) * weights
    return rows


def _weights(limit: float) -> Floats:
    return _legendre(_node_count(limit), 0.0, limit)[1]


def _node_count(width_sigma: float) -> int:
    return max(_FEWEST_NODES, int(np.ceil(_NODES_PER_SIGMA * width_sigma)))


def _legendre(count: int, low: float, high: float) -> tuple[Floats, Floats]:
    nodes, weights = _standard_nodes(count)
    half = (high - low) / 2
    return np.asarray(low + half * (nodes + 1), dtype=np.float64), np.asarray(half * weights, dtype=np.float64)


@lru_cache(maxsize=64)
def _standard_nodes(count: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes, dtype=np.float64), np.asarray(weights, dtype=np.float64)
