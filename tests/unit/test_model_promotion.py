"""Promoting and rolling back versions: what is refused, what is served, what is remembered."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import app
from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.promotion import history, objections, promote, rollback, summaries
from services.trainer.repository import CARD_FILE, ModelRepository, VersionExtras
from tests.unit.test_trainer_repository import served_model

SPLIT = {"split.json": '{"held_out_coils": ["1"]}\n'}


def figures(recall: float, low: float, parity: float = 1e-5) -> dict[str, Any]:
    line = {"recall": {"value": recall, "wilson95": [low, 1.0], "hits": 1, "n": 40}}
    return {
        "coil_grouped_hold_out": {
            "top1": {"value": recall, "wilson95": [low, 1.0], "n": 40},
            "macro_f1": 0.5,
            "ece": 0.05,
            "per_class": {"crease": line},
        },
        "parity": {"largest_probability_difference": parity},
    }


def publish(root: Path, *, split: dict[str, str] | None = None, **figure: float) -> int:
    extras = VersionExtras(
        {"date": "2026-11-25", "labels": list(SURFACE_LABELS), "figures": figures(**figure)}, split or SPLIT
    )
    return ModelRepository(root).publish("steel", SURFACE_LABELS, served_model(), extras).version


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    publish(tmp_path, recall=0.7, low=0.6)
    return tmp_path


def served(root: Path) -> int | None:
    return ModelRepository(root).served_version("steel")


def go(root: Path, version: int, *, accepted: bool = False) -> None:
    promote(root, "steel", version, at="2026-11-25T10:00:00+00:00", reason="", accepted=accepted)


def test_a_new_version_waits_until_somebody_promotes_it(repository: Path) -> None:
    publish(repository, recall=0.8, low=0.7)
    assert served(repository) == 1
    go(repository, 2)
    assert served(repository) == 2
    assert [(each.version, each.before) for each in history(repository, "steel")] == [(2, 1)]
    assert [each.served for each in summaries(repository)] == [False, True]


def test_a_class_that_falls_below_the_served_interval_stops_the_promotion(repository: Path) -> None:
    publish(repository, recall=0.59, low=0.5)
    with pytest.raises(ConfigurationError, match=r"crease falls from 70% \(version 1, at least 60%\) to 59%"):
        go(repository, 2)
    assert served(repository) == 1
    go(repository, 2, accepted=True)
    assert served(repository) == 2


def test_a_class_within_the_interval_is_no_objection(repository: Path) -> None:
    publish(repository, recall=0.61, low=0.5)
    assert objections(repository, "steel", 2) == []


def test_broken_parity_other_frames_and_silent_cards_are_objections(repository: Path) -> None:
    publish(repository, recall=0.8, low=0.7, parity=0.01)
    publish(repository, recall=0.8, low=0.7, split={"split.json": "{}\n"})
    assert "differs from the trained network by 0.0100" in objections(repository, "steel", 2)[0]
    assert "other frames" in objections(repository, "steel", 3)[0]
    card = repository / "steel" / "2" / CARD_FILE
    document = json.loads(card.read_text(encoding="utf-8"))
    del document["figures"]["parity"]
    card.write_text(json.dumps(document), encoding="utf-8")
    assert "does not say" in objections(repository, "steel", 2)[0]


def test_damaged_files_are_never_served_not_even_on_purpose(repository: Path) -> None:
    publish(repository, recall=0.8, low=0.7)
    (repository / "steel" / "2" / "model.bin").write_bytes(b"torn")
    with pytest.raises(ConfigurationError, match=r"model\.bin is not the file that its card names"):
        go(repository, 2, accepted=True)
    assert served(repository) == 1


def test_rolling_back_serves_what_was_served_before(repository: Path) -> None:
    with pytest.raises(ConfigurationError, match="No version of steel was served before version 1"):
        rollback(repository, "steel", at="now")
    publish(repository, recall=0.8, low=0.7)
    go(repository, 2)
    assert rollback(repository, "steel", at="now").version == 1
    assert served(repository) == 1
    assert history(repository, "steel")[-1].reason == "rolled back"


def test_an_unknown_version_is_the_users_mistake(repository: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no version 9 of model steel: it has 1"):
        go(repository, 9)
    with pytest.raises(ConfigurationError, match="holds no such model"):
        promote(repository, "wood", 1, at="now", reason="", accepted=False)


def test_the_commands_tell_what_is_served(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MILLSIGHT_HOME", str(tmp_path / "nothing runs"))
    publish(repository, recall=0.8, low=0.7)
    root = ("--repository", str(repository))
    runner = CliRunner()
    done = runner.invoke(app, ["model", "promote", "steel@2", *root], catch_exceptions=False)
    assert "steel version 2 is served from Triton's next start" in done.output
    listed = runner.invoke(app, ["model", "list", *root], catch_exceptions=False).output.splitlines()
    assert listed[0].startswith("  steel @1")
    assert listed[1].startswith("* steel @2")
    shown = runner.invoke(app, ["model", "show", "steel@2", *root], catch_exceptions=False).output
    assert "exported file against trained network: 1.0e-05 at most" in shown
    with pytest.raises(ConfigurationError, match="write MODEL@VERSION"):
        runner.invoke(app, ["model", "show", "steel", *root], catch_exceptions=False)
