"""Reads a model repository in Triton's layout: which versions there are, and what their cards say."""

import json
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError
from services.domain.inspection import ModelVersion

CARD_FILE: Final = "model_card.json"
LABELS_FILE: Final = "labels.txt"
WEIGHTS_FILE: Final = "model.bin"


def read_versions(repository: Path) -> tuple[ModelVersion, ...]:
    """Return every version of every model that has a card, by name and number.

    Raises:
        ConfigurationError: The repository, a card or a label file cannot be read.
    """
    try:
        cards = sorted(repository.glob(f"*/*/{CARD_FILE}"))
        return tuple(_version(card) for card in cards)
    except OSError as error:
        raise ConfigurationError(f"model repository {repository}: {error.filename}: {error.strerror}") from error


def _version(card_file: Path) -> ModelVersion:
    model = card_file.parent.parent
    try:
        card = json.loads(card_file.read_text(encoding="utf-8"))
        sha256 = str(card["sha256"][WEIGHTS_FILE])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"model card {card_file} is no JSON with sha256 of {WEIGHTS_FILE}: {error}"
        ) from error
    labels = (model / LABELS_FILE).read_text(encoding="utf-8").split()
    return ModelVersion(model.name, card_file.parent.name, sha256, labels, card)
