"""The model page: what it reads in cards, the measure of drift, and the page itself with loaders replaced."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import model_loaders
from dashboard.database import Trouble
from dashboard.model_card_view import accuracy_table, confusion, curve, limits, recall_table, reliability, share
from dashboard.model_rows import Agreement, ClassCount, Comparison, Drift, HourOfCamera, TwoVerdicts, VersionRow
from dashboard.model_view import drift_table, figures, stability_index, verdict_on, version_table
from dashboard.words import plain
from tests.conftest import PROJECT_ROOT
from tests.fakes.dashboard_app import answering, opened, settings_of_nowhere
from tests.fakes.dashboard_rows import NOW, SCRIPT
from tests.fakes.plant import drawn_jpeg
from tests.unit.test_dashboard_pages import shown

CARDS = sorted((PROJECT_ROOT / "model_repository" / "surface_defects").glob("*/model_card.json"))
FULL: dict[str, Any] = {
    "date": "2026-11-25",
    "training": {"epochs": [{"epoch": 1, "accuracy": 0.5, "loss": 2.0, "image_px": 112}]},
    "figures": {
        "coil_grouped_hold_out": {
            "top1": {"value": 0.75, "n": 400, "wilson95": [0.7, 0.79]}, "macro_f1": 0.6, "ece": 0.05,
            "per_class": {"crease": {"recall": {"value": 0.5, "n": 8, "wilson95": [0.2, 0.8]}}},
        },
        "confusion": {"labels": ["crease", "inclusion"], "rows_true": [[3, 1], [0, 0]]},
        "reliability": [{"confidence": 0.9, "right": 0.8, "n": 40}],
    },
    "limits": [f"Drawn frames say nothing. {SCRIPT}"],
}  # fmt: skip


def version(number: str = "2", card: dict[str, Any] | None = None, **changes: Any) -> VersionRow:
    values: dict[str, Any] = {
        "name": "surface_defects", "version": number, "sha256": "ab" * 32, "registered_at": NOW,
        "labels": ["crease", "inclusion"], "card": FULL if card is None else card, "frames": 1234, "last_at": NOW,
        **changes,
    }  # fmt: skip
    return VersionRow(**values)


NO_FRAMES = Comparison(Agreement(0, 0, 0, 0, 0), ())
DIFFER = Comparison(
    Agreement(10, 8, 2, 0, 2),
    (
        TwoVerdicts(
            UUID(int=1), NOW, "cam-1", "crease", 0.8, "inclusion", 0.7, "inclusion", drawn_jpeg("crease", 1)
        ),
        TwoVerdicts(UUID(int=2), NOW, SCRIPT, "crease", 0.8, "inclusion", 0.7, None, None),
    ),
)
DRIFT = Drift(
    NOW,
    (ClassCount("cam-1", "crease", 150, 20), ClassCount("cam-1", "no_defect", 150, 980)),
    (HourOfCamera("cam-1", NOW, 300, 0.81),),
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page with these versions, this comparison and this drift; a `Trouble` is raised."""
    settings_of_nowhere(monkeypatch)

    def open_page(
        versions: object, compared: Comparison = NO_FRAMES, drift: Drift = DRIFT, **address: str
    ) -> AppTest:
        monkeypatch.setattr(model_loaders, "versions", answering(versions))
        monkeypatch.setattr(model_loaders, "comparison", lambda *_: compared)
        monkeypatch.setattr(model_loaders, "drift", lambda *_: drift)
        return opened("model", **address)

    return open_page


@pytest.mark.parametrize("card_file", CARDS, ids=lambda path: path.parent.name)
def test_the_shipped_cards_are_read_and_both_accuracies_are_named(card_file: Path) -> None:
    card = json.loads(card_file.read_text(encoding="utf-8"))
    rows = accuracy_table(card)
    named = [row[plain("table.set")] for row in rows]
    assert named[:1] + named[2:5] == [
        "held-out coils", "cross-validation by coil (other weights)", "random split",
        "random split, defect classes only",
    ]  # fmt: skip
    assert "n = 420" in str(rows[0][plain("table.top1")])
    assert len(recall_table(version(card=card), None)) == 11
    assert curve(card)
    assert limits(card)


def test_figures_over_folds_have_their_interval_by_coil() -> None:
    top1 = {"value": 0.654, "wilson95": [0.632, 0.674], "n": 1978}
    report = {"top1": top1, "top1_bootstrap95_by_coil": [0.547, 0.752], "macro_f1": 0.58}
    rows = accuracy_table({"figures": {"coil_grouped_folds": report}})
    assert rows[2][plain("table.top1")] == "65.4 % (54.7–75.2 %, n = 1978)"


def test_what_was_not_measured_is_said_and_never_zero() -> None:
    rows = accuracy_table(FULL)
    assert [row[plain("table.top1")] for row in rows[2:4]] == ["not measured"] * 2
    assert share({"value": None, "n": 0, "wilson95": [0, 1]}) == "–"
    assert share({}) == "–"


@pytest.mark.parametrize(
    "card",
    [{}, {"figures": None}, {"figures": {"confusion": 3, "reliability": "x"}, "training": [], "limits": 1},
     {"training": {"epochs": [{"epoch": 1}]}}],
)  # fmt: skip
def test_a_card_of_another_make_leaves_parts_out(card: dict[str, Any]) -> None:
    assert curve(card) == []
    assert confusion(card) == []
    assert reliability(card) == []
    assert limits(card) == []
    assert figures(version(card=card))["model_top1"] == "–"
    assert version_table([version(card=card)])[0][plain("table.top1")] == "–"


def test_the_confusion_matrix_is_by_row_and_leaves_empty_rows_out() -> None:
    cells = confusion(FULL)
    assert [(cell.row, cell.column, cell.value) for cell in cells] == [
        ("crease", "crease", 0.75), ("crease", "inclusion", 0.25),
    ]  # fmt: skip
    assert cells[1].words == "1 of 4 frames"


def test_the_stability_index_is_that_of_the_books() -> None:
    # p = (0.5, 0.5), q = (0.25, 0.75): 0.25 ln 2 + (-0.25) ln(2/3)
    assert stability_index([200, 200], [100, 300]) == pytest.approx(0.274653, abs=1e-6)
    assert stability_index([200, 200], [400, 400]) == pytest.approx(0.0)
    assert stability_index([100, 99], [400, 400]) is None
    assert stability_index([400, 0], [200, 200]) is not None
    assert [verdict_on(each) for each in (0.05, 0.2, 0.3)] == ["stable", "watch", "moved"]


def test_drift_names_the_class_that_changed_most() -> None:
    (row,) = drift_table(DRIFT)
    assert row[plain("table.verdict")] == "moved"
    assert row[plain("table.most_changed")] == "crease: 2.0 % to 50.0 %"
    few = Drift(NOW, (ClassCount("cam-1", "crease", 5, 20),), ())
    assert drift_table(few)[0][plain("table.verdict")] == "fewer than 200 frames"


def test_the_page_shows_card_curve_confusion_and_drift(page: Callable[..., AppTest]) -> None:
    at = page([version()])
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric}["Top-1, held-out coils"] == "75.0 %"
    assert "moved" in at.dataframe[2].value.to_string()
    assert SCRIPT in shown(at)


def test_two_versions_stand_side_by_side(page: Callable[..., AppTest]) -> None:
    at = page(
        [version("2"), version("1", card={})], DIFFER, version="surface_defects@2", other="surface_defects@1"
    )
    assert not at.exception
    text = shown(at)
    assert "Both say the same on 8 of 10 frames (80.0 %)" in text
    assert "surface_defects@2 was right on 0, surface_defects@1 on 2" in text
    assert "A person: inclusion" in text
    assert "No picture kept" in text


def test_versions_without_common_frames_say_how_to_get_some(page: Callable[..., AppTest]) -> None:
    at = page([version("2"), version("1")], other="surface_defects@1")
    assert not at.exception
    assert "No frame of the last 24 hours was judged by both versions" in shown(at).replace("*", "")


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        pytest.param([], "No model version has classified a frame yet", id="none"),
        pytest.param(Trouble.GONE, "does not answer", id="database away"),
        pytest.param([version(card={}, last_at=None)], "no training curve", id="bare card"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    page: Callable[..., AppTest], versions: object, sentence: str
) -> None:
    at = page(versions, drift=Drift(NOW, (), ()))
    assert not at.exception
    assert sentence in shown(at).replace("*", "")
