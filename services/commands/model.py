"""`millsight model`: which versions there are, which one is served, and what each is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.commands.running_triton import address_of_running_stack

if TYPE_CHECKING:
    from services.trainer.promotion import Promotion

_PROJECT = Path(__file__).resolve().parents[2]
_TAKEN_UP_WITHIN_S = 90.0
_POLL_S = 0.5

app = typer.Typer(help="Versions of the models: list, show, promote, roll back, export.", no_args_is_help=True)

RepositoryOption = Annotated[Path, typer.Option(help="The model repository.")]
UrlOption = Annotated[str | None, typer.Option(help="host:port of Triton; without it the running stack's.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
VersionArgument = Annotated[str, typer.Argument(help="MODEL@VERSION, for instance surface_defects@4.")]


@app.command("list")
def list_versions(
    repository: RepositoryOption = _PROJECT / "model_repository", as_json: JsonOption = False
) -> None:
    """List every version with its accuracy; a star marks the served one."""
    from dataclasses import asdict

    from services.trainer.promotion import summaries

    found = summaries(repository)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=1))
        return
    if not found:
        typer.echo("no model has been published yet: train one with 'millsight train'")
        return
    width = max(len(each.model) for each in found)
    for each in found:
        f1 = "-" if each.grouped_macro_f1 is None else f"{each.grouped_macro_f1:.2f}"
        typer.echo(
            f"{'*' if each.served else ' '} {each.model:<{width}} @{each.version:<3} {each.date:<10}"
            f"  {each.labels} labels  coil-grouped {_percent(each.grouped_top1)}, macro-F1 {f1}"
            f"  random {_percent(each.random_top1)}"
        )


@app.command()
def show(
    version: VersionArgument,
    repository: RepositoryOption = _PROJECT / "model_repository",
    as_json: JsonOption = False,
) -> None:
    """Show the model card of a version: data, split, accuracies, classes, calibration, limits."""
    from services.commands.model_card import card_lines
    from services.trainer.promotion import read_card

    name, number = parse_version(version)
    card = read_card(repository, name, number)
    typer.echo(json.dumps(card, indent=1) if as_json else "\n".join(card_lines(card)))


@app.command()
def promote(
    version: VersionArgument,
    accept: Annotated[str | None, typer.Option(help="Serve it in spite of objections, and say why.")] = None,
    repository: RepositoryOption = _PROJECT / "model_repository",
    triton_url: UrlOption = None,
) -> None:
    """Serve a version; refuses one that lost a class or whose file differs from the trained network."""
    from services.runtime.clock import utc_now
    from services.trainer.promotion import promote as promote_version

    name, number = parse_version(version)
    entry = promote_version(
        repository, name, number, at=utc_now().isoformat(timespec="seconds"), reason=accept or "",
        accepted=accept is not None,
    )  # fmt: skip
    _follow(repository, name, entry, triton_url)


@app.command()
def rollback(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    repository: RepositoryOption = _PROJECT / "model_repository",
    triton_url: UrlOption = None,
) -> None:
    """Serve the version again that was served before."""
    from services.runtime.clock import utc_now
    from services.trainer.promotion import rollback as go_back

    entry = go_back(repository, model, at=utc_now().isoformat(timespec="seconds"))
    _follow(repository, model, entry, triton_url)


@app.command("add-random-split")
def add_random_split(
    version: VersionArgument,
    run: Annotated[Path, typer.Option(help="Directory of the version that was trained on a random split.")],
    repository: RepositoryOption = _PROJECT / "model_repository",
) -> None:
    """Put the accuracy of a run on a random split onto the card of a version: both figures, each by its name."""
    from services.trainer.random_split import add_random_split as add

    name, number = parse_version(version)
    add(repository, name, number, run)
    typer.echo(f"the card of {name} version {number} has the random split of {run} beside its own figures")


@app.command("add-folds")
def add_folds(
    version: VersionArgument,
    run: Annotated[list[Path], typer.Option(help="Directory of the run of one fold; repeated for all folds.")],
    repository: RepositoryOption = _PROJECT / "model_repository",
) -> None:
    """Put what the runs of all folds came to, taken together, onto the card of a version, beside its own."""
    from services.trainer.cross_validation import add_folds as add

    name, number = parse_version(version)
    top1 = add(repository, name, number, run)
    typer.echo(
        f"the card of {name} version {number} has {len(run)} folds by coil beside its own figures:"
        f" top-1 {_percent(top1.value)} of {top1.n} frames"
    )


@app.command()
def report(
    version: VersionArgument,
    out: Annotated[Path, typer.Option(help="Directory for the pictures and the page.")],
    repository: RepositoryOption = _PROJECT / "model_repository",
) -> None:
    """Draw curves, topology, confusion matrix, recall and reliability of a version: PNG files and an HTML page."""
    from services.trainer.promotion import read_card
    from services.trainer.run_report import write_report

    name, number = parse_version(version)
    typer.echo(f"report in {write_report(read_card(repository, name, number), out)}")


@app.command()
def export(
    version: VersionArgument,
    out: Annotated[Path, typer.Option(help="Directory to write; must not exist yet.")],
    target: Annotated[str, typer.Option(help="openvino-int8, onnx, saved-model or keras.")] = "openvino-int8",
    repository: RepositoryOption = _PROJECT / "model_repository",
) -> None:
    """Write a version in a format that other tools read, with its labels and card."""
    from services.trainer.settings import prepare_tensorflow

    name, number = parse_version(version)
    prepare_tensorflow(0)
    from services.trainer.exchange import export_version

    export_version(repository, name, number, target, out)
    typer.echo(f"{name} version {number} is in {out} ({target})")


def parse_version(text: str) -> tuple[str, int]:
    """Split MODEL@VERSION.

    Raises:
        ConfigurationError: It is not of this form.
    """
    from services.contracts.errors import ConfigurationError

    name, _, number = text.partition("@")
    if not name or not number.isdecimal():
        raise ConfigurationError(f"{text!r} names no version: write MODEL@VERSION, like surface_defects@4.")
    return name, int(number)


def _follow(repository: Path, model: str, entry: Promotion, triton_url: str | None) -> None:
    """Wait until the running Triton answers with the version; put the old one back when it does not."""
    import time

    from services.contracts.errors import TransientError
    from services.runtime.deadline import Deadline
    from services.trainer.repository import ModelRepository

    url = triton_url or address_of_running_stack()
    if url is None:
        typer.echo(f"{model} version {entry.version} is served from Triton's next start (none runs here)")
        return
    started, deadline = time.monotonic(), Deadline.after(_TAKEN_UP_WITHIN_S)
    while not _answers(url, model, entry.version):
        if deadline.expired:
            if entry.before is not None:
                ModelRepository(repository).serve(model, entry.before)
            raise TransientError(
                f"Triton at {url} did not load {model} version {entry.version} within {_TAKEN_UP_WITHIN_S:.0f} s;"
                f" version {entry.before} is served as before: see 'millsight logs triton'"
            )
        time.sleep(_POLL_S)
    typer.echo(f"{model} version {entry.version} is served ({time.monotonic() - started:.1f} s)")


def _answers(url: str, model: str, version: int) -> bool:
    from services.adapters.triton import TritonClassifier
    from services.contracts.errors import InferenceUnavailable
    from services.runtime.settings import TritonSettings

    client = TritonClassifier(TritonSettings(url=url), model)
    try:
        return client.signature.version == str(version)
    except InferenceUnavailable:
        return False
    finally:
        client.close()


def _percent(value: Any) -> str:  # noqa: ANN401 - a figure of a card, or nothing
    return "-" if value is None else f"{100 * value:.1f} %"
