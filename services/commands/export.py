"""`millsight export`: inspections as a file."""

from pathlib import Path
from typing import Annotated

import typer

from services.commands.database_urls import REPORTS, UrlFile, url_of
from services.commands.moments import moment


def export(
    start: Annotated[str, typer.Option("--from", help="Captured since then (ISO 8601; UTC without a zone)")],
    end: Annotated[str, typer.Option("--to", help="Until before then")],
    output: Annotated[Path, typer.Option(help="A .csv, .csv.gz or .parquet file")],
    line: Annotated[str | None, typer.Option(help="Only this line")] = None,
    url_file: UrlFile = None,
) -> None:
    """Write inspections into a file that `millsight analyse` reads, one row per frame and camera."""
    from services.adapters.postgres.export import ExportRequest, export_inspections

    request = ExportRequest(moment(start, "--from"), moment(end, "--to"), line)
    rows = export_inspections(url_of(url_file, REPORTS), request, output)
    typer.echo(f"{rows} inspections are in {output}")
