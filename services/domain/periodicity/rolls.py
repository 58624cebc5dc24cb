"""Which roll turns once per period: pi D (1 + slip), stretched by every reduction downstream.

A roll that does not reduce the strip has no slip; a work roll has forward slip f = (v_out - v_roll) / v_roll of
a few percent; each later reduction stretches the marks by h_in / h_out (mass flow). What limits the match is
the slip, so rolls whose diameters lie within the slip band stay together as an ambiguity set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

from services.domain.periodicity.search import Period

_WIDENED_SD = 2.0


@dataclass(frozen=True, slots=True)
class RollCandidate:
    """A roll that touches the strip upstream of the camera.

    Attributes:
        roll_id: The roll.
        machine_id: The machine it turns in.
        diameter_m: As it was when the defects were made.
        slip_low: Least forward slip, as a share; 0 for a roll that does not reduce.
        slip_high: Largest one.
        stretch: Thickness right behind the roll over thickness at the camera; 1.0 without later reduction.
    """

    roll_id: str
    machine_id: str
    diameter_m: float
    slip_low: float = 0.0
    slip_high: float = 0.0
    stretch: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a roll that cannot turn.

        Raises:
            ValueError: The diameter or the stretch is not positive, or the slip band is empty or below -1.
        """
        if self.diameter_m <= 0 or self.stretch <= 0:
            raise ValueError(f"roll {self.roll_id!r} needs a diameter and a stretch above 0")
        if not -1 < self.slip_low <= self.slip_high:
            raise ValueError(f"roll {self.roll_id!r} needs slip_low <= slip_high, both above -1")


@dataclass(frozen=True, slots=True)
class RollOption:
    """A roll that explains a period.

    Attributes:
        roll_id: The roll.
        machine_id: Its machine.
        period_m: The period it explains: the one found, or one of its aliases.
        implied_slip: Forward slip that makes the roll fit exactly.
    """

    roll_id: str
    machine_id: str
    period_m: float
    implied_slip: float


@dataclass(frozen=True, slots=True)
class RollMatch:
    """All rolls that explain a period, the most plausible slip first; empty when none does."""

    options: tuple[RollOption, ...]

    @property
    def matched_roll(self) -> str | None:
        """The roll, when exactly one fits; None when none or several do."""
        return self.options[0].roll_id if len(self.options) == 1 else None

    @property
    def ambiguity_set(self) -> tuple[str, ...]:
        """Ids of all rolls that fit."""
        return tuple(option.roll_id for option in self.options)


def turn_length(diameter_m: float, slip: float = 0.0, stretch: float = 1.0) -> float:
    """Return pi D (1 + slip) stretch, the distance of two marks of one roll on the strip, in metres."""
    return pi * diameter_m * (1 + slip) * stretch


def match_rolls(
    period: Period, candidates: Sequence[RollCandidate], slip_expected: float | None = None
) -> RollMatch:
    """Return every roll whose range of turn lengths holds the period or one of its aliases.

    Ranges are widened by two standard deviations of the period. A roll that explains several of the periods is
    listed once, with the one of the most plausible slip.

    Args:
        period: What was found.
        candidates: The rolls upstream of where the defects were first seen.
        slip_expected: Slip to rank by; None: the middle of each roll's own band.
    """
    ranked: list[tuple[float, RollOption]] = []
    for roll in candidates:
        centre = (roll.slip_low + roll.slip_high) / 2 if slip_expected is None else slip_expected
        fits = [
            option
            for length_m in (period.period_m, *period.aliases_m)
            if (option := _option(roll, length_m, _WIDENED_SD * period.relative_sd)) is not None
        ]
        if fits:
            best = min(fits, key=lambda option: abs(option.implied_slip - centre))
            ranked.append((abs(best.implied_slip - centre), best))
    ranked.sort(key=lambda each: (each[0], each[1].roll_id))
    return RollMatch(tuple(option for _, option in ranked))


def _option(roll: RollCandidate, period_m: float, tolerance: float) -> RollOption | None:
    shortest_m = turn_length(roll.diameter_m, roll.slip_low, roll.stretch) * (1 - tolerance)
    longest_m = turn_length(roll.diameter_m, roll.slip_high, roll.stretch) * (1 + tolerance)
    if not shortest_m <= period_m <= longest_m:
        return None
    slip = period_m / turn_length(roll.diameter_m, 0.0, roll.stretch) - 1
    return RollOption(roll.roll_id, roll.machine_id, period_m, slip)
