"""`millsight simulate`: run a scenario into an export of inspections, or rerun the evaluation protocol."""

import sys
from pathlib import Path
from typing import Annotated

import typer

_PROJECT = Path(__file__).resolve().parents[2]


def simulate(  # noqa: PLR0917 - the options of a command
    scenario: Annotated[Path | None, typer.Option(help="Scenario file; see docs/simulator.md.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Export to write: .csv, .csv.gz or .parquet. With --evaluate: results as .json, and .md beside."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
    truth: Annotated[
        Path | None, typer.Option(help="JSON file for faults and the origin of every defect.")
    ] = None,
    line_output: Annotated[Path | None, typer.Option(help="Line file that fits the export.")] = None,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Rerun the evaluation; see docs/evaluation.md.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="With --evaluate: a few short runs of everything.")
    ] = False,
    finished: Annotated[
        bool, typer.Option("--finished", help="With --evaluate: run nothing, tell what is finished.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="With --evaluate: processes.")] = 2,
) -> None:
    """Simulate a line with known faults, without pixels, into an export of inspections."""
    from services.contracts.errors import ConfigurationError

    if evaluate:
        _evaluate(
            output or _PROJECT / "docs" / "evaluation-results.json",
            workers=workers,
            quick=quick,
            finished=finished,
        )
        return
    if scenario is None or output is None:
        raise ConfigurationError("millsight simulate needs --scenario and --output, or --evaluate")
    from services.simulator.app import SimulationRequest
    from services.simulator.app import simulate as run

    summary = run(SimulationRequest(scenario, seed, output, line_output, truth))
    typer.echo(
        f"{summary.rows} rows of {summary.coils} coils are in {output}: {summary.rows_with_defect} with a defect,"
        f" from {summary.defects} true defects"
    )


def _evaluate(output: Path, *, workers: int, quick: bool, finished: bool) -> None:
    from services.simulator.evaluation.app import EvaluationRequest, evaluate

    request = EvaluationRequest(
        scenarios=_PROJECT / "scenarios",
        card=_PROJECT / "scenarios" / "model_card.json",
        output=output,
        ledger_folder=_PROJECT / ".millsight" / "evaluation",
        workers=workers,
        quick=quick,
        finished_only=finished,
    )
    summary = evaluate(request, lambda sentence: print(f"evaluation: {sentence}", file=sys.stderr, flush=True))
    typer.echo(
        f"{summary.runs} runs in {summary.sections} sections are in {output} and {output.with_suffix('.md').name};"
        f" {summary.bars - len(summary.missed)} of {summary.bars} bars are met"
    )
    for name in summary.missed:
        typer.echo(f"missed: {name}")
