"""`millsight simulate`: run a scenario into an export of inspections with known truth."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    scenario: Annotated[Path, typer.Option(help="Scenario file; see docs/simulator.md.")],
    output: Annotated[Path, typer.Option(help="Export to write: .csv, .csv.gz or .parquet.")],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    truth: Annotated[
        Path | None, typer.Option(help="JSON file for faults and the origin of every defect.")
    ] = None,
    line_output: Annotated[Path | None, typer.Option(help="Line file that fits the export.")] = None,
) -> None:
    """Simulate a line with known faults, without pixels, into an export of inspections."""
    from services.simulator.app import SimulationRequest
    from services.simulator.app import simulate as run

    summary = run(SimulationRequest(scenario, seed, output, line_output, truth))
    typer.echo(
        f"{summary.rows} rows of {summary.coils} coils are in {output}: {summary.rows_with_defect} with a defect,"
        f" from {summary.defects} true defects"
    )
