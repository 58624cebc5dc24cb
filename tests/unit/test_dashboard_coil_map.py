"""The coil map: its words, its chart, and the page itself with loaders replaced."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import coil_map_loaders
from dashboard.charts import LIGHT
from dashboard.coil_map_charts import coil_map
from dashboard.coil_map_rows import CoilDetail, CoilRow, DefectPlace, SightingRow
from dashboard.coil_map_view import defect_table, figures, shown
from dashboard.database import Trouble
from dashboard.words import plain
from tests.fakes.dashboard_app import answering, opened, settings_of_nowhere
from tests.fakes.dashboard_rows import NOW, SCRIPT
from tests.fakes.plant import drawn_jpeg
from tests.unit.test_dashboard_pages import shown as text_of


def coil(coil_id: str = "C-7", **changes: Any) -> CoilRow:
    values: dict[str, Any] = {
        "line_id": "strip-1", "coil_id": coil_id, "ended_at": NOW, "length_m": 1200.0, "material": "steel_strip",
        "grade": "B", "grade_reason": "4 rolled pits per 100 m", "price": 900.0, "currency": "EUR",
        "quality_loss": 80.0, "defects": 3, "held_back": ["WO-000001"], **changes,
    }  # fmt: skip
    return CoilRow(**values)


def place(defect_id: str = "d-1", **changes: Any) -> DefectPlace:
    values: dict[str, Any] = {
        "defect_id": defect_id, "along_m": 250.0, "across": 0.3, "defect_class": "rolled_pit",
        "class_probability": 0.9, "group_id": "skinpass-1", "group_probability": 0.95, "first_camera": "cam-3",
        "sightings": 2, "periodic": True, "landmark": False, **changes,
    }  # fmt: skip
    return DefectPlace(**values)


def sighting(camera_id: str, **changes: Any) -> SightingRow:
    values: dict[str, Any] = {
        "camera_id": camera_id, "defect_class": "rolled_pit", "confidence": 0.83, "captured_at": NOW,
        "probabilities": {"rolled_pit": 0.83, "inclusion": 0.1}, "spot_x": 0.3, "spot_y": 0.4,
        "model_name": "surface_defects", "model_version": "2", "image": drawn_jpeg("rolled_pit", 1),
        "evidence": None, **changes,
    }  # fmt: skip
    return SightingRow(**values)


LOOKED = SightingRow("cam-2", *[None] * 10)
DEFECTS = (
    place(),
    place("d-2", defect_class="crease", group_id="none", across=None, periodic=False, along_m=600.0),
    place("d-3", defect_class="welding_line", landmark=True, periodic=False, along_m=0.0),
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page with these coils, this detail and these sightings; a `Trouble` is raised."""
    settings_of_nowhere(monkeypatch)

    def open_page(coils: object, detail: object = None, seen: object = (), **address: str) -> AppTest:
        monkeypatch.setattr(coil_map_loaders, "coils", answering(coils))
        monkeypatch.setattr(coil_map_loaders, "detail", lambda *_: detail)
        monkeypatch.setattr(coil_map_loaders, "sightings", lambda *_: seen)
        return opened("coil_map", **address)

    return open_page


def test_marks_of_a_coil_change_stay_whatever_class_is_shown() -> None:
    assert [each.defect_id for each in shown(DEFECTS, "crease")] == ["d-2", "d-3"]
    assert len(shown(DEFECTS, "")) == 3


def test_the_table_says_false_alarm_coil_change_and_roll() -> None:
    rows = defect_table(DEFECTS)
    assert [row[plain("table.cause")] for row in rows][:2] == ["skinpass-1", "false alarm"]
    assert [row[plain("table.note")] for row in rows] == ["repeats with a roll", "", "coil change"]


def test_a_coil_without_a_price_shows_a_dash_and_not_nothing_lost() -> None:
    found = figures(CoilDetail(coil(price=None, quality_loss=None), ()))
    assert (found["coil_price"], found["coil_loss"]) == ("–", "–")


def test_the_map_tells_classes_apart_by_shape_and_rings_periodic_marks() -> None:
    document = coil_map(DEFECTS, 1200.0, LIGHT).to_dict()
    rule, points, rings = document["layer"]
    assert rule["mark"]["type"] == "rule"
    assert points["encoding"]["shape"]["field"] == points["encoding"]["color"]["field"] == "class"
    assert "periodic" in str(rings["transform"])


def test_the_page_shows_the_map_the_hold_and_the_path_past_the_cameras(page: Callable[..., AppTest]) -> None:
    gone = sighting("cam-4", image=None)
    at = page([coil()], CoilDetail(coil(), DEFECTS), (LOOKED, sighting("cam-3"), gone), defect="d-1")
    assert not at.exception
    text = text_of(at)
    assert "Hold this coil back: WO-000001" in text.replace("*", "")
    assert "cam-2 looked there and saw nothing" in text.replace("*", "")
    assert "cam-3: rolled pit (83 %)" in text.replace("*", "")
    assert "rolled pit 83.0 %, inclusion 10.0 %" in text
    assert "Picture no longer kept" in text
    assert {metric.label: metric.value for metric in at.metric}["Grade"] == "B"


def test_odd_names_are_shown_letter_for_letter(page: Callable[..., AppTest]) -> None:
    odd = coil(SCRIPT, grade_reason=SCRIPT)
    at = page([odd], CoilDetail(odd, (place(group_id=SCRIPT),)), (sighting(SCRIPT),))
    assert not at.exception
    assert SCRIPT in text_of(at)


@pytest.mark.parametrize(
    ("coils", "detail", "sentence"),
    [
        pytest.param([], None, "No coil has passed all cameras yet", id="no coil"),
        pytest.param([coil()], None, "not on record", id="gone meanwhile"),
        pytest.param([coil()], CoilDetail(coil(), ()), "No defect was registered", id="clean coil"),
        pytest.param(Trouble.GONE, None, "does not answer", id="database away"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    page: Callable[..., AppTest], coils: object, detail: object, sentence: str
) -> None:
    at = page(coils, detail)
    assert not at.exception
    assert sentence in text_of(at)
