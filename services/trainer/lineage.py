"""What the weights that a run starts from have seen: nothing that figures are measured on may be among it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.trainer.frames import LabelledFrame
from services.trainer.promotion import read_card_in
from services.trainer.repository import sha256_of
from services.trainer.split import SPLIT_FILE, CoilSplit

WEIGHTS_SUFFIX = ".weights.h5"
START_NOTE = "The start "
_VERSION = re.compile(r"(?P<name>[\w-]+)@(?P<version>\d+)")


def version_folder(weights: str, repository: Path) -> Path | None:
    """Return the directory of MODEL@VERSION in a repository; None when the start is something else."""
    named = _VERSION.fullmatch(weights)
    return None if named is None else repository / named["name"] / named["version"]


def start_note(weights: str) -> tuple[str, ...]:
    """Say what a weights file has seen, for the model card of a run that starts from it; empty for other starts.

    Raises:
        ConfigurationError: The note beside the file cannot be read.
    """
    file = Path(weights)
    if not file.is_file():
        return ()
    digest, note = sha256_of(file), note_file(file)
    try:
        known = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        seen = str(known["seen"]) if known.get("sha256") == digest else None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ConfigurationError(f"The note {note} of what {file} has seen cannot be read: {error}.") from error
    if seen is None:
        return (
            f"{START_NOTE}{file.name} (sha256 {digest[:16]}) is a weights file: whether it has seen images"
            " that are held out here is not known.",
        )
    return (f"{START_NOTE}{file.name} (sha256 {digest[:16]}) has seen {seen}.",)


def note_file(weights: Path) -> Path:
    """Where it is noted what a weights file has seen: `rendered.json` beside `rendered.weights.h5`."""
    return weights.with_name(weights.name.removesuffix(WEIGHTS_SUFFIX) + ".json")


def check_lineage(
    folder: Path, csv_file: Path, held_out: Sequence[LabelledFrame], labels: Sequence[str]
) -> tuple[str, ...]:
    """Refuse a start from a version that was trained on images which this run holds out.

    Each run checks the one before it, so the whole line of versions is clean when every one of them was made so.

    Args:
        folder: Of the version that the run starts from.
        csv_file: The labelled frames of this run.
        held_out: The images of this run that figures are measured on.
        labels: Classes of this run, in output order.

    Returns:
        What a reader of the model card must know: that an earlier data set was another one, so that this could not
        be checked. Empty when it was.

    Raises:
        ConfigurationError: The version was trained on held-out images, or does not say how it was split.
    """
    card = read_card_in(folder)
    try:
        known, data = list(card["labels"]), str(card["data"]["csv_sha256"])
    except (KeyError, TypeError) as error:
        raise ConfigurationError(f"The model card in {folder} does not say what it was trained on.") from error
    if known != list(labels):
        return ()  # another material: other images
    if data != sha256_of(csv_file):
        return (
            f"{START_NOTE}was trained on another data set than {csv_file.name}: whether it has seen images"
            " that are held out here is not known.",
        )
    split = CoilSplit.load(folder / SPLIT_FILE)
    seen = [frame.image_path for frame in held_out if not split.is_held_out(frame)]
    if seen:
        raise ConfigurationError(
            f"{folder.parent.name}@{folder.name} was trained on {len(seen)} of the {len(held_out)} held-out"
            f" images, {seen[0]} among them, and every figure would be too good:"
            f" give --split {folder / SPLIT_FILE}, or --weights none."
        )
    return ()
