"""Rows of the review queue: frames that a person should look at, and how many were looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class QueuedFrame:
    """A frame that nobody has answered yet.

    Attributes:
        unsure: The model's confidence is low.
        disagreed: Cameras call the same registered defect by different names, or the line's verdict is another.
        flagged: The frame belongs to a defect of an open flag.
    """

    frame_id: UUID
    captured_at: datetime
    line_id: str
    machine_id: str
    camera_id: str
    coil_id: str | None
    model_name: str
    model_version: str
    defect_class: str
    confidence: float
    unsure: bool
    disagreed: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class FramePicture:
    """What belongs to the frame that is looked at; `image` None: no longer kept."""

    image: bytes | None
    evidence: list[list[float]] | None
    probabilities: dict[str, float]
    labels: list[str]


@dataclass(frozen=True, slots=True)
class ClassAnswers:
    """How many frames that the model called `said_class` were answered, and how."""

    said_class: str
    answered: int
    confirmed: int
    unclear: int


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """The queue, most urgent first, and what was answered so far."""

    frames: Sequence[QueuedFrame]
    answers: Sequence[ClassAnswers]
