"""`millsight evaluate`: score labelled images through the served model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from services.trainer.evaluation import Evaluation
    from services.trainer.metrics import Share

_INFERENCE_TIMEOUT_S = 60.0


def evaluate(
    csv: Annotated[Path, typer.Option(help="Columns image_path and target (class number or name).")],
    images: Annotated[Path, typer.Option(help="Directory that the CSV's image paths are relative to.")],
    model: Annotated[str, typer.Option(help="Name of the served model.")] = "surface_defects",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    defects_only: Annotated[bool, typer.Option("--defects-only", help="Leave the no_defect answer out.")] = False,
    triton_url: Annotated[str | None, typer.Option(help="host:port; without it the running stack's.")] = None,
) -> None:
    """Score labelled images through the served model: top-1, macro-F1, per class, calibration."""
    from rich.console import Console
    from rich.progress import Progress

    from services.adapters.triton import TritonClassifier
    from services.commands.running_triton import url_of_running_stack
    from services.runtime.settings import TritonSettings
    from services.trainer.evaluation import EvaluationRequest, evaluate_served

    url = triton_url or url_of_running_stack()
    client = TritonClassifier(TritonSettings(url=url, inference_timeout_s=_INFERENCE_TIMEOUT_S), model)
    request = EvaluationRequest(images, csv, defects_only)
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("scoring", total=None)
            evaluation = evaluate_served(
                request, client, lambda done, total: progress.update(task, completed=done, total=total)
            )
    finally:
        client.close()
    if as_json:
        print(json.dumps(evaluation.as_json(), indent=1))
    else:
        _show(evaluation, Console())


def _show(evaluation: Evaluation, console: Console) -> None:
    from rich.table import Table

    report = evaluation.report
    console.print(f"{evaluation.model_name} version {evaluation.model_version}, {report.top1.n} images")
    low, high = evaluation.macro_f1_interval
    by = f"bootstrap over {evaluation.coils} coils"
    console.print(f"top-1 {_share(report.top1)}, macro-F1 {report.macro_f1:.3f} ({low:.3f} to {high:.3f}, {by})")
    console.print(f"of the most confident 80 %: {_share(evaluation.at_80_percent_coverage)} right")
    unknown = report.top1.n - evaluation.when_sure.n
    console.print(f"left to people as unknown: {unknown}; of the others {_share(evaluation.when_sure)} right")
    if evaluation.lenient is not None:
        console.print(f"label or a class marked in the frame: {_share(evaluation.lenient)}")
    console.print(
        f"ECE {100 * report.ece:.1f} %, NLL {report.nll:.3f}, called no_defect: {evaluation.called_no_defect}"
    )
    table = Table("class", "images", "recall (95 %)", "precision (95 %)", "F1")
    for line in report.classes:
        f1 = "" if line.f1 is None else f"{line.f1:.3f}"
        table.add_row(line.label, str(line.n), _share(line.recall), _share(line.precision), f1)
    console.print(table)


def _share(share: Share) -> str:
    if share.value is None:
        return "-"
    low, high = share.interval
    return f"{100 * share.value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
