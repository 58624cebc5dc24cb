"""Turns rows of the machine page into words, tables and marks on the chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from dashboard.machine_rows import ClassShare, FlagRow, MachineDetail, MachineName
from dashboard.maintenance_view import order_word
from dashboard.overview import Cell
from dashboard.words import class_word, clean, clock, health_word, number, percent, plain, say
from services.domain.spc.control_chart import DrawnChart

CLASS_COLUMNS = ("defect_class", "first_seen", "expected", "exposure_m")
FLAG_COLUMNS = (
    "work_order_no", "defect_class", "onset_coil", "onset_at", "alarm_coil", "closed_at", "state", "feedback",
    "rate_per_km", "baseline_per_km", "rate_ratio", "probability", "matched_rolls", "period_m", "reason",
    "repaired_per_km", "repaired_km",
)  # fmt: skip
POINT_COLUMNS = ("coil_id", "ended_at", "point", "centre", "lower", "upper", "signal")
_M_PER_KM = 1000.0
_CHANCE_CLASSES = 12
_URGENCY = ("maintenance_required", "inspect", "offline", "watch", "no_data", "learning", "ok")
"""States of a machine, the one that asks for a look most first; a state unknown here comes before them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line on the chart: the coil where something happened, and what it was."""

    coil_id: str
    kind: str
    words: str


def most_urgent(machines: Sequence[MachineName]) -> str:
    """Return the id of the machine to show first: in the worst state, the first of several along the strip."""
    return min(machines, key=lambda each: _URGENCY.index(each.state) if each.state in _URGENCY else -1).machine_id


def flagged_class(flags: Sequence[FlagRow]) -> str | None:
    """Return the class of the open flag that exceeds its normal rate most, None when none is open."""
    still_open = [flag for flag in flags if flag.closed_at is None]
    return max(still_open, key=lambda flag: flag.rate_ratio or 0.0).defect_class if still_open else None


def title_of(machine: MachineName) -> str:
    """Return the machine with its state, for the list to pick from."""
    return clean(f"{machine.machine_name} ({machine.machine_id}), {health_word(machine.state)}")


def figures(detail: MachineDetail) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    exposure_km = max((each.exposure_m for each in detail.classes), default=0.0) / _M_PER_KM
    found = sum(each.first_seen for each in detail.classes)
    return {
        "machine_open": str(sum(flag.closed_at is None for flag in detail.flags)),
        "machine_found": number(found),
        "machine_expected": number(sum(each.expected for each in detail.classes)),
        "machine_km": number(exposure_km),
    }


def class_table(classes: Sequence[ClassShare]) -> list[dict[str, Cell]]:
    """Return a row for each class: found, expected at the normal rate, and how many times that is."""
    return [
        {
            plain("table.defect"): class_word(clean(each.defect_class)),
            plain("table.found"): round(each.first_seen, 1),
            plain("table.expected"): round(each.expected, 1),
            plain("table.times"): number(each.first_seen / each.expected) if each.expected > 0 else "–",
            plain("table.km"): round(each.exposure_m / _M_PER_KM, 2),
        }
        for each in classes[:_CHANCE_CLASSES]
    ]


def flag_table(flags: Sequence[FlagRow], where: tzinfo, now: datetime) -> list[dict[str, Cell]]:
    """Return a row for each flag: since when, rate before and after, what the repair came to."""
    return [
        {
            plain("table.order"): clean(flag.work_order_no),
            plain("table.defect"): class_word(clean(flag.defect_class or "–")),
            plain("table.since"): clean(flag.onset_coil),
            plain("table.onset"): clock(flag.onset_at, where, now),
            plain("table.before"): number(flag.baseline_per_km),
            plain("table.after"): number(flag.rate_per_km),
            plain("table.times"): number(flag.rate_ratio),
            plain("table.repaired"): _after_repair(flag),
            plain("table.sure"): percent(flag.probability),
            plain("table.rolls"): clean(", ".join(flag.matched_rolls)) or "–",
            plain("table.state"): order_word(flag.state, flag.feedback),
            plain("table.closed"): clock(flag.closed_at, where, now) if flag.closed_at else "–",
        }
        for flag in flags
    ]


def _after_repair(flag: FlagRow) -> str:
    if flag.repaired_per_km is None or flag.repaired_km is None:
        return "–"
    return plain("machine.repaired", rate=number(flag.repaired_per_km), length=number(flag.repaired_km))


def roll_sentences(flags: Sequence[FlagRow]) -> list[str]:
    """Say which rolls the distances between defects fit, for every flag that has such a period."""
    return [
        say(
            "machine.rolls" if flag.matched_rolls else "machine.no_roll",
            order=flag.work_order_no, period=f"{flag.period_m:.3f}", rolls=", ".join(flag.matched_rolls),
        )
        for flag in flags
        if flag.period_m is not None
    ]  # fmt: skip


def marks_of(flags: Sequence[FlagRow], defect_class: str, coils: Sequence[str]) -> list[Mark]:
    """Return onset and alarm of every flag of the class, as far as their coils are on the chart."""
    known = set(coils)
    found = []
    for flag in flags:
        if flag.defect_class != defect_class:
            continue
        found.append(Mark(flag.onset_coil, "onset", plain("machine.mark.onset", order=flag.work_order_no)))
        found.append(Mark(flag.alarm_coil, "alarm", plain("machine.mark.alarm", order=flag.work_order_no)))
    return [mark for mark in found if mark.coil_id in known]


def repair_marks(flags: Sequence[FlagRow], defect_class: str, chart: DrawnChart) -> list[Mark]:
    """Return the first coil on the chart after each repair of the class."""
    marks = []
    for flag in (each for each in flags if each.defect_class == defect_class):
        after = [
            row for row in chart.rows
            if flag.closed_at is not None and flag.state == "done" and _ended(row) >= flag.closed_at
        ]  # fmt: skip
        if after:
            words = plain("machine.mark.repair", order=flag.work_order_no)
            marks.append(Mark(str(after[0]["coil_id"]), "repair", words))
    return marks


def _ended(row: dict[str, object]) -> datetime:
    moment = row["ended_at"]
    if not isinstance(moment, datetime):
        raise TypeError("a chart's row needs the moment its coil ended")
    return moment
