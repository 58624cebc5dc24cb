"""Rows of the machine page: machines, kept streams, points, class mix, flags and repairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.domain.spc.control_chart import StreamPoint


@dataclass(frozen=True, slots=True)
class MachineName:
    """A machine of the line, with its state now."""

    line_id: str
    machine_id: str
    machine_name: str
    group_id: str | None
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ClassShare:
    """What one class of defect did at the machine's group over the span: found, expected, metres looked at."""

    defect_class: str
    first_seen: float
    expected: float
    exposure_m: float


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A flag of the machine's group, open or closed.

    `repaired_per_km` is the rate over the coils that began after the repair, `repaired_km` what was inspected of
    them; None before a repair, and while nothing was inspected since.
    """

    work_order_no: str
    defect_class: str | None
    onset_coil: str
    onset_at: datetime
    alarm_coil: str
    closed_at: datetime | None
    state: str
    feedback: str | None
    rate_per_km: float | None
    baseline_per_km: float | None
    rate_ratio: float | None
    probability: float
    matched_rolls: list[str]
    period_m: float | None
    reason: str
    repaired_per_km: float | None
    repaired_km: float | None


@dataclass(frozen=True, slots=True)
class ChartLimit:
    """Limit of the CUSUM charts of a line, nats, as its newest flag has it."""

    threshold: float


@dataclass(frozen=True, slots=True)
class MachineDetail:
    """Everything the page says of one machine.

    Attributes:
        classes: What each class did over the span, most found first.
        points: One stream, oldest first; empty while no coil was judged.
        limit: Limit of its CUSUM, nats; None while the line has had no flag.
        flags: Newest first.
    """

    as_of: datetime
    classes: Sequence[ClassShare]
    points: Sequence[StreamPoint]
    limit: float | None
    flags: Sequence[FlagRow]
