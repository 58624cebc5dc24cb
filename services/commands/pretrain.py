"""`millsight pretrain`: a start for training that has seen rendered frames alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_IMAGE_PX = 112


def pretrain(
    out: Annotated[Path, typer.Option(help="Weights file to write, like rendered.weights.h5.")],
    time_budget_min: Annotated[float, typer.Option(min=0.1, help="Working time.")] = 12.0,
    batch_size: Annotated[int, typer.Option(min=2, max=512)] = 32,
    seed: Annotated[int, typer.Option(min=0)] = 20261123,
    work_dir: Annotated[Path, typer.Option(help="Checkpoints to go on from.")] = Path(".millsight/pretraining"),
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
) -> None:
    """Fit weights to rendered frames alone: a start for any split or fold of `millsight train --weights FILE`."""
    import shlex
    import sys

    from rich.console import Console

    from services.commands.train import ProgressObserver, training_progress
    from services.trainer.settings import RunSettings, prepare_tensorflow

    settings = RunSettings(
        work_dir=work_dir, batch_size=batch_size, seed=seed, time_budget_min=time_budget_min,
        image_px=(_IMAGE_PX,), threads=threads,
    )  # fmt: skip
    plan = settings.plan()
    prepare_tensorflow(threads)
    from services.trainer.pretraining import pretrain as fit

    console = Console()
    with training_progress(console) as progress:
        fit(plan, work_dir, out, shlex.join(["millsight", *sys.argv[1:]]), ProgressObserver(progress))
    console.print(f"{out} is written: 'millsight train --weights {out}' starts from it")
