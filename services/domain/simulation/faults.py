"""What goes wrong on a simulated line and when: machines, rolls, cameras, coil changes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

WELD_CLASS: Final = "welding_line"
HOLE_CLASS: Final = "punching_hole"
NOTCH_CLASS: Final = "crescent_gap"


class FaultShape(StrEnum):
    """How a machine's defect rate leaves its baseline."""

    STEP = "step"
    """At once."""
    RAMP = "ramp"
    """Log-linear over `ramp_coils`, then it stays."""
    INTERMITTENT = "intermittent"
    """In bursts of `burst_coils` that fill a share `duty` of the time; the first begins at the onset."""


class CameraFaultKind(StrEnum):
    """What can be wrong with a camera."""

    FALSE_POSITIVES = "false_positives"
    """It calls `factor` times as many clean frames a defect."""
    DEAD = "dead"
    """It delivers no frames: there are no rows."""
    BLIND = "blind"
    """It delivers frames, and every one is called `no_defect`."""
    DIRTY_LENS = "dirty_lens"
    """A blemish fixed in the image is taken for a class in a share of the frames, and hides what else is there."""
    SENSITIVITY = "sensitivity"
    """It reports `factor` times the share of defects."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A machine that makes more defects of one class between two coils.

    Attributes:
        machine_id: The machine.
        defect_class: What it makes.
        factor: Its rate while faulty relative to its baseline; unused when `per_frame` is given.
        per_frame: Its rate while faulty, per frame.
        shape: How it begins.
        onset_coil: First coil with a changed rate.
        until_coil: First coil after the repair; None: never repaired.
        ramp_coils: Coils over which a ramp rises.
        duty: Share of coils within bursts.
        burst_coils: Length of a burst.
    """

    machine_id: str
    defect_class: str
    factor: float = 5.0
    per_frame: float | None = None
    shape: FaultShape = FaultShape.STEP
    onset_coil: int = 60
    until_coil: int | None = None
    ramp_coils: int = 50
    duty: float = 0.3
    burst_coils: int = 3


@dataclass(frozen=True, slots=True)
class RollFault:
    """A damaged roll: one mark every turn, in one lane.

    Attributes:
        machine_id: The machine the roll belongs to.
        roll_id: The roll, of the line; its diameter is the line's.
        defect_class: What its marks are.
        forward_slip: The true slip, (strip speed - roll speed) / roll speed.
        lane: Place across the strip, 0 to 1.
        detection: Probability that a camera reports a mark, in place of its sensitivity.
        onset_coil: First coil with marks.
        until_coil: First coil after the roll change; None: never changed.
        jitter_m: Standard deviation of a mark's place.
    """

    machine_id: str
    roll_id: str
    defect_class: str
    forward_slip: float = 0.0
    lane: float = 0.5
    detection: float = 0.5
    onset_coil: int = 60
    until_coil: int | None = None
    jitter_m: float = 0.005


@dataclass(frozen=True, slots=True)
class CameraFault:
    """Something wrong with one camera between two coils; `spot` is column then row in the image, 0 to 1."""

    camera_id: str
    kind: CameraFaultKind
    onset_coil: int = 60
    until_coil: int | None = None
    factor: float = 20.0
    share: float = 0.3
    defect_class: str | None = None
    spot: tuple[float, float] = (0.7, 0.4)


@dataclass(frozen=True, slots=True)
class Welds:
    """A weld at the head of every coil, with a notch and a tracking hole behind it.

    Attributes:
        machine_id: The welder.
        detection: Probability that a camera reports one of these marks.
        notch_m: Distance of the notch behind its weld.
        hole_m: Distance of the hole behind its weld.
        missing: Coils that begin without a weld.
        surplus: Welds within a coil: number of the coil, metres from its head.
    """

    machine_id: str
    detection: float = 0.98
    notch_m: float = 0.6
    hole_m: float = 1.2
    missing: tuple[int, ...] = ()
    surplus: tuple[tuple[int, float], ...] = ()


def active(coils: npt.NDArray[np.int64], onset_coil: int, until_coil: int | None) -> npt.NDArray[np.bool_]:
    """Tell for each coil whether it lies between an onset (included) and a repair (not included)."""
    return (coils >= onset_coil) & (coils < (np.inf if until_coil is None else until_coil))
