"""Rows of the correlation page: counts by machine group and by camera, and what flags say of their cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GroupCount:
    """Defects of a class that begin at a machine group, against what its normal rate lets expect."""

    group_id: str
    first_camera: str
    defect_class: str
    first_seen: float
    expected: float
    exposure_m: float


@dataclass(frozen=True, slots=True)
class CameraCount:
    """Defects of a class that a camera reported, and those of them that it was the first to report."""

    camera_id: str
    defect_class: str
    sightings: int
    first: int


@dataclass(frozen=True, slots=True)
class FlagCause:
    """What a flag says of its cause; `member_posterior` shares a group's probability among its machines."""

    work_order_no: str
    defect_class: str | None
    group_id: str
    machine_ids: list[str]
    alarm_at: datetime
    is_open: bool
    probability: float
    runner_up: str | None
    runner_up_probability: float | None
    posterior: dict[str, float]
    member_posterior: dict[str, float]


@dataclass(frozen=True, slots=True)
class CorrelationSnapshot:
    """Counts over a span that ends now, in strip order, and the newest flags."""

    as_of: datetime
    newest_coil_at: datetime | None
    groups: Sequence[GroupCount]
    cameras: Sequence[CameraCount]
    flags: Sequence[FlagCause]
