"""`millsight train`: train, verify and publish a model version, with a progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from services.trainer.ports import EpochReport

_SMOOTHING = 0.1
_STEPS = 10_000
_STEEL_STRIP = "steel_strip"

DataOption = Annotated[Path, typer.Option(help="Directory that the CSV's image paths are relative to.")]
WeightsOption = Annotated[
    str, typer.Option("--weights", "--from", help="Start: none, imagenet, a file or MODEL@VERSION.")
]
CsvOption = Annotated[Path, typer.Option(help="Columns image_path, target (or label).")]


def train(  # noqa: PLR0917 - typer passes options by name
    data: DataOption,
    csv: CsvOption,
    name: Annotated[str, typer.Option(help="Name of the model in the repository.")] = "surface_defects",
    epochs: Annotated[int, typer.Option(min=1)] = 40,
    steps_per_epoch: Annotated[int, typer.Option(min=1)] = 50,
    batch_size: Annotated[int, typer.Option(min=2, max=512)] = 32,
    image_px: Annotated[
        list[int] | None, typer.Option(help="A size, or several in turn; else 112, 160, 224.")
    ] = None,
    time_budget_min: Annotated[float | None, typer.Option(help="End by working time, not by epochs.")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 20261123,
    weights: Annotated[
        str, typer.Option("--weights", "--from", help="Start: none, imagenet, a file or MODEL@VERSION.")
    ] = "none",
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="At its peak.")] = 1e-3,
    held_out_share: Annotated[float, typer.Option(min=0.05, max=0.8, help="Share of coils not trained on.")] = 0.2,
    split: Annotated[Path | None, typer.Option(help="A saved split.json to use again.")] = None,
    fold: Annotated[
        str | None, typer.Option(help="Hold out one part of the coils, 1/5 to 5/5: five runs judge every frame.")
    ] = None,
    rendered_share: Annotated[float, typer.Option(min=0, max=0.9, help="Of rendered frames in a batch.")] = 0.25,
    out: Annotated[Path, typer.Option(help="Model repository.")] = Path("model_repository"),
    material: Annotated[str, typer.Option(help="Material pack that names the classes.")] = "steel_strip",
    replace: Annotated[bool, typer.Option(help="Take the place of the newest version.")] = False,
    work_dir: Annotated[Path, typer.Option(help="Checkpoints to go on from.")] = Path(".millsight/training"),
    threads: Annotated[int, typer.Option(min=0, help="0: all cores.")] = 0,
) -> None:
    """Train a model on labelled images and publish it; run it again to go on after an interruption."""
    import shlex
    import sys

    from rich.console import Console

    from services.runtime.clock import utc_now
    from services.trainer.frames import check_data
    from services.trainer.settings import RunSettings, prepare_tensorflow

    settings = RunSettings(
        work_dir=work_dir, epochs=epochs, steps_per_epoch=steps_per_epoch, batch_size=batch_size, seed=seed,
        time_budget_min=time_budget_min, image_px=tuple(image_px or ()), threads=threads,
        weights=weights, peak_learning_rate=learning_rate, rendered_share=rendered_share,
    )  # fmt: skip
    plan = settings.plan()
    labels = labels_of(material, csv)
    check_data(csv, data, labels)
    prepare_tensorflow(threads)
    from services.trainer.app import TrainingRequest
    from services.trainer.app import train as train_model
    from services.trainer.promotion import read_card
    from services.trainer.repository import ModelRepository
    from services.trainer.run_report import write_report

    request = TrainingRequest(
        images_dir=data, csv_file=csv, model_name=name, repository_dir=out, work_dir=work_dir / name, plan=plan,
        date=utc_now().date().isoformat(), command=shlex.join(["millsight", *sys.argv[1:]]),
        held_out_share=held_out_share, split_file=split, fold=fold, replace=replace,
        labels=labels, material=material,
    )  # fmt: skip
    console = Console()
    with training_progress(console) as progress:
        version = train_model(request, ProgressObserver(progress))
    page = write_report(read_card(out, version.name, version.version), work_dir / name / "report")
    console.print(f"{version.name} version {version.version} is in {version.directory}, report in {page}")
    served = ModelRepository(out).served_version(version.name)
    if served != version.version:
        console.print(f"version {served} is served: 'millsight model promote {version.name}@{version.version}'")


def labels_of(material: str, csv_file: Path) -> tuple[str, ...]:
    """Return a material's labels in output order; `no_defect` comes last where the CSV or the steel model has it.

    Raises:
        ConfigurationError: There is no such pack, or the CSV shows a class that the pack does not know.
    """
    from services.contracts.errors import ConfigurationError
    from services.contracts.material_file import default_materials_dir, load_materials
    from services.domain.classes import NO_DEFECT, SURFACE_LABELS
    from services.trainer.dataset import class_names

    if material == _STEEL_STRIP:
        return SURFACE_LABELS
    packs = load_materials(default_materials_dir())
    if material not in packs:
        raise ConfigurationError(
            f"There is no material pack {material!r}: it is one of {', '.join(sorted(packs))}."
        )
    found = class_names(csv_file)
    unknown = [name for name in found if name != NO_DEFECT and name not in packs[material].classes]
    if unknown:
        raise ConfigurationError(
            f"Class {unknown[0]} of {csv_file} is not in the material pack {material}: add it there first."
        )
    return (*(name for name in found if name != NO_DEFECT), *((NO_DEFECT,) if NO_DEFECT in found else ()))


def training_progress(console: Console) -> Progress:
    """Make the bar that `ProgressObserver` moves."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>5.1f} %"))
    return Progress(*columns, TimeRemainingColumn(), console=console)


class ProgressObserver:
    """Shows epoch, loss, accuracy and time left in a progress bar, and leaves a line per epoch."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=_STEPS)
        self._epoch = 1
        self._loss: float | None = None
        self._accuracy = 0.0

    def step_done(self, progress: float, loss: float, accuracy: float) -> None:
        """Move the bar; loss and accuracy are smoothed over some ten batches."""
        before = loss if self._loss is None else self._loss
        self._loss = before + _SMOOTHING * (loss - before)
        self._accuracy += _SMOOTHING * (accuracy - self._accuracy)
        text = f"epoch {self._epoch}  loss {self._loss:.3f}  accuracy {self._accuracy:.3f}"
        self._progress.update(self._task, completed=round(progress * _STEPS), description=text)

    def epoch_done(self, report: EpochReport) -> None:
        """Leave a line behind."""
        self._epoch = report.epoch + 1
        self._progress.console.print(
            f"epoch {report.epoch:3d}  {report.image_px} px  loss {report.loss:.3f}"
            f"  accuracy {report.accuracy:.3f}  {report.images_per_s:.1f} images/s  {report.duration_s:.0f} s"
        )

    def stage(self, sentence: str) -> None:
        """Say what begins."""
        self._progress.update(self._task, description=sentence)
