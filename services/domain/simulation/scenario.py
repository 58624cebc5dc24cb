"""What a simulated line is like: strip, machines, cameras, and everything that goes wrong and when."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.simulation.faults import CameraFault, Fault, RollFault, Welds
from services.domain.topology import Line

Floats = npt.NDArray[np.float64]

PROTOCOL_CLASSES: Final = tuple(f"class_{number}" for number in range(10))
"""Names of the ten classes of the evaluation protocol; they stand for nothing."""

PROTOCOL_DIAGONAL: Final = (0.55, 0.92, 0.66, 0.72, 0.95, 0.75, 0.84, 0.80, 0.89, 0.96)
"""Share of right labels of each class in the evaluation protocol; the mean is 0.804."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The strip as frames divide it: every coil has `frames_per_coil` frames of `frame_pitch_m` at each camera.

    Attributes:
        coils: Number of coils; they are numbered from 0.
        frames_per_coil: Frames of a coil at each camera that looks at all of it.
        frame_pitch_m: Length of strip on a frame, measured at the line's entry.
        start_s: When the head of the first coil passes the line's entry, seconds since 1970 UTC.
        random_phase: Cameras begin their frames at different places; else all cameras divide the strip alike.
    """

    coils: int = 160
    frames_per_coil: int = 200
    frame_pitch_m: float = 0.5
    start_s: float = 1_767_592_800.0
    random_phase: bool = False

    @property
    def coil_m(self) -> float:
        """Length of a coil at the line's entry, metres."""
        return self.frames_per_coil * self.frame_pitch_m


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the export says of places.

    Attributes:
        positions: Frames carry a position along the strip.
        from_coil_start: Positions begin at 0 in every coil; else a coil begins where the one before ended.
        coil_ids: Frames carry the name of their coil.
        jitter_m: Standard deviation of the encoder, independent from frame to frame.
    """

    positions: bool = True
    from_coil_start: bool = False
    coil_ids: bool = True
    jitter_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Eye:
    """How one camera sees, with its model.

    Attributes:
        sensitivity: (C,) probability that a visible defect of the class is reported.
        false_per_frame: Probability that a frame without a reported defect is called one.
        coverage: Share of the frames that are inspected.
        block_frames: They are inspected or left out in blocks of this many frames.
        clock_skew_s: How far its clock is ahead.
    """

    sensitivity: Floats
    false_per_frame: float = 5e-4
    coverage: float = 1.0
    block_frames: int = 20
    clock_skew_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """Rates of a coil are multiplied by a Gamma variable of mean 1 and this shape.

    With `common`, all machines and classes of a coil share the draw; else each has its own.
    """

    shape: float = 2.0
    common: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A line with M machines, J cameras and C classes, and what goes wrong on it.

    Attributes:
        name: Told in the truth.
        line: Machines and cameras in strip order; lengths at a camera grow by the elongation before it.
        classes: Names of the classes, without `no_defect`.
        eyes: (J,) one for each camera of the line, in its order.
        baseline: (M, C) defects per frame that a sound machine makes.
        survival: (M, C) probability that a defect made earlier is still visible behind this machine.
        confusion: (C, C) probability of each label (column) given the true class (row); what a row lacks to 1 is
            called `no_defect`.
    """

    name: str
    line: Line
    classes: tuple[str, ...]
    eyes: tuple[Eye, ...]
    baseline: Floats
    survival: Floats
    confusion: Floats
    strip: Strip = Strip()
    tracking: Tracking = Tracking()
    faults: tuple[Fault, ...] = ()
    roll_faults: tuple[RollFault, ...] = ()
    camera_faults: tuple[CameraFault, ...] = ()
    welds: Welds | None = None
    overdispersion: Overdispersion | None = None

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """Machines in strip order."""
        return tuple(machine.id for machine in self.line.machines)

    @property
    def camera_ids(self) -> tuple[str, ...]:
        """Cameras in strip order."""
        return tuple(camera.camera_id for camera in self.line.cameras)


def spread_confusion(diagonal: Floats | tuple[float, ...]) -> Floats:
    """Return a (C, C) confusion with these shares of right labels; the rest is spread evenly over the others."""
    right = np.asarray(diagonal, dtype=np.float64)
    count = len(right)
    confusion = np.repeat(((1 - right) / max(count - 1, 1))[:, None], count, axis=1)
    np.fill_diagonal(confusion, right)
    return confusion
