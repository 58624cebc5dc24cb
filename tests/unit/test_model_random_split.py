"""Both accuracies on one card: the one by coil of the version, the one of a random split of another run."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.commands.model_card import card_lines
from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.card import LIMIT_OF_GROUPED
from services.trainer.promotion import summaries
from services.trainer.random_split import add_random_split
from services.trainer.repository import CARD_FILE, ModelRepository, VersionExtras
from services.trainer.split import CoilSplit
from tests.unit.test_trainer_repository import served_model

BY_COIL = CoilSplit(3, 0.2, frozenset({"c-1"}))
AT_RANDOM = CoilSplit(7, 0.2, frozenset(), frozenset({"a.jpg", "b.jpg"}))


def card(kind: str, top1: float, **changes: object) -> dict[str, Any]:
    report = {"top1": {"value": top1, "wilson95": [0.0, 1.0], "n": 40}, "macro_f1": 0.5, "ece": 0.05}
    of_ten = {**report, "top1": {"value": top1 + 0.02, "wilson95": [0.0, 1.0], "n": 40}}
    return {
        "date": "2026-11-30", "command": f"millsight train {kind}", "start": "none",
        "labels": list(SURFACE_LABELS),
        "data": {"csv_sha256": "f00", "training": {"images": 160, "coils": 9}}, "recipe": {"batch_size": 16},
        "training": {"minutes": 60.0, "images_drawn": 9000},
        "figures": {kind: report, f"{kind}_defects_only": of_ten, f"{kind}_ece_cross_fitted": 0.04},
        "limits": [LIMIT_OF_GROUPED, "a drawing"],
        **changes,
    }  # fmt: skip


def publish(root: Path, name: str, split: CoilSplit, card: dict[str, Any]) -> Path:
    extras = VersionExtras(card, {"split.json": split.as_text()})
    return ModelRepository(root).publish(name, SURFACE_LABELS, served_model(), extras).directory


@pytest.fixture
def version(tmp_path: Path) -> Path:
    return publish(tmp_path / "repository", "steel", BY_COIL, card("coil_grouped_hold_out", 0.8))


def other(tmp_path: Path, **changes: object) -> Path:
    return publish(tmp_path / "runs", "steel_random", AT_RANDOM, card("random_split", 0.7, **changes))


def test_the_card_names_both_accuracies_and_says_that_the_second_is_of_another_run(
    version: Path, tmp_path: Path
) -> None:
    run = other(tmp_path)
    arguments = [
        "model",
        "add-random-split",
        "steel@1",
        "--run",
        str(run),
        "--repository",
        str(version.parents[1]),
    ]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    after = json.loads((version / CARD_FILE).read_text())
    assert after["figures"]["coil_grouped_hold_out"]["top1"]["value"] == 0.8
    assert after["figures"]["random_split"]["top1"]["value"] == 0.7
    assert after["figures"]["random_split_ece_cross_fitted"] == 0.04
    (of_ten,) = [line for line in card_lines(after) if line.startswith("random split, no_defect left out")]
    assert "top-1 72.0 %" in of_ten
    facts = after["figures"]["random_split_run"]
    assert (facts["command"], facts["start"]) == ("millsight train random_split", "none")
    assert facts["split"] == {"file": "split_random.json", "seed": 7, "held_out_share": 0.2}
    assert "of another run with weights of its own" in after["limits"][0]
    assert after["limits"][1:] == ["a drawing"]
    assert CoilSplit.load(version / "split_random.json") == AT_RANDOM
    (line,) = summaries(version.parents[1])
    assert (line.grouped_top1, line.random_top1) == (0.8, 0.7)
    assert after["sha256"] == json.loads((version / CARD_FILE).read_text())["sha256"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"data": {"csv_sha256": "b0a"}}, "was trained on other images than steel@1", id="images"),
        pytest.param({"labels": ["knot"]}, "was trained on other classes than steel@1", id="classes"),
    ],
)
def test_a_run_that_cannot_be_compared_is_refused(
    version: Path, tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    before = (version / CARD_FILE).read_text()
    with pytest.raises(ConfigurationError, match=sentence):
        add_random_split(version.parents[1], "steel", 1, other(tmp_path, **changes))
    assert (version / CARD_FILE).read_text() == before
    assert not (version / "split_random.json").exists()


def test_a_run_of_the_wrong_kind_or_place_is_named(version: Path, tmp_path: Path) -> None:
    run, repository = other(tmp_path), version.parents[1]
    for given, sentence in (
        (version, "is no run on a random split: train it with --split"),
        (tmp_path / "nowhere", "is no version of a model"),
        (tmp_path / "runs" / "steel_random" / "9", "There is no version 9 of model steel_random"),
    ):
        with pytest.raises(ConfigurationError, match=sentence):
            add_random_split(repository, "steel", 1, given)
    with pytest.raises(ConfigurationError, match="steel_random@1 was not split by coil"):
        add_random_split(run.parents[1], "steel_random", 1, run)
