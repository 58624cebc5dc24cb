"""What the dashboard reads: plain frozen rows, times in aware UTC, no behaviour beyond sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Moment:
    """The database's own clock when it answered."""

    as_of: datetime


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine of a line, in strip order by `position_m` (metres from the line's entry)."""

    line_id: str
    line_name: str
    machine_id: str
    name: str
    kind: str
    position_m: float


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera and what it delivered in the window.

    `position_m` is None and `assigned` False for a camera that stands in no line file. `last_captured_at` and
    `last_received_at` are None when no frame of it is stored.
    """

    line_id: str
    machine_id: str
    camera_id: str
    position_m: float | None
    assigned: bool
    frames: int
    defects: int
    last_captured_at: datetime | None
    last_received_at: datetime | None
    first_captured_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineSnapshot:
    """The whole plant at one moment: machines and cameras in strip order, counts over the last `window_s`."""

    as_of: datetime
    window_s: float
    machines: tuple[MachineRow, ...]
    cameras: tuple[CameraRow, ...]

    @property
    def newest_captured_at(self) -> datetime | None:
        """When the newest stored frame of any camera was taken."""
        return max((c.last_captured_at for c in self.cameras if c.last_captured_at), default=None)

    @property
    def newest_received_at(self) -> datetime | None:
        """When a frame of any camera was last received."""
        return max((c.last_received_at for c in self.cameras if c.last_received_at), default=None)


@dataclass(frozen=True, slots=True)
class DefectFrame:
    """A frame that shows a defect, with its kept picture when there still is one."""

    frame_id: UUID
    defect_class: str
    confidence: float
    line_id: str
    machine_id: str
    camera_id: str
    coil_id: str | None
    captured_at: datetime
    strip_position_m: float | None
    model_name: str
    model_version: str
    image: bytes | None
    evidence: Sequence[Sequence[float]] | None


@dataclass(frozen=True, slots=True)
class DelayPoint:
    """Delay from capture to stored row, in seconds, over one slice of time that starts at `slice_start`."""

    slice_start: datetime
    frames: int
    p50_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class DelaySummary:
    """Delay from capture to stored row over the last five minutes; None when no frame was stored."""

    frames: int
    p50_s: float | None
    p95_s: float | None


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that could not be inspected; `second_look` is the state of the newest wish to send it again."""

    frame_id: UUID
    camera_id: str
    reason: str
    detail: str
    rejected_at: datetime
    payload_bytes: int
    second_look: str | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Frames of one reason that could not be inspected in the window, with the latest of them."""

    reason: str
    frames: int
    last_at: datetime
    last_camera_id: str
    last_detail: str
    last_bytes: int


@dataclass(frozen=True, slots=True)
class CameraStatusRow:
    """The latest word of a camera room about one of its cameras; totals since its session began.

    `dropped_in_all` adds the drops of the camera's earlier sessions.
    """

    camera_id: str
    reported_at: datetime
    state: str
    reason: str | None
    captured_total: int
    published_total: int
    dropped_total: int
    spooled_frames: int
    spool_bytes: int
    oldest_spooled_at: datetime | None
    dropped_in_all: int


@dataclass(frozen=True, slots=True)
class ModelUseRow:
    """A model version and the frames it judged in the window."""

    model_name: str
    model_version: str
    frames: int
    cameras: int
    last_at: datetime
    sha256: str | None
    registered_at: datetime | None


@dataclass(frozen=True, slots=True)
class HealthSnapshot:
    """How well frames travel from camera to row."""

    as_of: datetime
    window_s: float
    newest_captured_at: datetime | None
    delay: DelaySummary
    points: tuple[DelayPoint, ...]
    rejected: tuple[RejectedRow, ...]
    statuses: tuple[CameraStatusRow, ...]
    models: tuple[ModelUseRow, ...]


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One machine and defect class in a period: frames inspected, defects, share with 95 % interval, last seen.

    A machine without defects has one row whose `defect_class` is None; `frames_inspected` 0 and a rate of None
    mean that no camera looked. `line_id` is None for a machine that the line file names no more.
    """

    line_id: str | None
    machine_id: str
    machine_name: str
    defect_class: str | None
    frames_inspected: int
    defects: int
    defect_rate: float | None
    rate_low: float | None
    rate_high: float | None
    last_seen: datetime | None
    cameras: Sequence[str]
