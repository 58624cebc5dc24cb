"""Every frame judged once, by a run that has seen nothing of its coil: runs of all folds, taken together.

One hold-out says what one set of weights is worth on one part of the coils. Cross-validation says what the
recipe is worth on all of them; its weights are not the served ones, and the card says so.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.contracts.errors import ConfigurationError
from services.trainer.answers import Answer, read_answers
from services.trainer.card import GROUPED
from services.trainer.judgement import accuracy_interval, macro_f1, macro_f1_interval
from services.trainer.lineage import START_NOTE
from services.trainer.metrics import Share, class_figures
from services.trainer.promotion import read_card, read_card_in
from services.trainer.repository import CARD_FILE, write_whole
from services.trainer.split import SPLIT_FILE, CoilSplit

FOLDS, FOLDS_FILE = "coil_grouped_folds", "held_out_folds.csv"
_FEWEST = 2
_SHARES = (
    ("lenient_top1",),
    ("accuracy_at_80_percent_coverage",),
    ("evidence_in_box",),
    ("evidence_centre_in_box",),
    ("no_defect_gate", "clean_windows_called_a_defect"),
    ("no_defect_gate", "defect_frames_called_a_defect"),
    ("no_defect_gate", "clean_called_a_defect_at_90_percent_recall"),
    ("int8_against_fp32", "fp32_top1"),
    ("int8_against_fp32", "same_answer"),
)
"""Further figures of the cards that are shares of held-out frames or windows, and so add up."""


@dataclass(frozen=True, slots=True)
class _Run:
    directory: Path
    card: dict[str, Any]
    split: CoilSplit
    answers: list[Answer]


def add_folds(repository: Path, model: str, version: int, runs: Sequence[Path]) -> Share:
    """Put what the runs of all folds came to, taken together, onto the card of a version.

    Args:
        repository: The model repository.
        model: Name of the model.
        version: The version that the card is of.
        runs: Directories of the published versions, one per fold.

    Returns:
        Top-1 over all frames.

    Raises:
        ConfigurationError: A run is missing or of another kind, set or recipe, a coil was held out twice, frames
            of the set were held out by none, or the card cannot be written.
    """
    folder = repository / model / str(version)
    card = read_card(repository, model, version)
    read = [_read(run) for run in runs]
    _check(card, f"{model}@{version}", read)
    figures = _figures(read, card["labels"])
    card["figures"][FOLDS] = figures
    try:
        write_whole(folder / FOLDS_FILE, _table(read))
        write_whole(folder / CARD_FILE, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}.") from error
    return _top1(read)


def _read(run: Path) -> _Run:
    card = read_card_in(run)
    split = CoilSplit.load(run / SPLIT_FILE)
    if split.is_random or GROUPED not in card["figures"]:
        raise ConfigurationError(f"{run} did not hold out whole coils: train it with --fold 1/5.")
    return _Run(run, card, split, read_answers(run))


def _check(card: dict[str, Any], name: str, runs: Sequence[_Run]) -> None:
    """Refuse runs that do not make one whole."""
    if len(runs) < _FEWEST:
        raise ConfigurationError("One run is no cross-validation: name the runs of all folds, each with --run.")
    first = runs[0]
    for run in runs:
        if (run.card["data"]["csv_sha256"], run.card["labels"]) != (card["data"]["csv_sha256"], card["labels"]):
            raise ConfigurationError(f"{run.directory} was trained on other images or classes than {name}.")
        if (_recipe(run), _start(run)) != (_recipe(first), _start(first)):
            raise ConfigurationError(
                f"{run.directory} was trained by another recipe or start than {first.directory}."
            )
    coils = [coil for run in runs for coil in run.split.held_out_coils]
    if len(coils) != len(set(coils)):
        twice = next(coil for coil in coils if coils.count(coil) > 1)
        raise ConfigurationError(f"Coil {twice} was held out by two of the runs: name one run of each fold.")
    data = first.card["data"]
    whole, judged = data["training"]["images"] + data["held_out"]["images"], sum(len(run.answers) for run in runs)
    if judged != whole:
        raise ConfigurationError(
            f"The runs judge {judged} of the set's {whole} images: name the runs of all folds, each with --run."
        )


def _recipe(run: _Run) -> dict[str, Any]:
    """What runs must have in common; working time may differ, as folds may share a machine."""
    return {name: value for name, value in run.card["recipe"].items() if name != "time_budget_s"}


def _start(run: _Run) -> list[str]:
    """What the card says of the start: a weights file has its hash there, as two files may bear one name."""
    return [sentence for sentence in run.card["deviations"] if sentence.startswith(START_NOTE)]


def _top1(runs: Sequence[_Run]) -> Share:
    answers = [answer for run in runs for answer in run.answers]
    return Share(sum(answer.called == answer.label for answer in answers), len(answers))


def _figures(runs: Sequence[_Run], labels: Sequence[str]) -> dict[str, Any]:
    answers = [answer for run in runs for answer in run.answers]
    place = {label: index for index, label in enumerate(labels)}
    truth = np.array([place[answer.label] for answer in answers])
    called = np.array([place[answer.called] for answer in answers])
    best_defect = np.array([place[answer.called_defect] for answer in answers])
    coils = [answer.coil for answer in answers]
    return {
        "n": len(answers),
        "top1": _top1(runs).as_json(),
        "top1_bootstrap95_by_coil": _rounded(accuracy_interval(truth, called, coils)),
        "macro_f1": round(macro_f1(truth, called), 4),
        "macro_f1_bootstrap95_by_coil": _rounded(macro_f1_interval(truth, called, coils)),
        "defects_only": {
            "top1": Share(int(np.sum(truth == best_defect)), truth.size).as_json(),
            "top1_bootstrap95_by_coil": _rounded(accuracy_interval(truth, best_defect, coils)),
            "macro_f1": round(macro_f1(truth, best_defect), 4),
            "macro_f1_bootstrap95_by_coil": _rounded(macro_f1_interval(truth, best_defect, coils)),
        },
        "per_class": {
            label: class_figures(label, truth == index, called == index).as_json()
            for label, index in place.items()
            if np.any(truth == index)
        },
        **{names[-1]: share.as_json() for names in _SHARES if (share := _together(runs, names)) is not None},
        "weights": "of these runs, not the served ones: the same network by the recipe given here, on other coils",
        "start": runs[0].card["start"],
        "recipe": _recipe(runs[0]),
        "file": FOLDS_FILE,
        "runs": [_facts(run) for run in runs],
    }


def _together(runs: Sequence[_Run], names: Sequence[str]) -> Share | None:
    """Add up a share over all cards; None when one of them was not measured."""
    hits = n = 0
    for run in runs:
        found: Any = run.card["figures"]
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return None
        hits, n = hits + int(found["hits"]), n + int(found["n"])
    return Share(hits, n)


def _facts(run: _Run) -> dict[str, Any]:
    figures, data, training = run.card["figures"], run.card["data"], run.card["training"]
    return {
        "date": run.card["date"],
        "command": run.card["command"],
        "held_out": {"images": data["held_out"]["images"], "coils": data["held_out"]["coils"]},
        "top1": figures[GROUPED]["top1"],
        "macro_f1": figures[GROUPED]["macro_f1"],
        "ece_cross_fitted": figures[f"{GROUPED}_ece_cross_fitted"],
        "minutes": training["minutes"],
        "images_drawn": training["images_drawn"],
    }


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(bound, 4) for bound in interval]


def _table(runs: Sequence[_Run]) -> str:
    """Every answer with its fold, so that the figures can be reckoned again."""
    text = io.StringIO()
    rows = csv.DictWriter(text, ("fold", *Answer.__dataclass_fields__), lineterminator="\n")
    rows.writeheader()
    for number, run in enumerate(runs, start=1):
        rows.writerows({"fold": number, **asdict(answer)} for answer in run.answers)
    return text.getvalue()
