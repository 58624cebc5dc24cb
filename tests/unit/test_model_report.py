"""The report of a version is drawn from its card, and leaves out what the card does not hold."""

import json
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.trainer.run_report import write_report
from tests.conftest import served_card


def test_the_shipped_card_gives_a_page_with_its_figures(tmp_path: Path) -> None:
    card = json.loads(served_card().read_text(encoding="utf-8"))
    top1 = card["figures"]["coil_grouped_hold_out"]["top1"]
    page = write_report(card, tmp_path / "report").read_text(encoding="utf-8")
    assert f"{100 * top1['value']:.1f} %" in page
    assert f"{100 * top1['wilson95'][0]:.1f} to {100 * top1['wilson95'][1]:.1f}" in page
    assert {"accuracy.png", "loss.png", "recall.png", "topology.png"} <= {
        entry.name for entry in (tmp_path / "report").iterdir()
    }


def test_confusion_and_reliability_are_drawn_when_the_card_has_them(tmp_path: Path) -> None:
    card = {
        "model_name": "<b>odd</b>",
        "labels": ["a", "b"],
        "figures": {
            "confusion": {"labels": ["a", "b"], "rows_true": [[3, 1], [0, 2]]},
            "reliability": [{"confidence": 0.9, "right": 0.8, "n": 5}],
        },
    }
    page = write_report(card, tmp_path).read_text(encoding="utf-8")
    assert {"confusion.png", "reliability.png"} <= {entry.name for entry in tmp_path.iterdir()}
    assert "<b>odd" not in page
    assert page.count("<img") == 3


def test_a_directory_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_report({}, tmp_path / "file")
