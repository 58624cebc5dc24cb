"""SQL of the maintenance page: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from typing import Final, LiteralString

from dashboard.database import Database
from dashboard.maintenance_rows import (
    ContainedRow,
    EventRow,
    MachineHealthRow,
    MaintenanceSnapshot,
    OpenCount,
    OrderDetail,
    OrderRow,
)
from dashboard.rows import Moment

OPEN: Final = "open"
CLOSED: Final = "closed"
ALL: Final = "all"

_NOW: LiteralString = "select now() as as_of"

_HEALTH: LiteralString = """
select line_id, machine_id, machine_name, group_id, state, reason, health_index, work_order_no
from machine_health order by line_id, position_m, machine_id limit 500
"""

_ORDERS: LiteralString = """
select o.work_order_no, o.state, o.priority, o.line_id, o.group_id, o.machine_ids, o.damage_code, o.cause_code,
       o.feedback, o.created_at, o.required_by, o.assigned_to, o.finished_at, f.onset_coil, f.onset_position_m,
       f.onset_at, f.rate_ratio, f.ratio_low, f.ratio_high, f.probability, f.runner_up, f.runner_up_probability,
       f.matched_rolls, f.quality_loss, f.reason, f.advice
from work_orders o join flags f using (flag_id)
where %(which)s = 'all' or (o.finished_at is null) = (%(which)s = 'open')
order by o.finished_at is not null, o.priority, f.quality_loss desc nulls last, o.required_by, o.work_order_id desc
limit 500
"""

_OPEN: LiteralString = """
select count(*) as open_orders, count(*) filter (where required_by < now()) as overdue
from work_orders where finished_at is null
"""

_CONTAINED: LiteralString = """
select coil_id, ended_at, from_m, to_m, defects::integer as defects, grade
from containment where work_order_no = %(order)s order by number limit 2000
"""

_EVENTS: LiteralString = """
select e.at, e.who, e.step, e.to_state, e.comment
from work_order_events e join work_orders o using (work_order_id)
where o.work_order_no = %(order)s order by e.event_id limit 500
"""


def maintenance_snapshot(database: Database, which: str) -> MaintenanceSnapshot:
    """Return every machine's health, and the work orders that are `OPEN`, `CLOSED`, or `ALL` of them."""
    count = database.rows(OpenCount, _OPEN)[0]
    return MaintenanceSnapshot(
        as_of=database.rows(Moment, _NOW)[0].as_of,
        machines=tuple(database.rows(MachineHealthRow, _HEALTH)),
        orders=tuple(database.rows(OrderRow, _ORDERS, {"which": which})),
        open_orders=count.open_orders,
        overdue=count.overdue,
    )


def order_detail(database: Database, work_order_no: str) -> OrderDetail:
    """Return the coils to hold back for a work order, and who did what to it."""
    of_order = {"order": work_order_no}
    return OrderDetail(
        contained=tuple(database.rows(ContainedRow, _CONTAINED, of_order)),
        events=tuple(database.rows(EventRow, _EVENTS, of_order)),
    )
