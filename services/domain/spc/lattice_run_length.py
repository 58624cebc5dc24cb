"""Average run lengths of CUSUMs with discrete increments: counts, yes/no frames, weighted sums of counts.

S = max(0, S + X), alarm when S >= limit. On a lattice this is a finite Markov chain, solved exactly. Increments
that lie between lattice points, such as sums of log likelihood ratios, are spread over their two neighbours so
that the mean is kept, and the limit is corrected for the half step by which a lattice walk alarms too early.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from scipy import fft, linalg, stats

Floats = npt.NDArray[np.float64]

_ON_LATTICE = 1e-9
_ROUNDED = 1e-6
_FINEST_DENOMINATOR = 1000
_MOST_STATES = 20_000
_COUNT_TAIL = 1e-15


def lattice_cusum_arl(
    increment_values: npt.ArrayLike,
    increment_probabilities: npt.ArrayLike,
    limit: float,
    step: float,
    *,
    exact: bool = False,
) -> float:
    """Return the zero-state ARL of S = max(0, S + X), alarm at S >= limit, for any discrete X.

    Args:
        increment_values: What X may be, shape (n,), in any order; repeats are added up.
        increment_probabilities: Their probabilities, shape (n,). What is missing from 1 is an alarm at once.
        limit: h, above 0.
        step: Distance of the states; 200 to 800 states up to the limit give about 0.1 % for smooth increments.
        exact: True when X takes multiples of `step` only, as counts do: the chain is then solved as it stands.
            False: the values stand for anything in between; the ARL is smooth and increasing in `limit`.

    Raises:
        ValueError: Shapes differ, an argument is out of range, there are more than 20,000 states, or `exact` is
            asked for values off the lattice.
    """
    values = np.asarray(increment_values, dtype=np.float64)
    chances = np.asarray(increment_probabilities, dtype=np.float64)
    _check_increments(values, chances)
    offsets, mass = _spread(values, chances, step)
    if exact:
        if np.abs(values / step - np.rint(values / step)).max() > _ROUNDED:
            raise ValueError("exact run lengths need increments that are multiples of the step")
        states = _state_count(np.ceil(limit / step - _ON_LATTICE))
        return float(_solve(offsets, mass, states, 1)[0, 0])
    wanted = limit / step + 0.5
    states = _state_count(np.floor(wanted))
    lower, upper = _neighbouring_arls(offsets, mass, states)
    share = wanted - states
    return float(lower ** (1 - share) * upper**share)


def compound_poisson_increments(
    jump_values: npt.ArrayLike, jump_rates: npt.ArrayLike, drift: float, step: float, tail: float = 1e-10
) -> tuple[Floats, Floats]:
    """Return the distribution of X = sum of jumps - drift, where jump i occurs Poisson(rate i) times.

    Every jump is spread over its two neighbours on the lattice, so the mean of X is exact; its variance grows
    by less than step**2 / 4 per jump. The distribution is the inverse FFT of its characteristic function.

    Args:
        jump_values: Size of one jump of each kind, shape (k,); may be negative.
        jump_rates: Mean number of jumps of each kind per observation, 0 or more, shape (k,).
        drift: Subtracted from every observation.
        step: Lattice distance.
        tail: Probability that may be cut off at both ends together; it counts as an alarm in `lattice_cusum_arl`
            and so bounds the ARL at 1 / tail.

    Returns:
        Values (multiples of `step`, less the drift) and probabilities, both of shape (n,).

    Raises:
        ValueError: Shapes differ or an argument is out of range.
    """
    jumps, rates = np.asarray(jump_values, dtype=np.float64), np.asarray(jump_rates, dtype=np.float64)
    if jumps.ndim != 1 or jumps.shape != rates.shape or not (rates >= 0).all() or not np.isfinite(jumps).all():
        raise ValueError("a compound Poisson needs one rate of 0 or more for every jump")
    if step <= 0 or not 0 < tail < 1:
        raise ValueError("a compound Poisson needs a step above 0 and a tail between 0 and 1")
    offsets, intensity = _spread(jumps, rates, step)
    lowest, length = _reach(offsets, intensity, tail)
    kernel = np.zeros(length)
    np.add.at(kernel, offsets % length, intensity)
    chances = fft.irfft(np.exp(fft.rfft(kernel) - intensity.sum()), length)
    chances = np.asarray(np.maximum(np.roll(chances, -lowest), 0.0), dtype=np.float64)
    kept = _trim(chances, tail)
    values = np.asarray((np.arange(length) + lowest)[kept] * step - drift, dtype=np.float64)
    return values, chances[kept]


def poisson_cusum_arl(reference: float, limit: float, mean: float, head_start: float = 0.0) -> float:
    """Return the exact ARL of S = max(0, S + Y - k), alarm at S >= h, for Poisson counts Y of this mean.

    Args:
        reference: k, a rational number such as 2.9 or 1/4 (denominators up to 1000).
        limit: h; with the reference it spans the lattice of the chain.
        mean: Mean count per observation, above 0.
        head_start: S_0, on the same lattice (rounded to it).

    Raises:
        ValueError: An argument is out of range or the lattice has more than 20,000 states.
    """
    if mean <= 0:
        raise ValueError("a Poisson CUSUM needs a mean above 0")
    highest = int(stats.poisson.isf(_COUNT_TAIL, mean)) + 1
    counts = np.arange(highest + 1)
    return _counting_arl(counts, stats.poisson.pmf(counts, mean), reference, limit, head_start)


def bernoulli_cusum_arl(gamma_steps: int, limit_steps: int, probability: float) -> float:
    """Return the exact ARL, in frames, of the Bernoulli CUSUM of Reynolds and Stoumbos (1999).

    Its increments are B - gamma with gamma = 1 / `gamma_steps`: a good frame takes one step down, a defective
    one `gamma_steps` - 1 steps up; alarm at `limit_steps` or above.

    Args:
        gamma_steps: 1 / gamma, 2 or more.
        limit_steps: H in steps, h = H * gamma.
        probability: Of a defective frame, in (0, 1).

    Raises:
        ValueError: An argument is out of range.
    """
    if gamma_steps <= 1 or limit_steps < 1 or not 0 < probability < 1:
        raise ValueError("a Bernoulli CUSUM needs 1/gamma >= 2, a limit >= 1 and a probability between 0 and 1")
    offsets = np.array([-1, gamma_steps - 1])
    return float(_solve(offsets, np.array([1 - probability, probability]), _state_count(limit_steps), 1)[0, 0])


def _counting_arl(
    counts: npt.NDArray[np.int_], chances: Floats, reference: float, limit: float, head_start: float
) -> float:
    exact_reference = Fraction(reference).limit_denominator(_FINEST_DENOMINATOR)
    per_unit = exact_reference.denominator
    if limit <= 0 or not 0 <= head_start < limit:
        raise ValueError("a CUSUM needs a limit above 0 and a head start from 0 to below the limit")
    states = _state_count(np.ceil(limit * per_unit - _ON_LATTICE))
    arl = _solve(counts * per_unit - exact_reference.numerator, chances, states, 1)[:, 0]
    return float(arl[min(round(head_start * per_unit), states - 1)])


def _check_increments(values: Floats, chances: Floats) -> None:
    if values.ndim != 1 or values.shape != chances.shape or values.size == 0:
        raise ValueError("increments need one probability for every value")
    if not (chances >= 0).all() or chances.sum() > 1 + _ROUNDED:
        raise ValueError("probabilities of increments are 0 or more and sum to 1 at most")
    if not ((values > 0) & (chances > 0)).any() and chances.sum() >= 1 - _ON_LATTICE:
        raise ValueError("increments that never rise never alarm")


def _state_count(wanted: float) -> int:
    if not 1 <= wanted <= _MOST_STATES:
        raise ValueError(f"a chain needs between 1 and {_MOST_STATES} states up to its limit; choose another step")
    return int(wanted)


def _spread(values: Floats, weights: Floats, step: float) -> tuple[npt.NDArray[np.int_], Floats]:
    """Put weights on the two lattice points around each value so that the mean stays."""
    scaled = values / step
    nearest = np.rint(scaled)
    scaled = np.where(np.abs(scaled - nearest) < _ON_LATTICE * np.maximum(1, np.abs(nearest)), nearest, scaled)
    below = np.floor(scaled)
    share = scaled - below
    points = np.concatenate((below, below + 1)).astype(np.int_)
    split = np.concatenate((weights * (1 - share), weights * share))
    lowest = int(points.min())
    mass = np.bincount(points - lowest, weights=split)
    used = np.flatnonzero(mass > 0)
    return np.asarray(used + lowest, dtype=np.int_), np.asarray(mass[used], dtype=np.float64)


def _solve(
    offsets: npt.NDArray[np.int_], mass: Floats, states: int, sides: int, edge: Floats | None = None
) -> Floats:
    """Solve (I - P) y = right sides for the chain on 0..states-1; the first right side is all ones."""
    right = np.ones((states, sides))
    if edge is not None:
        right[:, 1] = edge
    return np.asarray(linalg.solve(np.eye(states) - _transitions(offsets, mass, states), right), dtype=np.float64)


def _transitions(offsets: npt.NDArray[np.int_], mass: Floats, states: int) -> Floats:
    """Probabilities to move between states without alarm, shape (states, states)."""
    pmf = np.zeros(2 * states - 1)
    inside = np.abs(offsets) < states
    pmf[offsets[inside] + states - 1] = mass[inside]
    far_below = float(mass[offsets <= -states].sum())
    moves = np.asarray(linalg.toeplitz(pmf[states - 1 :: -1], pmf[states - 1 :]), dtype=np.float64)
    to_zero = far_below + np.cumsum(pmf)[:states][::-1]
    moves[:, 0] = to_zero
    return moves


def _neighbouring_arls(offsets: npt.NDArray[np.int_], mass: Floats, states: int) -> tuple[float, float]:
    """Return the ARLs with alarm at `states` and at `states` + 1 from one factorisation, by bordering."""
    full = _transitions(offsets, mass, states + 1)
    solved = _solve(offsets, mass, states, 2, full[:states, states])
    plain, edge = solved[:, 0], solved[:, 1]
    last = full[states]
    top = (1 + last[:states] @ plain) / (1 - last[states] - last[:states] @ edge)
    return float(plain[0]), float(plain[0] + edge[0] * top)


def _reach(offsets: npt.NDArray[np.int_], intensity: Floats, tail: float) -> tuple[int, int]:
    """Return the lowest lattice point of a compound Poisson worth keeping and a fast transform length."""
    quantile = float(stats.norm.isf(tail)) + 2.0
    ends = []
    for sign in (-1, 1):
        jumps = np.maximum(sign * offsets, 0)
        mean, spread = float(jumps @ intensity), float(np.sqrt(jumps**2 @ intensity))
        largest = int(jumps[intensity > 0].max(initial=0))
        ends.append(int(np.ceil(mean + quantile * spread + largest * quantile**2 / 3)))
    return -ends[0], int(fft.next_fast_len(sum(ends) + 1, real=True))


def _trim(chances: Floats, tail: float) -> slice:
    total = float(chances.sum())
    first = int(np.searchsorted(np.cumsum(chances), tail * total / 2))
    last = int(np.searchsorted(np.cumsum(chances[::-1]), tail * total / 2))
    return slice(first, chances.size - last)
