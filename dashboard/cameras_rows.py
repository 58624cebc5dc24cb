"""Rows of the cameras page: what each camera does now, and its newest kept picture."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CameraNow:
    """A camera: place, counts over the window, its room's report, and what its pictures look like.

    `missing` counts holes in the sequence numbers of the window. `brightness` is 0 black to 1 white, `saturated` a
    share 0 to 1, `sharpness` grey levels squared (compare within one camera only); None: no frame in the window.
    Counters of the room are None when no room has reported, as for a bare image.
    """

    camera_id: str
    line_id: str
    machine_id: str
    position_m: float | None
    assigned: bool
    last_captured_at: datetime | None
    last_received_at: datetime | None
    frames: int
    defects: int
    missing: int
    brightness: float | None
    saturated: float | None
    sharpness: float | None
    room_state: str | None
    room_reason: str | None
    reported_at: datetime | None
    spooled_frames: int | None
    dropped_ever: int
    conditions: list[str]
    condition_reason: str | None
    work_order_no: str | None


@dataclass(frozen=True, slots=True)
class CamerasSnapshot:
    """All cameras, in strip order, those of no line last; counts over the last `window_s` seconds."""

    as_of: datetime
    window_s: float
    cameras: tuple[CameraNow, ...]


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """The newest frame of a camera whose pixels are still kept."""

    captured_at: datetime
    defect_class: str
    image: bytes
