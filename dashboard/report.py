"""Turns the maintenance report into a table in words, a file for a spreadsheet, and the cells of a heat map."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from dashboard.charts import HeatCell
from dashboard.overview import Cell
from dashboard.rows import ReportRow
from dashboard.words import class_word, clean, clock, percent, percent_range, plain
from services.domain.classes import COIL_CHANGE_CLASSES, DEFECT_CLASSES

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_COLUMNS: Final = (
    "line_id",
    "machine_id",
    "machine_name",
    "defect_class",
    "frames_inspected",
    "defects",
    "defect_rate",
    "rate_low",
    "rate_high",
    "last_seen",
    "cameras",
)


def ranked(rows: Sequence[ReportRow]) -> list[ReportRow]:
    """Return the rows with the highest share first; machines nobody looked at come last, never as healthy."""
    return sorted(rows, key=lambda row: (row.defect_rate is None, -(row.defect_rate or 0.0), row.machine_id))


def report_table(rows: Sequence[ReportRow], where: tzinfo, now: datetime) -> list[dict[str, Cell]]:
    """Return one row per machine and defect class."""
    return [
        {
            plain("table.machine"): clean(row.machine_id),
            plain("table.defect"): _finding(row),
            plain("table.rate"): row.defect_rate,
            plain("table.range"): percent_range(_interval(row)),
            plain("table.defect_frames"): row.defects,
            plain("table.inspected"): row.frames_inspected,
            plain("table.last_seen"): clock(row.last_seen, where, now) if row.last_seen else "–",
            plain("table.cameras"): clean(", ".join(row.cameras)) or "–",
            plain("table.name"): clean(row.machine_name),
        }
        for row in ranked(rows)
    ]


def _finding(row: ReportRow) -> str:
    if row.frames_inspected == 0:
        return plain("report.not_inspected")
    if row.defect_class is None:
        return plain("report.nothing_found")
    word = class_word(clean(row.defect_class))
    return plain("report.coil_change", defect=word) if row.defect_class in COIL_CHANGE_CLASSES else word


def _interval(row: ReportRow) -> tuple[float, float] | None:
    return None if row.rate_low is None or row.rate_high is None else (row.rate_low, row.rate_high)


def report_csv(rows: Sequence[ReportRow]) -> bytes:
    """Return the report as UTF-8 CSV with the database's column names; times in UTC."""
    return csv_of(_COLUMNS, rows)


def csv_of(columns: Sequence[str], rows: Sequence[object]) -> bytes:
    """Return attributes (or entries) of rows as UTF-8 CSV with the database's column names; times in UTC.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow(
            [_cell(row[column] if isinstance(row, dict) else getattr(row, column)) for column in columns]
        )
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, (int, float)):
        return value
    text = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def machines_of(rows: Sequence[ReportRow]) -> list[str]:
    """Return the machines in the report's order, which is strip order."""
    return list(dict.fromkeys(clean(row.machine_id) for row in rows))


def classes_of(rows: Sequence[ReportRow]) -> list[str]:
    """Return words of all defect classes, known ones in their usual order, then whatever else the rows name."""
    named = dict.fromkeys([*DEFECT_CLASSES, *(row.defect_class for row in rows if row.defect_class)])
    return [class_word(clean(name)) for name in named]


def heat_cells(rows: Sequence[ReportRow]) -> list[HeatCell]:
    """Return a cell for every machine and class; no share where nobody looked, 0 where nothing was found."""
    found = {(clean(row.machine_id), class_word(clean(row.defect_class))): row for row in rows if row.defect_class}
    looked = {clean(row.machine_id): row.frames_inspected for row in rows}
    cells = []
    for machine, frames in looked.items():
        for defect in classes_of(rows):
            row = found.get((machine, defect))
            share = row.defect_rate if row else (0.0 if frames > 0 else None)
            cells.append(
                HeatCell(
                    machine=machine,
                    defect=defect,
                    share=share,
                    share_text=percent(share) if frames > 0 else plain("report.not_inspected"),
                    range_text=percent_range(_interval(row)) if row else "–",
                    defects=row.defects if row else 0,
                    frames=frames,
                )
            )
    return cells
