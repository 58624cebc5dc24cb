"""The maintenance report as a table for the terminal, CSV, JSON, or one HTML page."""

import csv
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, object]

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #1d2327; background: #fff }
table { border-collapse: collapse } caption { text-align: left; margin-bottom: .5rem }
th, td { border-bottom: 1px solid #c3c8cd; padding: .35rem .7rem; text-align: left; vertical-align: top }
th { border-bottom: 2px solid #1d2327 } td.number { text-align: right; font-variant-numeric: tabular-nums }
tr.maintenance_required td { background: #fbe3e1 } tr.inspect td { background: #fdf1d8 }
tr.no_data td { color: #666 } @media print { body { margin: 0 } }
"""
_HEADINGS: Final = (
    "machine", "defect", "state", "found", "times normal (95 %)", "since coil", "how sure", "roll", "work order",
    "to do",
)  # fmt: skip
_NUMBERS: Final = frozenset({"found", "times normal (95 %)", "how sure"})


def as_csv(rows: Sequence[Row]) -> str:
    """Return all columns as CSV with the database's names; what a spreadsheet would run gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows([_csv_cell(value) for value in row.values()] for row in rows)
    return text.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """Return all columns as a JSON list of objects; times as ISO text."""
    plain = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return json.dumps(plain, indent=1, allow_nan=False)


def as_table(rows: Sequence[Row]) -> "Table":
    """Return the columns that people need, for rich."""
    from rich.table import Table
    from rich.text import Text

    table = Table(*_HEADINGS)
    for row in rows:
        table.add_row(*(Text(cell) for cell in _cells(row)))
    return table


def as_html(rows: Sequence[Row]) -> str:
    """Return one page that needs nothing else and holds no script; everything from the database is escaped."""
    span = "" if not rows else f"{_minute(rows[0]['window_start'])} to {_minute(rows[0]['window_end'])}"
    head = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in _HEADINGS)
    body = "\n".join(_html_row(row) for row in rows)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Maintenance report</title>\n<style>{_STYLE}</style></head>\n<body>\n<h1>Maintenance report</h1>\n"
        f"<table><caption>Coils that ended from {html.escape(span)}, gravest first</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>\n"
        "<p>Machines of one group share their numbers: no camera stands between them."
        " No data: nobody looked.</p>\n"
        "</body>\n</html>\n"
    )


def _html_row(row: Row) -> str:
    cells = "".join(
        f"<td{' class=number' if name in _NUMBERS else ''}>{html.escape(cell)}</td>"
        for name, cell in zip(_HEADINGS, _cells(row), strict=True)
    )
    return f'<tr class="{html.escape(str(row["state"]))}">{cells}</tr>'


def _cells(row: Row) -> Iterator[str]:
    from services.contracts.alert_messages import one_line

    machine, group = str(row["machine_id"]), row["group_id"]
    yield one_line(machine if group in {None, machine} else f"{machine} (of {group})")
    yield one_line(str(row["defect_class"] or "–").replace("_", " "))
    yield one_line(str(row["state"]).replace("_", " "))
    yield _number(row["defects_first_seen"], "{:.1f}")
    yield _ratio(row)
    yield one_line(str(row["onset_estimate"] or "–"))
    yield _number(row["attribution_prob"], "{:.0%}")
    yield one_line(_words(row["matched_roll"]))
    yield one_line(str(row["work_order_no"] or "–"))
    yield one_line(str(row["recommended_action"] or "–"))


def _ratio(row: Row) -> str:
    parts = [_number(row[name], "{:.1f}") for name in ("rate_ratio", "ratio_ci_low", "ratio_ci_high")]
    return "–" if "–" in parts else f"{parts[0]} ({parts[1]} to {parts[2]})"


def _number(value: object, shape: str) -> str:
    return shape.format(value) if isinstance(value, (int, float)) else "–"


def _words(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) and value else "–"


def _minute(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if isinstance(value, datetime) else str(value)


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _csv_cell(value: object) -> object:
    if value is None or isinstance(value, (int, float)):
        return value
    plain = _plain(value)
    text = " ".join(map(str, plain)) if isinstance(plain, list) else str(plain)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
