"""Rows of the model page: versions with their cards, their use, drift by camera, and where two versions differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A model version that classified frames; `frames` are those of the last 24 hours."""

    name: str
    version: str
    sha256: str
    registered_at: datetime
    labels: list[str]
    card: dict[str, Any]
    frames: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClassCount:
    """Frames of a camera by class, now (the newest hour) and before (the day until then)."""

    camera_id: str
    defect_class: str
    now: int
    before: int


@dataclass(frozen=True, slots=True)
class HourOfCamera:
    """Mean confidence of a camera's frames in an hour."""

    camera_id: str
    hour: datetime
    frames: int
    mean_confidence: float


@dataclass(frozen=True, slots=True)
class TwoVerdicts:
    """A frame that two versions judged differently; `image` None: no longer kept, or never."""

    frame_id: UUID
    captured_at: datetime
    camera_id: str
    one_class: str
    one_confidence: float
    other_class: str
    other_confidence: float
    answer: str | None
    image: bytes | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two versions agree on frames that both judged, and which was right on those that people answered."""

    frames: int
    same: int
    answered: int
    one_right: int
    other_right: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Class counts and hourly confidence of all cameras under one version."""

    as_of: datetime
    counts: Sequence[ClassCount]
    hours: Sequence[HourOfCamera]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions on recorded frames."""

    agreement: Agreement
    differing: Sequence[TwoVerdicts]
