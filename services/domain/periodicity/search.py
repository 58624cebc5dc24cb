"""Find the period of defects along the strip, or say that there is none.

The longest period with at least 80 % of the peak power is taken: a comb has the same power at its half and its
third. Chance is judged by redrawing the positions, quantised to frames as the data are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from services.domain.periodicity.event_grid import EventGrid, event_grid, harmonic_weights, score
from services.domain.periodicity.z_squared import HARMONICS

Floats = npt.NDArray[np.float64]

FEWEST_TURNS = 5
"""Turns that the longest coil must show of any period that is believed."""

FEWEST_EVENTS = 8

_SHARE_OF_PEAK = 0.8
_REFINEMENT = 1e-6
_SAME_FREQUENCY = 1e-4
_DRAWS_AT_ONCE = 25
_ENOUGH_EXCEEDED = 10


@dataclass(frozen=True, slots=True)
class SearchPolicy:
    """How a period is judged.

    Attributes:
        permutations: Redraws for the p-value, whose smallest value is 1 / (permutations + 1).
        max_p_value: Largest p-value of a period that is reported.
        harmonics: n of Z^2_n.
    """

    permutations: int = 199
    max_p_value: float = 0.01
    harmonics: int = HARMONICS


@dataclass(frozen=True, slots=True)
class Period:
    """A period that stands out of chance.

    Attributes:
        period_m: Distance of neighbouring marks along the strip.
        power: Z^2_n pooled over coils, without what the frame pitch alone gives; chance has 2 per harmonic.
        p_value: Chance that random positions show a period as strong anywhere in the range.
        turns: Whole turns between the first and the last event of each coil, added up.
        relative_sd: Standard deviation of the period over the period.
        aliases_m: Other periods in the range that frames of this pitch cannot tell from it, longest first.
    """

    period_m: float
    power: float
    p_value: float
    turns: int
    relative_sd: float
    aliases_m: tuple[float, ...]


def find_period(
    segments: Sequence[npt.ArrayLike],
    shortest_m: float,
    longest_m: float,
    frame_pitch_m: float | None,
    rng: np.random.Generator,
    policy: SearchPolicy = SearchPolicy(),
) -> Period | None:
    """Return the period of events along the strip, or None when nothing stands out of chance.

    None also when there are fewer than 8 events in coils with two or more, or no coil that is long enough for
    five turns of the shortest period.

    Args:
        segments: Event positions in metres, in any order, one array of shape (n_s,) for each coil. Phases of
            different coils are unrelated.
        shortest_m: Shortest period of interest.
        longest_m: Longest one; cut to a fifth of the longest coil.
        frame_pitch_m: Distance of frame centres when the positions are such; None: positions are exact.
        rng: For the redraws.
        policy: See `SearchPolicy`.

    Raises:
        ValueError: The range or the pitch is not possible.
    """
    if not 0 < shortest_m < longest_m or (frame_pitch_m is not None and frame_pitch_m <= 0):
        raise ValueError("a period is looked for between two lengths above 0, with a frame pitch above 0")
    coils = [np.sort(np.asarray(each, dtype=np.float64)) for each in segments]
    coils = [each for each in coils if each.size > 1 and each[-1] > each[0]]
    length_m = max((float(each[-1] - each[0]) for each in coils), default=0.0)
    if sum(each.size for each in coils) < FEWEST_EVENTS or length_m < FEWEST_TURNS * shortest_m:
        return None
    grid = event_grid(coils, shortest_m, frame_pitch_m, policy.harmonics)
    orders = _orders(grid, 1 / min(longest_m, length_m / FEWEST_TURNS), 1 / shortest_m)
    orders = orders[~_near_pitch(grid.frequencies(orders), frame_pitch_m, FEWEST_TURNS / length_m)]
    if orders.size == 0:
        return None
    weights = harmonic_weights(grid.frequencies(orders), frame_pitch_m, policy.harmonics)
    scores = score(grid.harmonic_powers(orders, policy.harmonics), weights)
    p_value = _p_value(grid, orders, weights, float(scores.max()), (policy, rng))
    if p_value > policy.max_p_value:
        return None
    chosen = _chosen(scores)
    near = float(grid.frequencies(orders)[chosen])
    frequency = _refined(coils, near, grid.frequency_step, frame_pitch_m, weights[:, chosen])
    return Period(
        period_m=1 / frequency,
        power=float(_centred_powers(coils, frequency, frame_pitch_m, policy.harmonics).sum()),
        p_value=p_value,
        turns=sum(int((each[-1] - each[0]) * frequency) for each in coils),
        relative_sd=_relative_sd(coils, frequency, frame_pitch_m or 0.0),
        aliases_m=_aliases(frequency, frame_pitch_m, shortest_m, longest_m),
    )


def _orders(grid: EventGrid, lowest: float, highest: float) -> npt.NDArray[np.intp]:
    first, last = np.ceil(lowest / grid.frequency_step), np.floor(highest / grid.frequency_step)
    return np.arange(int(first), int(last) + 1, dtype=np.intp)


def _near_pitch(frequencies: Floats, frame_pitch_m: float | None, width: float) -> npt.NDArray[np.bool_]:
    if frame_pitch_m is None:
        return np.zeros(frequencies.size, dtype=np.bool_)
    # What lies this close is an alias of a period with fewer turns than are believed.
    turns = frequencies * frame_pitch_m
    return np.asarray(np.abs(turns - np.rint(turns)) < width * frame_pitch_m, dtype=np.bool_)


def _p_value(
    grid: EventGrid,
    orders: npt.NDArray[np.intp],
    weights: Floats,
    peak: float,
    judge: tuple[SearchPolicy, np.random.Generator],
) -> float:
    """Redraw until the number is reached or chance has clearly won."""
    policy, rng = judge
    exceeded = drawn = 0
    while drawn < policy.permutations and exceeded < _ENOUGH_EXCEEDED:
        draws = min(_DRAWS_AT_ONCE, policy.permutations - drawn)
        exceeded += int((grid.redrawn_maxima(orders, weights, draws, rng) >= peak).sum())
        drawn += draws
    return (exceeded + 1) / (drawn + 1)


def _chosen(scores: Floats) -> int:
    """Index of the longest period among the peaks that are high enough; frequencies ascend."""
    left, right = np.append(-np.inf, scores[:-1]), np.append(scores[1:], -np.inf)
    peaks = (scores >= left) & (scores >= right) & (scores >= _SHARE_OF_PEAK * scores.max())
    return int(np.flatnonzero(peaks)[0])


def _refined(
    coils: Sequence[Floats], near: float, step: float, frame_pitch_m: float | None, weights: Floats
) -> float:
    """Climb to the top of a peak; frequency in turns per metre."""

    def loss(frequency: float) -> float:
        return -float(_centred_powers(coils, frequency, frame_pitch_m, weights.size) @ weights)

    top = optimize.minimize_scalar(
        loss, bounds=(near - step, near + step), method="bounded", options={"xatol": _REFINEMENT * near}
    )
    return float(top.x)


def _centred_powers(
    coils: Sequence[Floats], frequency: float, frame_pitch_m: float | None, harmonics: int
) -> Floats:
    """Power of each harmonic from the exact positions, less what evenly spread events of the coil would give."""
    power = np.zeros(harmonics)
    for positions in coils:
        for order in range(1, harmonics + 1):
            turn = order * frequency
            spread = _spread_sum(positions, turn, frame_pitch_m)
            power[order - 1] += float(np.abs(np.exp(2j * np.pi * turn * positions).sum() - spread) ** 2)
    return 2 * power / sum(each.size for each in coils)


def _spread_sum(positions: Floats, turn: float, frame_pitch_m: float | None) -> complex:
    """Sum of the events' phases if they were spread evenly from the first to the last one."""
    first, span = float(positions[0]), float(positions[-1] - positions[0])
    if frame_pitch_m is None:
        centre = np.exp(2j * np.pi * turn * (first + span / 2))
        return complex(positions.size * np.sinc(turn * span) * centre)
    centres = first + frame_pitch_m * np.arange(round(span / frame_pitch_m) + 1)
    return complex(positions.size * np.exp(2j * np.pi * turn * centres).mean())


def _relative_sd(coils: Sequence[Floats], frequency: float, frame_pitch_m: float) -> float:
    """Standard deviation of the period over the period.

    From how far events stand off the first harmonic (sandwich form; for marks alone it is sigma sqrt(12) / N**1.5
    for N turns). Frames add what a shift by one of them between the ends of a coil would leave undecided, which
    matters where the period is close to a multiple of the pitch.
    """
    variance = curvature = spans = 0.0
    for positions in coils:
        phases = 2 * np.pi * frequency * positions
        phases = phases - np.angle(np.exp(1j * phases).sum())
        square = (positions - positions.mean()) ** 2
        variance += float(square @ np.sin(phases) ** 2)
        curvature += float(square @ np.cos(phases))
        spans += float(positions[-1] - positions[0]) ** 2
    if curvature <= 0:
        return 1.0
    from_marks = np.sqrt(variance) / (2 * np.pi * curvature * frequency)
    return float(np.hypot(from_marks, frame_pitch_m / np.sqrt(12 * spans)))


def _aliases(
    frequency: float, frame_pitch_m: float | None, shortest_m: float, longest_m: float
) -> tuple[float, ...]:
    if frame_pitch_m is None:
        return ()
    orders = np.arange(1, int(np.ceil(frame_pitch_m / shortest_m)) + 2) / frame_pitch_m
    others = np.abs(np.concatenate((orders - frequency, orders + frequency)))
    inside = (others >= 1 / longest_m) & (others <= 1 / shortest_m)
    inside &= np.abs(others - frequency) > _SAME_FREQUENCY * frequency
    return tuple(float(1 / each) for each in np.sort(others[inside]))
