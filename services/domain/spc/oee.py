"""Overall equipment effectiveness, and the reliability figures of a repairable machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """OEE and its three factors, each between 0 and 1 when the ideal cycle time is right."""

    availability: float
    performance: float
    quality: float

    @property
    def oee(self) -> float:
        """Availability x performance x quality."""
        return self.availability * self.performance * self.quality


def effectiveness(
    planned_s: float, running_s: float, pieces: float, good_pieces: float, ideal_cycle_s: float
) -> Effectiveness:
    """Return how much of the planned time made good pieces at full speed.

    Args:
        planned_s: Planned production time, above 0.
        running_s: Time the line really ran, above 0 and at most the planned time.
        pieces: Pieces (or metres) made, above 0.
        good_pieces: Good ones at the first attempt; rework is not good.
        ideal_cycle_s: Shortest time per piece (or metre), above 0.

    Raises:
        ValueError: An argument is out of range.
    """
    if not 0 < running_s <= planned_s or ideal_cycle_s <= 0:
        raise ValueError("OEE needs 0 < running time <= planned time and an ideal cycle time above 0")
    if not 0 <= good_pieces <= pieces or pieces == 0:
        raise ValueError("OEE needs pieces above 0 and no more good pieces than pieces")
    return Effectiveness(running_s / planned_s, ideal_cycle_s * pieces / running_s, good_pieces / pieces)


def mean_time_between_failures(operating_h: float, failures: int) -> float | None:
    """Return operating hours per failure (ISO 14224); None when nothing failed yet."""
    return operating_h / failures if failures > 0 else None


def mean_time_to_repair(repair_h: float, repairs: int) -> float | None:
    """Return hours per repair; None when nothing was repaired yet."""
    return repair_h / repairs if repairs > 0 else None
