"""`millsight simulate --evaluate --quick` runs a little of everything and writes the table."""

import json
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.simulator.evaluation.app import EvaluationRequest, evaluate

PROJECT = Path(__file__).parents[2]


def request(folder: Path, scenarios: Path) -> EvaluationRequest:
    return EvaluationRequest(
        scenarios=scenarios,
        card=PROJECT / "scenarios" / "model_card.json",
        output=folder / "results.json",
        ledger_folder=folder / "ledger",
        workers=2,
        quick=True,
    )


def test_a_quick_evaluation_says_something_of_every_study(tmp_path: Path) -> None:
    said: list[str] = []
    summary = evaluate(request(tmp_path, PROJECT / "scenarios"), said.append)
    told = json.loads((tmp_path / "results.json").read_text())
    titles = " ".join(section["title"] for section in told["sections"])
    for word in (
        "In control",
        "R = 10",
        "Ramp",
        "Camera",
        "Welds",
        "Roll mark",
        "Two faults",
        "Repair",
        "Speed",
    ):
        assert word in titles
    assert summary.bars == sum(row["bar"] is not None for section in told["sections"] for row in section["rows"])
    assert "## Bars" in (tmp_path / "results.md").read_text()
    assert any("jobs in" in sentence for sentence in said)


def test_missing_scenarios_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"seeds\.yaml cannot be read"):
        evaluate(request(tmp_path, tmp_path), lambda _: None)
