"""`millsight dataset`: look at labelled images before training, and bring them into one form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.commands.database_urls import REPORTS, UrlFile, url_of
from services.commands.moments import moment

app = typer.Typer(help="Labelled images: check them, and prepare them for training.", no_args_is_help=True)

DirectoryArgument = Annotated[Path, typer.Argument(help="The images.")]
CsvOption = Annotated[Path | None, typer.Option(help="image_path, target or label; else one folder per class.")]
GroupOption = Annotated[list[str] | None, typer.Option(help="Column that names the coil; may be repeated.")]


@app.command()
def check(
    directory: DirectoryArgument,
    csv: CsvOption = None,
    group: GroupOption = None,
    report: Annotated[Path, typer.Option(help="HTML report with pictures.")] = Path("dataset-report.html"),
) -> None:
    """Say what would spoil training (exit code 1) and what makes figures doubtful; write a report."""
    from rich.console import Console
    from rich.progress import Progress

    from services.contracts.errors import ConfigurationError
    from services.trainer.dataset import read_dataset
    from services.trainer.dataset_check import check_dataset
    from services.trainer.dataset_report import html_report

    dataset = read_dataset(directory, csv, group or ())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=len(dataset.entries))
        found = check_dataset(dataset, lambda done, _total: progress.update(task, completed=done))
    try:
        report.write_text(html_report(dataset, found, f"Data set {directory.name}"), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The report {report} cannot be written: {error.strerror}.") from error
    typer.echo(f"{len(dataset.entries)} images, {len(found.counts)} classes, report in {report}")
    for label, count in sorted(found.counts.items()):
        typer.echo(f"  {label:<20} {count:>7}")
    typer.echo(f"near-duplicates: {len(found.alike)} pairs, byte-identical: {len(found.identical)} pairs")
    for sentence in found.warnings:
        typer.echo(f"note: {sentence}")
    for sentence in found.spoils:
        typer.echo(f"spoils training: {sentence}")
    raise typer.Exit(1 if found.spoils else 0)


@app.command()
def prepare(  # noqa: PLR0917 - typer passes options by name
    directory: DirectoryArgument,
    out: Annotated[Path, typer.Option(help="New directory.")],
    csv: CsvOption = None,
    group: GroupOption = None,
    image_px: Annotated[int, typer.Option(min=32, max=1024, help="Side of the images to write.")] = 224,
    held_out_share: Annotated[float, typer.Option(min=0.05, max=0.8)] = 0.2,
    seed: Annotated[int, typer.Option(min=0)] = 20261123,
) -> None:
    """Write the images at the model's size, the CSV with class names, and a grouped and a random split."""
    from rich.console import Console
    from rich.progress import Progress

    from services.trainer.dataset import read_dataset
    from services.trainer.dataset_prepare import FRAMES_FILE, GROUPED_FILE, prepare_dataset
    from services.trainer.split import RANDOM_SPLIT_FILE

    dataset = read_dataset(directory, csv, group or ())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("writing", total=len(dataset.entries))
        done = prepare_dataset(
            dataset, out, image_px=image_px, share=held_out_share, seed=seed,
            on_image=lambda count, _total: progress.update(task, completed=count),
        )  # fmt: skip
    typer.echo(f"data set version {done.version}: {done.images} images in {out}, labels in {out / FRAMES_FILE}")
    typer.echo(f"held out by group: {done.grouped_held_out} images ({GROUPED_FILE})")
    typer.echo(
        f"held out at random: {done.random_held_out} images ({RANDOM_SPLIT_FILE}); leaks where a group has several"
    )


@app.command(name="export-reviews")
def export_reviews(
    out: Annotated[Path, typer.Argument(help="New directory.")],
    since: Annotated[str | None, typer.Option(help="Answered since then (ISO 8601; UTC without a zone).")] = None,
    material: Annotated[str | None, typer.Option(help="Only frames of this material.")] = None,
    base: Annotated[Path | None, typer.Option(help="Images of a set to add the answers to.")] = None,
    base_csv: Annotated[Path | None, typer.Option(help="Its labels; else one folder per class.")] = None,
    url_file: UrlFile = None,
) -> None:
    """Write what people answered in the review queue as a data set that `millsight train` takes."""
    from services.adapters.postgres.reviews import ReviewRequest, reviewed_frames
    from services.trainer.dataset import read_dataset
    from services.trainer.dataset_reviews import FRAMES_FILE, write_reviews

    given = None if base is None else read_dataset(base, base_csv)
    request = ReviewRequest(None if since is None else moment(since, "--since"), material)
    written = write_reviews(reviewed_frames(url_of(url_file, REPORTS), request), out, given)
    total = sum(written.answers.values())
    typer.echo(f"data set version {written.version}: {total} answers in {out}, labels in {out / FRAMES_FILE}")
    for label, count in sorted(written.answers.items()):
        typer.echo(f"  {label:<20} {count:>7}")
    typer.echo(f"corrected by people: {written.corrected}; images of the base set: {written.base_images}")
