"""`millsight bench`: measure the line on this machine."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

_PROJECT: Final = Path(__file__).resolve().parents[2]


class Measurement(StrEnum):
    """What `--only` may name."""

    ENGINE = "engine"
    TRITON = "triton"
    END_TO_END = "end-to-end"
    LATENCY = "latency"
    CEILING = "ceiling"
    REFERENCE = "reference"


def bench(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two minutes: proves that everything is measured, figures are rough")
    ] = False,
    only: Annotated[list[Measurement] | None, typer.Option(help="Measure only this; may be repeated")] = None,
    frames: Annotated[int | None, typer.Option(min=64, help="Frames in each end-to-end round")] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, max=100, help="How often rates are measured in turn")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Directory of images, not rendered ones"),
    ] = None,
    models: Annotated[
        Path, typer.Option(envvar="MILLSIGHT_MODEL_REPOSITORY", help="Triton's model repository")
    ] = _PROJECT / "model_repository",
    soak: Annotated[float, typer.Option(min=0, max=1440, help="Minutes of half load to watch memory")] = 0,
    home: Annotated[
        Path, typer.Option(envvar="MILLSIGHT_HOME", help="The line's directory, to see if it runs")
    ] = _PROJECT / ".millsight",
) -> None:
    """Measure engine, Triton, the whole line, latency, the classifier's ceiling and the reference stack."""
    from rich.console import Console

    from services.bench.plan import QUICK, Plan, parts_of
    from services.bench.run import run_bench

    plan = QUICK if quick else Plan()
    plan = replace(
        plan,
        parts=parts_of([each.value for each in only or []], soak > 0),
        rounds=rounds or plan.rounds,
        end_to_end_frames=frames or plan.end_to_end_frames,
        images=images,
        model_repository=models,
        soak_s=soak * 60,
    )
    console = Console()
    if not console.is_terminal:
        console.width = 150
    run_bench(plan, home, console, as_json=as_json)
