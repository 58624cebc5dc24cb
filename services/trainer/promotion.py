"""Which version of a model is served: looking at versions, promoting one, going back.

Triton follows `config.pbtxt`, which names the served version. It is replaced at once, and Triton loads the new
version beside the old one before it lets the old one go, so no request fails.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from services.contracts.errors import ConfigurationError
from services.trainer.repository import CARD_FILE, LABELS_FILE, ModelRepository, sha256_of
from services.trainer.split import SPLIT_FILE

HISTORY_FILE = "promotions.json"
PARITY_BAR = 1e-3
_FIGURES = ("figures", "coil_grouped_hold_out")


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """One line of `millsight model list`. Shares are 0 to 1, None where the card has no such figure."""

    model: str
    version: int
    served: bool
    date: str
    labels: int
    grouped_top1: float | None
    grouped_macro_f1: float | None
    random_top1: float | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """One entry of the history: which version was put in place of which, when and why."""

    version: int
    before: int | None
    at: str
    reason: str


def read_card(repository: Path, model: str, version: int) -> dict[str, Any]:
    """Return the model card of a version.

    Raises:
        ConfigurationError: There is no such version, or its card cannot be read.
    """
    path = repository / model / str(version) / CARD_FILE
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ModelRepository(repository).versions(model)
        have = f"it has {', '.join(map(str, known))}" if known else f"{repository} holds no such model"
        raise ConfigurationError(f"There is no version {version} of model {model}: {have}.") from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The model card {path} cannot be read: {error}.") from error
    return card


def read_card_in(folder: Path) -> dict[str, Any]:
    """Return the model card in a version's directory, like `model_repository/NAME/1`.

    Raises:
        ConfigurationError: It is no such directory, or its card cannot be read.
    """
    if not folder.name.isdecimal():
        raise ConfigurationError(
            f"{folder} is no version of a model: name a directory like model_repository/NAME/1."
        )
    return read_card(folder.parent.parent, folder.parent.name, int(folder.name))


def summaries(repository: Path) -> list[VersionSummary]:
    """Return every version of every model, oldest first.

    Raises:
        ConfigurationError: The repository is missing or a card cannot be read.
    """
    if not repository.is_dir():
        raise ConfigurationError(f"There is no model repository {repository}: give --repository.")
    found = ModelRepository(repository)
    names = sorted(entry.name for entry in repository.iterdir() if (entry / LABELS_FILE).is_file())
    return [_summary(repository, name, number, found) for name in names for number in found.versions(name)]


def _summary(repository: Path, name: str, number: int, found: ModelRepository) -> VersionSummary:
    card = read_card(repository, name, number)
    return VersionSummary(
        model=name,
        version=number,
        served=found.served_version(name) == number,
        date=str(card.get("date", "")),
        labels=len(card.get("labels", [])),
        grouped_top1=_number(card, *_FIGURES, "top1", "value"),
        grouped_macro_f1=_number(card, *_FIGURES, "macro_f1"),
        random_top1=_number(card, "figures", "random_split", "top1", "value"),
    )


def _number(card: Mapping[str, Any], *keys: str) -> float | None:
    value: Any = card
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, (int, float)) else None


def objections(repository: Path, model: str, version: int) -> list[str]:
    """Say in sentences what speaks against serving a version; empty when nothing does.

    A class has fallen when its recall lies below the Wilson interval of the served version, on the same held-out
    frames. Files that differ from the card are no objection but an error.

    Raises:
        ConfigurationError: There is no such version, or its files differ from its card.
    """
    card = read_card(repository, model, version)
    folder = repository / model / str(version)
    _check_files(folder, card)
    found = []
    parity = _number(card, "figures", "parity", "largest_probability_difference")
    if parity is None:
        found.append("its card does not say whether the exported file equals the trained network")
    elif parity >= PARITY_BAR:
        found.append(f"the exported file differs from the trained network by {parity:.4f} (allowed {PARITY_BAR})")
    served = ModelRepository(repository).served_version(model)
    if served in (None, version):
        return found
    before = read_card(repository, model, int(served or 0))
    if not _same_frames(folder, repository / model / str(served)):
        found.append(f"it was judged on other frames than version {served}, so the two cannot be compared")
        return found
    return found + _fallen(before, card, int(served or 0))


def _check_files(folder: Path, card: Mapping[str, Any]) -> None:
    for name, expected in card.get("sha256", {}).items():
        if not (folder / name).is_file() or sha256_of(folder / name) != expected:
            raise ConfigurationError(f"{folder / name} is not the file that its card names: publish it again.")


def _same_frames(one: Path, other: Path) -> bool:
    files = [folder / SPLIT_FILE for folder in (one, other)]
    return all(file.is_file() for file in files) and sha256_of(files[0]) == sha256_of(files[1])


def _fallen(before: Mapping[str, Any], card: Mapping[str, Any], served: int) -> list[str]:
    sentences = []
    old: Mapping[str, Any] = before.get("figures", {}).get("coil_grouped_hold_out", {}).get("per_class", {})
    for label, figures in old.items():
        low = figures["recall"]["wilson95"][0]
        now = _number(card, *_FIGURES, "per_class", label, "recall", "value")
        was = figures["recall"]["value"]
        if was is None:
            continue
        if now is None or now < low:
            said = "nothing" if now is None else f"{now:.0%}"
            sentences.append(f"{label} falls from {was:.0%} (version {served}, at least {low:.0%}) to {said}")
    return sentences


def promote(repository: Path, model: str, version: int, *, at: str, reason: str, accepted: bool) -> Promotion:
    """Make a version the served one.

    Args:
        repository: The model repository.
        model: Name of the model.
        version: Which version to serve.
        at: Moment, ISO 8601.
        reason: Kept in the history.
        accepted: Somebody read the objections and wants the version all the same.

    Raises:
        ConfigurationError: There is no such version, its files are damaged, or something speaks against it.
    """
    against = objections(repository, model, version)
    if against and not accepted:
        raise ConfigurationError(
            f"Version {version} of {model} is not promoted: {'; '.join(against)}."
            " Give --accept 'REASON' to serve it all the same."
        )
    found = ModelRepository(repository)
    entry = Promotion(version, found.served_version(model), at, reason or "promoted")
    found.serve(model, version)
    _remember(repository / model, [*history(repository, model), entry])
    return entry


def rollback(repository: Path, model: str, *, at: str) -> Promotion:
    """Serve the version that was served before the present one.

    Raises:
        ConfigurationError: No earlier version is known or left, or its files are damaged.
    """
    found = ModelRepository(repository)
    served = found.served_version(model)
    known, past = found.versions(model), history(repository, model)
    earlier = [each.before for each in past if each.version == served and each.before in known]
    if not earlier or earlier[-1] is None:
        raise ConfigurationError(f"No version of {model} was served before version {served}.")
    target = earlier[-1]
    _check_files(repository / model / str(target), read_card(repository, model, target))
    entry = Promotion(target, served, at, "rolled back")
    found.serve(model, target)
    _remember(repository / model, [*history(repository, model), entry])
    return entry


def history(repository: Path, model: str) -> list[Promotion]:
    """Return who was promoted, oldest first.

    Raises:
        ConfigurationError: The history cannot be read.
    """
    path = repository / model / HISTORY_FILE
    if not path.is_file():
        return []
    try:
        return [Promotion(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"The promotion history {path} cannot be read: {error}.") from error


def _remember(folder: Path, entries: Sequence[Promotion]) -> None:
    partial = folder / f".{HISTORY_FILE}.incoming"
    try:
        partial.write_text(json.dumps([asdict(each) for each in entries], indent=1) + "\n", encoding="utf-8")
        partial.replace(folder / HISTORY_FILE)
    except OSError as error:
        raise ConfigurationError(f"The history cannot be written to {folder}: {error.strerror}.") from error
