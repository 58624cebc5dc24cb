"""Cross-validation on a card: the runs of all folds are judged together, and only such runs."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from services.cli import app
from services.commands.model_card import card_lines
from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.answers import ANSWERS_FILE, answers_text, read_answers
from services.trainer.cross_validation import FOLDS, FOLDS_FILE, add_folds
from services.trainer.frames import LabelledFrame
from services.trainer.repository import CARD_FILE, ModelRepository, VersionExtras
from services.trainer.split import CoilSplit
from tests.unit.test_trainer_repository import served_model

CLEAN = len(SURFACE_LABELS) - 1
# Each fold: (coil, true class, called class), then how sure of no_defect where that is called.
FOLD_1 = (("a", 0, 0), ("a", 0, 0), ("b", 1, 0), ("b", 1, 1))
FOLD_2 = (("c", 0, CLEAN), ("c", 1, 1))
TOP1, DEFECTS_ONLY = 4 / 6, 5 / 6
MACRO_F1 = (2 * 2 / (3 + 3) + 2 * 2 / (3 + 2)) / 2


def probabilities(rows: Sequence[tuple[str, int, int]]) -> np.ndarray:
    """The called class at 0.6, the true one next, so that without no_defect the true one is called."""
    answers = np.full((len(rows), len(SURFACE_LABELS)), 0.01)
    for answer, (_, truth, called) in zip(answers, rows, strict=True):
        answer[truth] = 0.3
        answer[called] = 0.6
    return answers


def card(rows: Sequence[tuple[str, int, int]], of: int, **changes: object) -> dict[str, Any]:
    hits = sum(truth == called for _, truth, called in rows)
    report = {
        "top1": {"value": hits / len(rows), "hits": hits, "n": len(rows), "wilson95": [0.0, 1.0]},
        "macro_f1": 0.5,
        "ece": 0.05,
        "per_class": {},
    }
    return {
        "date": "2026-11-30", "command": "millsight train --fold", "start": "rendered.weights.h5",
        "labels": list(SURFACE_LABELS),
        "data": {
            "csv_sha256": "f00", "training": {"images": of - len(rows), "coils": 2},
            "held_out": {"images": len(rows), "coils": len({coil for coil, _, _ in rows})},
        },
        "deviations": ["AdamW.", "The start rendered.weights.h5 (sha256 f00) has seen drawings."],
        "recipe": {"batch_size": 16, "time_budget_s": 60.0 * len(rows)},
        "training": {"minutes": 44.0, "images_drawn": 9000},
        "figures": {
            "coil_grouped_hold_out": report,
            "coil_grouped_hold_out_ece_cross_fitted": 0.04,
            "no_defect_gate": {
                "clean_windows_called_a_defect": {"hits": 1, "n": 10, "value": 0.1, "wilson95": [0.0, 0.4]},
                "defect_frames_called_a_defect": {"hits": 9, "n": 10, "value": 0.9, "wilson95": [0.6, 1.0]},
            },
        },
        "limits": [],
        **changes,
    }  # fmt: skip


def publish(
    root: Path, name: str, rows: Sequence[tuple[str, int, int]], *, of: int = 6, **changes: object
) -> Path:
    frames = [LabelledFrame(f"{name}-{number}.jpg", row[1], row[0]) for number, row in enumerate(rows)]
    split = CoilSplit(3, 0.5, frozenset(coil for coil, _, _ in rows))
    files = {
        "split.json": split.as_text(),
        ANSWERS_FILE: answers_text(frames, probabilities(rows), SURFACE_LABELS),
    }
    extras = VersionExtras(card(rows, of, **changes), files)
    return ModelRepository(root).publish(name, SURFACE_LABELS, served_model(), extras).directory


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return publish(tmp_path / "repository", "steel", FOLD_1)


@pytest.fixture
def folds(tmp_path: Path) -> list[Path]:
    return [
        publish(tmp_path / "runs", "fold_1", FOLD_1),
        publish(tmp_path / "runs", "fold_2", FOLD_2),
    ]


def test_the_answers_of_a_version_can_be_read_again(folds: list[Path]) -> None:
    first, second = read_answers(folds[1])
    assert (first.image_path, first.coil, first.label) == ("fold_2-0.jpg", "c", SURFACE_LABELS[0])
    assert (first.called, first.called_defect, first.confidence) == ("no_defect", SURFACE_LABELS[0], 0.6)
    assert (second.label, second.called) == (SURFACE_LABELS[1], SURFACE_LABELS[1])


def test_the_card_has_the_figures_over_all_frames_beside_its_own(version: Path, folds: list[Path]) -> None:
    runs = [part for fold in folds for part in ("--run", str(fold))]
    arguments = ["model", "add-folds", "steel@1", *runs, "--repository", str(version.parents[1])]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "has 2 folds by coil beside its own figures: top-1 66.7 % of 6 frames" in done.output
    after = json.loads((version / CARD_FILE).read_text())
    assert after["figures"]["coil_grouped_hold_out"]["top1"]["hits"] == 3
    figures = after["figures"][FOLDS]
    assert (figures["n"], figures["top1"]["hits"], figures["top1"]["value"]) == (6, 4, round(TOP1, 4))
    assert figures["macro_f1"] == pytest.approx(MACRO_F1, abs=1e-4)
    assert figures["defects_only"]["top1"]["value"] == round(DEFECTS_ONLY, 4)
    assert figures["per_class"][SURFACE_LABELS[0]]["recall"]["hits"] == 2
    assert figures["clean_windows_called_a_defect"]["value"] == 2 / 20
    assert "lenient_top1" not in figures
    low, high = figures["top1_bootstrap95_by_coil"]
    assert 0 <= low < TOP1 < high <= 1
    assert [run["held_out"] for run in figures["runs"]] == [{"images": 4, "coils": 2}, {"images": 2, "coils": 1}]
    assert figures["start"] == "rendered.weights.h5"
    rows = (version / FOLDS_FILE).read_text().splitlines()
    assert rows[0] == "fold,image_path,coil,label,called,called_defect,confidence"
    assert rows[5] == f"2,fold_2-0.jpg,c,{SURFACE_LABELS[0]},no_defect,{SURFACE_LABELS[0]},0.6"
    (line,) = [line for line in card_lines(after) if line.startswith("coil-grouped folds (other weights")]
    assert f", by coil {100 * low:.1f} to {100 * high:.1f} %" in line


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        pytest.param(lambda root: publish(root, "x", FOLD_1[:2]), "Coil a was held out by two", id="a coil twice"),
        pytest.param(
            lambda root: publish(root, "x", FOLD_2[:1]),
            "The runs judge 5 of the set's 6 images",
            id="a fold missing",
        ),
        pytest.param(
            lambda root: publish(root, "x", FOLD_2, data={"csv_sha256": "b0a"}),
            "was trained on other images or classes than steel@1",
            id="other images",
        ),
        pytest.param(
            lambda root: publish(root, "x", FOLD_2, recipe={"batch_size": 8}),
            "by another recipe or start than",
            id="another recipe",
        ),
        pytest.param(
            lambda root: publish(
                root, "x", FOLD_2, deviations=["The start rendered.weights.h5 (sha256 b0a) has seen drawings."]
            ),
            "by another recipe or start than",
            id="another start of the same name",
        ),
        pytest.param(lambda root: root / "x", "is no version of a model: name a directory", id="no version"),
    ],
)
def test_runs_that_are_no_cross_validation_are_refused(
    version: Path, folds: list[Path], tmp_path: Path, second: Callable[[Path], Path], sentence: str
) -> None:
    before = (version / CARD_FILE).read_text()
    with pytest.raises(ConfigurationError, match=sentence):
        add_folds(version.parents[1], "steel", 1, [folds[0], second(tmp_path / "others")])
    assert (version / CARD_FILE).read_text() == before
    assert not (version / FOLDS_FILE).exists()


def test_one_run_and_a_run_without_its_answers_are_refused(version: Path, folds: list[Path]) -> None:
    with pytest.raises(ConfigurationError, match="One run is no cross-validation"):
        add_folds(version.parents[1], "steel", 1, folds[:1])
    (folds[1] / ANSWERS_FILE).unlink()
    with pytest.raises(ConfigurationError, match="train the version again with this release"):
        add_folds(version.parents[1], "steel", 1, folds)


def test_a_run_on_a_random_split_is_refused(version: Path, folds: list[Path]) -> None:
    split = CoilSplit(3, 0.5, frozenset(), frozenset({"fold_2-0.jpg"}))
    (folds[1] / "split.json").write_text(split.as_text())
    with pytest.raises(ConfigurationError, match="did not hold out whole coils: train it with --fold"):
        add_folds(version.parents[1], "steel", 1, folds)
