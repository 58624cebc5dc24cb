"""Turns rows of the maintenance page into what is shown: words, tables, files."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from dashboard.language import strings
from dashboard.maintenance_rows import ContainedRow, EventRow, MachineHealthRow, MaintenanceSnapshot, OrderRow
from dashboard.overview import Cell
from dashboard.reasons import why
from dashboard.words import class_word, clean, clock, escape, health_word, metre, number, percent, plain, say

CAMERA_PREFIX = "camera:"
_TO_LOOK_AT = frozenset({"inspect", "maintenance_required"})
ORDER_COLUMNS = (
    "work_order_no", "state", "priority", "line_id", "group_id", "damage_code", "onset_coil", "onset_at",
    "rate_ratio", "ratio_low", "ratio_high", "probability", "runner_up", "runner_up_probability", "matched_rolls",
    "quality_loss", "required_by", "assigned_to", "created_at", "finished_at", "cause_code", "feedback", "reason",
    "advice",
)  # fmt: skip
CONTAINED_COLUMNS = ("coil_id", "ended_at", "from_m", "to_m", "defects", "grade")


def figures(found: MaintenanceSnapshot) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    return {
        "to_look_at": str(sum(row.state in _TO_LOOK_AT for row in found.machines)),
        "open_orders": str(found.open_orders),
        "overdue": str(found.overdue),
    }


def where_of(order: OrderRow) -> str:
    """Return what the order is about: machines that no camera separates, or a camera."""
    if order.group_id.startswith(CAMERA_PREFIX):
        return plain("work.camera", camera=order.group_id.removeprefix(CAMERA_PREFIX))
    return clean(" + ".join(order.machine_ids))


def what_of(order: OrderRow) -> str:
    """Return the damage in words."""
    return plain("work.damage.camera") if order.damage_code is None else class_word(clean(order.damage_code))


def state_word(order: OrderRow) -> str:
    """Return the order's state, with what a finished repair came to."""
    return order_word(order.state, order.feedback)


def order_word(state: str, feedback: str | None) -> str:
    """Return a work order's state in words; one unknown here is shown as it is stored."""
    name = feedback if state == "done" and feedback else state
    return plain(f"order.{name}") if f"order.{name}" in strings() else clean(name)


def order_table(orders: Sequence[OrderRow], where: tzinfo, now: datetime) -> list[dict[str, Cell]]:
    """Return a row of words for each order, in the order given."""
    return [
        {
            plain("table.order"): clean(order.work_order_no),
            plain("table.priority"): plain(f"priority.{order.priority}"),
            plain("table.where"): where_of(order),
            plain("table.defect"): what_of(order),
            plain("table.state"): state_word(order),
            plain("table.since"): clean(order.onset_coil),
            plain("table.times"): number(order.rate_ratio),
            plain("table.sure"): percent(order.probability),
            plain("table.lost"): number(order.quality_loss, 0),
            plain("table.required"): required_by(order, where, now),
            plain("table.assigned"): clean(order.assigned_to or "–"),
        }
        for order in orders
    ]


def required_by(order: OrderRow, where: tzinfo, now: datetime) -> str:
    """Return the moment in words; an open order past it is called overdue."""
    moment = clock(order.required_by, where, now)
    late = order.finished_at is None and order.required_by < now
    return plain("work.overdue", moment=moment) if late else moment


def machine_table(machines: Sequence[MachineHealthRow]) -> list[dict[str, Cell]]:
    """Return a row of words for each machine, in strip order."""
    return [
        {
            plain("table.machine"): clean(row.machine_id),
            plain("table.name"): clean(row.machine_name),
            plain("table.state"): health_word(row.state),
            plain("table.reason"): why(row.reason),
            plain("table.health"): number(row.health_index, 0),
            plain("table.order"): clean(row.work_order_no or "–"),
        }
        for row in machines
    ]


def sentences(order: OrderRow, where: tzinfo, now: datetime) -> list[str]:
    """Return what is to be said about an order, as Markdown with everything from the database escaped."""
    ratio = ""
    if order.rate_ratio is not None:
        low, high = number(order.ratio_low), number(order.ratio_high)
        ratio = plain("work.ratio", value=number(order.rate_ratio), low=low, high=high)
    said = [
        say("work.which", order=order.work_order_no, what=what_of(order), where=where_of(order)),
        say(
            "work.since",
            coil=order.onset_coil,
            metre=metre(order.onset_position_m),
            moment=clock(order.onset_at, where, now),
            ratio=ratio,
        ),
        _sure(order),
    ]
    if len(order.machine_ids) > 1:
        said.append(say("work.group", machines=" and ".join(order.machine_ids)))
    if order.matched_rolls:
        said.append(say("work.rolls", rolls=" or ".join(order.matched_rolls)))
    if order.cause_code:
        said.append(say("work.cause", cause=order.cause_code))
    return said


def parts_of(text: str) -> list[str]:
    """Return long text as Markdown paragraphs, a sentence each, everything in it escaped."""
    return [escape(part if part.endswith(".") else f"{part}.") for part in text.split(". ") if part.strip()]


def _sure(order: OrderRow) -> str:
    share = percent(order.probability)
    if order.runner_up is None:
        return say("work.sure.alone", share=share)
    other = percent(order.runner_up_probability)
    return say("work.sure", share=share, runner_up=order.runner_up, runner_up_share=other)


def contained_table(rows: Sequence[ContainedRow], where: tzinfo, now: datetime) -> list[dict[str, Cell]]:
    """Return a row of words for each coil to hold back."""
    return [
        {
            plain("table.coil"): clean(row.coil_id),
            plain("table.ended"): clock(row.ended_at, where, now),
            plain("table.from_m"): number(row.from_m),
            plain("table.to_m"): number(row.to_m),
            plain("table.found"): row.defects,
            plain("table.grade"): clean(row.grade or "–"),
        }
        for row in rows
    ]


def event_table(rows: Sequence[EventRow], where: tzinfo, now: datetime) -> list[dict[str, Cell]]:
    """Return a row of words for each step of an order."""
    return [
        {
            plain("table.at"): clock(row.at, where, now),
            plain("table.who"): clean(row.who),
            plain("table.step"): clean(row.step),
            plain("table.state"): plain(f"order.{row.to_state}")
            if f"order.{row.to_state}" in strings()
            else clean(row.to_state),
            plain("table.comment"): clean(row.comment or "–"),
        }
        for row in rows
    ]
