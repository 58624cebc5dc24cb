"""The report of one machine as an HTML file that stands alone: what its page says, to print or to send."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from html import escape

from dashboard.machine_rows import MachineDetail, MachineName
from dashboard.machine_view import class_table, flag_table
from dashboard.overview import Cell
from dashboard.reasons import why
from dashboard.words import class_word, clean, health_word, plain
from services.domain.spc.control_chart import DrawnChart

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "td,th{border-bottom:1px solid #ccd;padding:.25rem .7rem;text-align:left}"
)


def html_report(machine: MachineName, defect_class: str, detail: MachineDetail, chart: DrawnChart | None) -> str:
    """Return the page; every word from the database is escaped."""
    title = escape(clean(f"{machine.machine_name} ({machine.machine_id})"))
    parts = [
        f"<!doctype html><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>",
        f"<p>{escape(health_word(machine.state))}. {escape(why(machine.reason))}</p>",
        f"<p>{detail.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC</p>",
        f"<h2>{escape(plain('machine.flags'))}</h2>",
        *_table(flag_table(detail.flags, UTC, detail.as_of)),
        f"<h2>{escape(plain('machine.classes'))}</h2>",
        *_table(class_table(detail.classes)),
    ]
    if chart is not None:
        parts.append(f"<h2>{escape(class_word(clean(defect_class)))}: {escape(plain(f'chart.{chart.code}'))}</h2>")
        parts += _table([{name: _cell(row[name]) for name in row} for row in chart.rows])
    return "\n".join(parts) + "\n"


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return plain("machine.signal") if value else ""
    return f"{value:.4g}" if isinstance(value, float) else clean("" if value is None else value)


def _table(rows: Sequence[dict[str, Cell]]) -> Iterator[str]:
    if not rows:
        yield "<p>–</p>"
        return
    yield "<table><tr>" + "".join(f"<th>{escape(name)}</th>" for name in rows[0]) + "</tr>"
    for row in rows:
        yield "<tr>" + "".join(f"<td>{escape(str(value))}</td>" for value in row.values()) + "</tr>"
    yield "</table>"
