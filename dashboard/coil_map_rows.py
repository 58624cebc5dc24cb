"""Rows of the coil map: coils, defects with their place, and what each camera saw of a defect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CoilRow:
    """A coil that has passed all cameras; `held_back` are the open work orders that hold it."""

    line_id: str
    coil_id: str
    ended_at: datetime
    length_m: float
    material: str
    grade: str | None
    grade_reason: str | None
    price: float | None
    currency: str | None
    quality_loss: float | None
    defects: int
    held_back: list[str]


@dataclass(frozen=True, slots=True)
class DefectPlace:
    """A registered defect on the strip.

    Attributes:
        along_m: Metres from the coil's first inspected place.
        across: From the left edge of the picture, 0 to 1; None when no camera said.
        periodic: Its class and cause carry a flag with a roll's period.
        landmark: A mark of a coil change.
    """

    defect_id: str
    along_m: float
    across: float | None
    defect_class: str
    class_probability: float
    group_id: str
    group_probability: float
    first_camera: str
    sightings: int
    periodic: bool
    landmark: bool


@dataclass(frozen=True, slots=True)
class SightingRow:
    """What one camera saw of a defect, in strip order; `looked` without a frame means: looked and saw nothing."""

    camera_id: str
    defect_class: str | None
    confidence: float | None
    captured_at: datetime | None
    probabilities: dict[str, float] | None
    spot_x: float | None
    spot_y: float | None
    model_name: str | None
    model_version: str | None
    image: bytes | None
    evidence: list[list[float]] | None


@dataclass(frozen=True, slots=True)
class CoilDetail:
    """A coil with its defects in strip order."""

    coil: CoilRow
    defects: Sequence[DefectPlace]
