"""Rows of the maintenance page: machines' health, work orders with their flags, containment, audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MachineHealthRow:
    """View `machine_health`: state and the sentence that explains it."""

    line_id: str
    machine_id: str
    machine_name: str
    group_id: str | None
    state: str
    reason: str
    health_index: float | None
    work_order_no: str | None


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A work order with what its flag says; `rate_ratio` is None for a camera that does not invent defects."""

    work_order_no: str
    state: str
    priority: int
    line_id: str
    group_id: str
    machine_ids: list[str]
    damage_code: str | None
    cause_code: str | None
    feedback: str | None
    created_at: datetime
    required_by: datetime
    assigned_to: str | None
    finished_at: datetime | None
    onset_coil: str
    onset_position_m: float | None
    onset_at: datetime
    rate_ratio: float | None
    ratio_low: float
    ratio_high: float
    probability: float
    runner_up: str | None
    runner_up_probability: float
    matched_rolls: list[str]
    quality_loss: float | None
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class ContainedRow:
    """A coil that passed since the onset of a flag; metres on the scale of the line."""

    coil_id: str
    ended_at: datetime
    from_m: float
    to_m: float
    defects: int
    grade: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a work order's audit trail."""

    at: datetime
    who: str
    step: str
    to_state: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class MaintenanceSnapshot:
    """Machines in strip order and work orders, most urgent first, as they stood at `as_of`."""

    as_of: datetime
    machines: Sequence[MachineHealthRow]
    orders: Sequence[OrderRow]
    open_orders: int
    overdue: int


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many work orders are open, and how many of them past their time."""

    open_orders: int
    overdue: int


@dataclass(frozen=True, slots=True)
class OrderDetail:
    """What belongs to one work order."""

    contained: Sequence[ContainedRow]
    events: Sequence[EventRow]
