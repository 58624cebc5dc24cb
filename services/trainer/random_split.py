"""Both accuracies on one card: what a run on a random split came to, beside the figures by coil of another run.

One set of weights cannot give both: what was trained by coil has seen images that a random split holds out.
A second run, whose start has seen nothing of what the random split holds out, gives the other figure;
figures and facts of that run go onto the card.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.contracts.errors import ConfigurationError
from services.trainer.card import GROUPED, LIMIT_OF_GROUPED, RANDOM
from services.trainer.promotion import read_card, read_card_in
from services.trainer.repository import CARD_FILE, write_whole
from services.trainer.split import RANDOM_SPLIT_FILE, SPLIT_FILE, CoilSplit

RUN = "random_split_run"
_FIGURES = (RANDOM, f"{RANDOM}_defects_only", f"{RANDOM}_ece_cross_fitted")
_LIMIT = (
    "Accuracy by coil is reported on coils that no weight was fitted to. A random split of this data leaks: frames"
    " of one coil stand on both sides. The figure named random_split is of another run with weights of its own"
    f" ({RUN}), on the images of {RANDOM_SPLIT_FILE}."
)


def add_random_split(repository: Path, model: str, version: int, run: Path) -> None:
    """Put the figures of a run on a random split, and its split, beside those of a version that was split by coil.

    Args:
        repository: The model repository.
        model: Name of the model.
        version: A version whose figures are of coils that were held out whole.
        run: Directory of the other run's published version.

    Raises:
        ConfigurationError: One of the two is missing or of the other kind, they were trained on different images
            or classes, or the card cannot be written.
    """
    folder = repository / model / str(version)
    card = read_card(repository, model, version)
    other = read_card_in(run)
    if GROUPED not in card["figures"]:
        raise ConfigurationError(f"{model}@{version} was not split by coil: name the version to be served.")
    if RANDOM not in other["figures"]:
        raise ConfigurationError(f"{run} is no run on a random split: train it with --split split_random.json.")
    for what, names in (("images", ("data", "csv_sha256")), ("classes", ("labels",))):
        if _part(card, names) != _part(other, names):
            raise ConfigurationError(f"{run} was trained on other {what} than {model}@{version}.")
    split = CoilSplit.load(run / SPLIT_FILE)
    card["figures"] |= {name: other["figures"][name] for name in _FIGURES if name in other["figures"]}
    card["figures"][RUN] = _facts(other, split)
    card["limits"] = [_LIMIT if limit == LIMIT_OF_GROUPED else limit for limit in card["limits"]]
    try:
        write_whole(folder / RANDOM_SPLIT_FILE, split.as_text())
        write_whole(folder / CARD_FILE, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from error


def _facts(card: Mapping[str, Any], split: CoilSplit) -> dict[str, object]:
    return {
        "date": card["date"],
        "command": card["command"],
        "start": card["start"],
        "split": {"file": RANDOM_SPLIT_FILE, "seed": split.seed, "held_out_share": split.held_out_share},
        "training_images": card["data"]["training"]["images"],
        "recipe": card["recipe"],
        "minutes": card["training"]["minutes"],
        "images_drawn": card["training"]["images_drawn"],
    }


def _part(card: Mapping[str, Any], names: tuple[str, ...]) -> object:
    found: Any = card
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found
