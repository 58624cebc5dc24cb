"""What a source hands to the camera room, and what the room says about its spool."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.contracts.messages import ImageEncoding


@dataclass(frozen=True, slots=True)
class CapturedImage:
    """One image as a source delivered it: encoded bytes and what the source knows about them.

    Attributes:
        image: JPEG or PNG bytes, as they will travel.
        encoding: How `image` is encoded.
        captured_at: The device's clock, aware UTC.
        width_px: Width of the picture.
        height_px: Height of the picture.
        strip_position_m: Where along the strip the frame's centre lies, None where the source does not know.
        coil_id: The coil that passes, None where the source does not know.
    """

    image: bytes
    encoding: ImageEncoding
    captured_at: datetime
    width_px: int
    height_px: int
    strip_position_m: float | None = None
    coil_id: str | None = None


@dataclass(frozen=True, slots=True)
class RefusedImage:
    """Something a source met that is no frame: counted by `reason`, logged with `detail`, and passed over."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class CameraIdentity:
    """Who a camera is and where it stands; None for the line of a camera that no line file names."""

    camera_id: str
    line_id: str | None
    material: str


class SpoolPolicy(StrEnum):
    """What happens to a frame that finds the spool full; both are counted, neither is silent."""

    BLOCK = "block"
    """The new frame is not taken: it is counted as dropped (`spool_full`) and what waits stays whole."""

    DROP_OLDEST = "drop_oldest"
    """The oldest waiting frames make room (`dropped_oldest`), a segment file at a time."""


class DropReason(StrEnum):
    """Why a frame that was captured will never be published."""

    SPOOL_FULL = "spool_full"
    DROPPED_OLDEST = "dropped_oldest"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class SpoolStatus:
    """The spool's books: `captured == published + dropped + waiting` holds at every moment.

    Counters are durable and go on over restarts; `sequence` is the number of the newest captured frame of the
    session. `waiting_bytes` are bytes on disk. `problem` says in words why frames are refused, None when all is
    well.
    """

    session_id: UUID
    sequence: int
    captured: int
    published: int
    dropped: int
    waiting: int
    waiting_bytes: int
    oldest_waiting_at: datetime | None
    problem: str | None
