"""What the process monitor and its database hand each other: where reading stands, rows read, a coil to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.domain.monitoring.facts import CoilRecord, Flag, RegisteredDefect
from services.domain.registration.table import InspectionTable

BEFORE_EVERYTHING: Final = datetime(1, 1, 1, tzinfo=UTC)
FIRST_ID: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class ReadCursor:
    """How far inspections were read; opaque to everyone but the reader. The default begins with the oldest row.

    Attributes:
        change_no: Transaction number of the last row read, and `frame_id` of it.
        history_at: Capture time up to which rows without a number were read; None: there are no more of them.
        cluster_id: The database cluster that counts the numbers; empty: not asked yet.
    """

    change_no: int = 0
    frame_id: UUID = FIRST_ID
    history_at: datetime | None = BEFORE_EVERYTHING
    history_frame_id: UUID = FIRST_ID
    cluster_id: str = ""


@dataclass(frozen=True, slots=True)
class NewRows:
    """A page of inspections.

    Attributes:
        lines: Line id to its rows; of a frame judged by several model versions only the newest version's row.
        cursor: Where the next page begins.
        has_more: Whether the page was full, so that the next may have rows at once.
    """

    lines: Mapping[str, InspectionTable]
    cursor: ReadCursor
    has_more: bool

    def __len__(self) -> int:
        """Number of rows of all lines."""
        return sum(len(table) for table in self.lines.values())


@dataclass(frozen=True, slots=True)
class MaintenanceEvent:
    """A work order that came to its end.

    Attributes:
        group_id: Machine group, or `camera:<camera_id>`.
        is_done: Done; otherwise it was rejected.
        verified: Whether the repair worked; None: nobody said so yet.
    """

    work_order_no: str
    flag_id: UUID
    line_id: str
    group_id: str
    machine_ids: tuple[str, ...]
    defect_class: str | None
    finished_at: datetime
    is_done: bool
    verified: bool | None


@dataclass(frozen=True, slots=True)
class CameraCondition:
    """Something that is wrong with a camera.

    Attributes:
        kind: As in 'dirty', 'black', 'frozen', 'defocused', 'over_exposed', 'silent'.
        since: When it began; together with line, camera and kind it names the condition.
        until: When it was over; None: it goes on.
        reason: One sentence.
        flag_id: The flag that asks for cleaning or repair.
    """

    line_id: str
    camera_id: str
    kind: str
    since: datetime
    until: datetime | None
    reason: str
    flag_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """State of the monitor of one line after a coil, as only the program version that wrote it can read."""

    line_id: str
    coil_number: int
    coil_id: str
    state: bytes
    program_version: str


@dataclass(frozen=True, slots=True)
class CoilResult:
    """Everything that follows from one more coil; kept in one transaction.

    Attributes:
        record: The coil.
        defects: All its registered defects, landmarks included; they replace what was kept of this coil.
        flags: Flags that are new or changed.
        conditions: Conditions of cameras that are new or changed.
        checkpoint: State after this coil; None keeps none.
        cursor: Where reading stands; None leaves the kept one.
        is_told: Whether new flags and conditions become alerts; not for history that is computed again.
    """

    record: CoilRecord
    defects: Sequence[RegisteredDefect] = ()
    flags: Sequence[Flag] = ()
    conditions: Sequence[CameraCondition] = ()
    checkpoint: Checkpoint | None = None
    cursor: ReadCursor | None = None
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class NightlyEntry:
    """A machine group and class in the nightly list.

    Attributes:
        first_seen: Found defects (posterior weights), `expected` in the baseline state, over `exposure_m` metres.
        p_value: Exact Poisson mid-p.
        q_value: Benjamini-Hochberg adjusted.
        is_listed: Whether `q_value` is within the promised share of false entries.
    """

    group_id: str
    defect_class: str
    first_seen: float
    expected: float
    exposure_m: float
    p_value: float
    q_value: float
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert to write into the outbox.

    Attributes:
        happening: Names the fact: a second notice of the same name is left out.
        kind: A value of `services.domain.alerts.AlertKind`.
        body: JSON values: line_id, machines, camera_id, defect_class, text, link, details.
    """

    happening: str
    kind: str
    severity: int
    subject: str
    body: Mapping[str, object] = field(default_factory=dict)
    flag_id: UUID | None = None
