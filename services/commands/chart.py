"""`millsight chart`: a control chart of one machine and defect class, coil by coil."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

from services.commands.database_urls import REPORTS, UrlFile, url_of
from services.commands.moments import moment
from services.domain.spc.control_chart import ChartKind

if TYPE_CHECKING:
    from services.domain.spc.control_chart import DrawnChart

_NEWEST: Final = 40


class ChartFormat(StrEnum):
    """How the chart is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def chart(
    *,
    machine: Annotated[str, typer.Option(help="The machine; machines that no camera separates share a chart")],
    defect_class: Annotated[str, typer.Option("--class", help="The defect class")],
    kind: Annotated[
        ChartKind, typer.Option(help="cusum raises flags; the others are for people who expect them")
    ] = (ChartKind.CUSUM),
    start: Annotated[
        str | None, typer.Option("--from", help="Coils that ended since then (ISO 8601; UTC without a zone)")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Until before; left out: the end of the data")] = None,
    shape: Annotated[ChartFormat, typer.Option("--format")] = ChartFormat.TABLE,
    url_file: UrlFile = None,
) -> None:
    """Draw a control chart: point, centre line and limits of each coil; the table shows the newest 40."""
    from services.adapters.postgres.stream_points import StreamRequest, read_stream
    from services.commands.report_formats import as_csv, as_json
    from services.domain.spc.control_chart import draw

    request = StreamRequest(
        machine,
        defect_class,
        None if start is None else moment(start, "--from"),
        None if end is None else moment(end, "--to"),
    )
    stream = read_stream(url_of(url_file, REPORTS), request)
    drawn = draw(kind, stream)
    if shape is ChartFormat.CSV:
        typer.echo(as_csv(drawn.rows), nl=False)
    elif shape is ChartFormat.JSON:
        typer.echo(as_json(drawn.rows))
    else:
        _show(drawn, stream.points[0].group_id, defect_class)


def _show(drawn: "DrawnChart", group_id: str, defect_class: str) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from services.contracts.alert_messages import one_line

    console = Console()
    console.print(Text(f"{one_line(defect_class)} from {one_line(group_id)}: {drawn.title}"))
    names = ("coil", "point", "centre", "lower", "upper", "signal")
    table = Table(*(Column(name, no_wrap=name != "coil", overflow="fold") for name in names))
    for row in drawn.rows[-_NEWEST:]:
        figures = (_figure(row[name]) for name in ("point", "centre", "lower", "upper"))
        table.add_row(Text(one_line(str(row["coil_id"]))), *figures, "signal" if row["signal"] else "")
    console.print(table)
    signals = sum(bool(row["signal"]) for row in drawn.rows)
    console.print(
        f"{len(drawn.rows)} coils, {signals} signals; {drawn.left_out} coils that nobody inspected left out"
    )


def _figure(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, (int, float)) else "–"
