"""Work orders for people at a prompt: list them, look at one, move one on a step."""

from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from services.adapters.postgres.connecting import connect, translated
from services.contracts.errors import ConfigurationError

Step = Literal["acknowledge", "start", "done", "reject", "assign", "comment", "feedback"]

_NAME: Final = "millsight work-orders"


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A work order with what its flag says; see table `work_orders` for the fields."""

    work_order_no: str
    state: str
    priority: int
    line_id: str
    group_id: str
    machine_ids: list[str]
    damage_code: str | None
    cause_code: str | None
    feedback: str | None
    malfunction_start: datetime
    created_at: datetime
    required_by: datetime
    assigned_to: str | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    started_at: datetime | None
    started_by: str | None
    finished_at: datetime | None
    finished_by: str | None
    flag_id: UUID
    onset_coil: str
    rate_ratio: float | None
    ratio_low: float
    ratio_high: float
    probability: float
    matched_rolls: list[str]
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class WorkOrderEvent:
    """One line of the audit trail."""

    at: datetime
    who: str
    step: str
    from_state: str | None
    to_state: str
    comment: str | None


@dataclass(frozen=True, slots=True)
class StepRequest:
    """What somebody wants done to a work order.

    Attributes:
        comment: Anything worth keeping.
        feedback: 'verified' or 'no_change', with done or feedback.
        cause_code: What the cause was found to be; required to reject.
        assigned_to: Required to assign.
    """

    work_order_no: str
    step: Step
    who: str
    comment: str | None = None
    feedback: str | None = None
    cause_code: str | None = None
    assigned_to: str | None = None


_OF_FLAG: Final = frozenset(
    {"onset_coil", "rate_ratio", "ratio_low", "ratio_high", "probability", "matched_rolls", "reason", "advice"}
)
_COLUMNS: Final = ", ".join(
    f"{'f' if field.name in _OF_FLAG else 'o'}.{field.name}" for field in fields(WorkOrder)
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM millsight.work_orders o JOIN millsight.flags f USING (flag_id)"  # noqa: S608 - names of fields
_LIST: Final = f"""{_SELECT}
WHERE (%(everything)s OR o.finished_at IS NULL) AND (%(line)s::text IS NULL OR o.line_id = %(line)s)
ORDER BY o.finished_at IS NOT NULL, o.priority, o.required_by, o.work_order_id LIMIT 1000
"""
_ONE: Final = f"{_SELECT} WHERE o.work_order_no = %s"
_EVENTS: Final = """
SELECT e.at, e.who, e.step, e.from_state, e.to_state, e.comment
FROM millsight.work_order_events e JOIN millsight.work_orders o USING (work_order_id)
WHERE o.work_order_no = %s ORDER BY e.event_id
"""
_STEP: Final = b"SELECT millsight.work_order_step(%s, %s, %s, %s, %s, %s, %s)"


def list_work_orders(url: str, line_id: str | None = None, *, everything: bool = False) -> list[WorkOrder]:
    """Return the open work orders, or the newest thousand of all, most urgent first.

    Raises:
        ConfigurationError: The schema or the role does not fit.
        StorageUnavailable: The database does not answer.
    """
    with closing(connect(url, application_name=_NAME)) as connection, translated():
        cursor = connection.cursor(row_factory=class_row(WorkOrder))
        return cursor.execute(_LIST.encode(), {"line": line_id, "everything": everything}).fetchall()


def show_work_order(url: str, work_order_no: str) -> tuple[WorkOrder, list[WorkOrderEvent]]:
    """Return a work order and who did what to it, oldest first.

    Raises:
        ConfigurationError: There is no such work order, or the schema or the role does not fit.
        StorageUnavailable: The database does not answer.
    """
    with closing(connect(url, application_name=_NAME)) as connection, translated():
        orders = connection.cursor(row_factory=class_row(WorkOrder))
        order = orders.execute(_ONE.encode(), (work_order_no,)).fetchone()
        if order is None:
            raise ConfigurationError(
                f"there is no work order {work_order_no!r}: `millsight work-orders list` has them"
            )
        events = connection.cursor(row_factory=class_row(WorkOrderEvent))
        return order, events.execute(_EVENTS, (work_order_no,)).fetchall()


def take_step(planner_url: str, request: StepRequest) -> str:
    """Move a work order on and return its new state.

    Raises:
        ConfigurationError: The step is out of order or lacks something; the sentence says what.
        StorageUnavailable: The database does not answer.
    """
    values = (
        request.work_order_no,
        request.step,
        request.who,
        request.comment,
        request.feedback,
        request.cause_code,
        request.assigned_to,
    )
    with closing(connect(planner_url, application_name=_NAME)) as connection, translated():
        try:
            row = connection.execute(_STEP, values).fetchone()
        except psycopg.errors.InvalidParameterValue as error:
            raise ConfigurationError(error.diag.message_primary or "the step is refused") from error
    return "" if row is None else str(row[0])
