"""The correlation page: its words, its charts, and the page itself with loaders replaced."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import correlation_loaders
from dashboard.charts import LIGHT
from dashboard.correlation_charts import cause_bars, heat_map
from dashboard.correlation_rows import CameraCount, CorrelationSnapshot, FlagCause, GroupCount
from dashboard.correlation_view import camera_cells, figures, first_against_seen, group_cells, sentences, shares
from dashboard.database import Trouble
from dashboard.words import plain
from tests.fakes.dashboard_app import answering, opened, settings_of_nowhere
from tests.fakes.dashboard_rows import NOW, SCRIPT
from tests.unit.test_dashboard_pages import shown

GROUPS = (
    GroupCount("washer-1", "cam-2", "oil_spot", 2.0, 2.0, 4000.0),
    GroupCount("skinpass-1", "cam-3", "rolled_pit", 20.0, 4.0, 2000.0),
    GroupCount("coiler-1", "cam-4", "crease", 1.0, 1.0, 0.0),
)
CAMERAS = (
    CameraCount("cam-2", "oil_spot", 2, 2),
    CameraCount("cam-3", "rolled_pit", 20, 19),
    CameraCount("cam-4", "rolled_pit", 21, 2),
)


def flag(**changes: Any) -> FlagCause:
    values: dict[str, Any] = {
        "work_order_no": "WO-000001", "defect_class": "rolled_pit", "group_id": "skinpass-1",
        "machine_ids": ["skinpass-1"], "alarm_at": NOW, "is_open": True, "probability": 0.96,
        "runner_up": "washer-1", "runner_up_probability": 0.03,
        "posterior": {"none": 0.01, "skinpass-1": 0.96, "washer-1": 0.03}, "member_posterior": {}, **changes,
    }  # fmt: skip
    return FlagCause(**values)


def found(**changes: Any) -> CorrelationSnapshot:
    values: dict[str, Any] = {
        "as_of": NOW, "newest_coil_at": NOW - timedelta(minutes=3), "groups": GROUPS, "cameras": CAMERAS,
        "flags": (flag(),), **changes,
    }  # fmt: skip
    return CorrelationSnapshot(**values)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page with this snapshot; a `Trouble` is raised."""
    settings_of_nowhere(monkeypatch)

    def open_page(answer: object, **address: str) -> AppTest:
        monkeypatch.setattr(correlation_loaders, "snapshot", answering(answer))
        return opened("correlation", **address)

    return open_page


def test_rates_are_per_inspected_kilometre_and_nobody_looked_is_no_rate() -> None:
    cells = group_cells(GROUPS)
    assert [(cell.row, cell.value) for cell in cells] == [("washer-1", 0.5), ("skinpass-1", 10.0)]


def test_cameras_are_counted_by_first_sightings_or_by_all() -> None:
    assert [cell.value for cell in camera_cells(CAMERAS, first_only=False)] == [2, 20, 21]
    assert [cell.value for cell in camera_cells(CAMERAS, first_only=True)] == [2, 19, 2]


def test_first_appearance_stands_beside_sightings_and_the_machines_before() -> None:
    rows = first_against_seen(found())
    last = rows[-1]
    assert (last[plain("table.camera")], last[plain("table.sightings")], last[plain("table.first_seen")]) == (
        "cam-4", 21, 2,
    )  # fmt: skip
    assert last[plain("table.group")] == "coiler-1"
    assert rows[1][plain("table.began")] == 20.0


def test_figures_count_defects_once() -> None:
    counted = figures(found())
    assert (counted["correlation_defects"], counted["correlation_sightings"]) == ("23", "43")
    assert figures(found(cameras=()))["correlation_per_defect"] == "–"


def test_causes_are_ranked_and_false_alarm_is_one_of_them() -> None:
    ranked = shares(flag())
    assert [share.cause for share in ranked] == ["skinpass-1", "washer-1", "false alarm"]


def test_machines_that_no_camera_separates_share_the_blame_in_words() -> None:
    both = flag(machine_ids=["a", "b"], member_posterior={"a": 0.7, "b": 0.3}, runner_up=None)
    said = sentences(both)
    assert len(said) == 2
    assert "a 70" in said[1].replace("\\", "")


def test_heat_maps_keep_the_order_of_travel_and_bear_numbers() -> None:
    document = heat_map(group_cells(GROUPS), "per km", LIGHT).to_dict()
    boxes, text = document["layer"]
    assert boxes["encoding"]["y"]["sort"] == ["washer-1", "skinpass-1"]
    assert text["encoding"]["text"]["field"] == "text"
    assert cause_bars(shares(flag()), LIGHT).to_dict()["layer"][0]["encoding"]["y"]["sort"][0] == "skinpass-1"


def test_the_page_shows_maps_causes_and_age(page: Callable[..., AppTest]) -> None:
    at = page(found(flags=(flag(), flag(work_order_no=SCRIPT))), hours="8", first="1")
    assert not at.exception
    text = shown(at)
    assert "Newest judged coil ended 3 min ago" in text
    assert "Most probable cause: skinpass-1 (96.0 %)" in text.replace("*", "")
    assert {metric.label: metric.value for metric in at.metric}["Defects"] == "23"
    assert len(at.dataframe) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(found(groups=(), cameras=(), flags=()), "No coil has been judged in this span", id="nothing"),
        pytest.param(found(flags=()), "No machine has been flagged yet", id="no flag"),
        pytest.param(Trouble.GONE, "does not answer", id="database away"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(
    page: Callable[..., AppTest], answer: object, sentence: str
) -> None:
    at = page(answer)
    assert not at.exception
    assert sentence in shown(at)
