"""`millsight report`: which machine needs maintenance, from the database."""

from enum import StrEnum
from typing import Annotated

import typer

from services.commands.database_urls import REPORTS, UrlFile, url_of
from services.commands.moments import moment


class ReportFormat(StrEnum):
    """How the report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


def report(
    machine: Annotated[str | None, typer.Option(help="Only this machine")] = None,
    line: Annotated[str | None, typer.Option(help="Only this line")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Coils that ended since then (ISO 8601; UTC without a zone)")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Until before; left out: the end of the data")] = None,
    shape: Annotated[ReportFormat, typer.Option("--format")] = ReportFormat.TABLE,
    url_file: UrlFile = None,
) -> None:
    """Say which machine needs maintenance: defect classes, since when, how sure, what to do; gravest first."""
    from rich.console import Console

    from services.adapters.postgres.reports import ReportRequest, read_report
    from services.commands.report_formats import as_csv, as_html, as_json, as_table

    request = ReportRequest(
        None if start is None else moment(start, "--from"),
        None if end is None else moment(end, "--to"),
        machine,
        line,
    )
    rows = read_report(url_of(url_file, REPORTS), request)
    match shape:
        case ReportFormat.TABLE:
            Console().print(as_table(rows))
        case ReportFormat.CSV:
            typer.echo(as_csv(rows), nl=False)
        case ReportFormat.JSON:
            typer.echo(as_json(rows))
        case ReportFormat.HTML:
            typer.echo(as_html(rows), nl=False)
