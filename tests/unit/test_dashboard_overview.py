from datetime import UTC, timedelta

import pytest

from dashboard import charts
from dashboard.diagnosis import advice, model_table, rejected_table, status_table
from dashboard.overview import camera_table, judge, machine_table, stations
from dashboard.states import State
from dashboard.words import plain
from tests.fakes.dashboard_rows import (
    NOW,
    SCRIPT,
    WINDOW_S,
    camera,
    health,
    line,
    machine,
    model_use,
    rejected,
    status,
    stray_camera,
)

LINE = line(
    machines=(machine("uncoiler-1", 2.0), machine("washer-1", 10.0, SCRIPT), machine("trimmer-1", 30.0)),
    cameras=(
        camera("cam-1", "washer-1", position_m=12.0, defects=90),
        camera("cam-2", "washer-1", position_m=20.0, age_s=400, frames=100, defects=0),
        camera("cam-3", "trimmer-1", position_m=31.0, age_s=None, frames=0, defects=0),
        stray_camera("__odd__"),
    ),
)
SILENT_AFTER_S = 10.0


def test_machine_sums_the_cameras_behind_it_and_names_the_next_camera_where_none_stands() -> None:
    overview = judge(LINE, SILENT_AFTER_S)
    uncoiler, washer, trimmer = overview.lines[0].machines
    assert (washer.rate.frames, washer.rate.defects, washer.state) == (1000, 90, State.RUNNING)
    assert (uncoiler.state, uncoiler.watched_by) == (State.NO_CAMERA, "cam-1")
    assert trimmer.state is State.NO_DATA
    assert overview.delivering == 2
    assert [c.row.camera_id for c in overview.silent] == ["cam-2"]
    assert [c.row.camera_id for c in overview.unassigned] == ["__odd__"]


def test_strip_shows_machines_and_cameras_in_strip_order_without_strays() -> None:
    drawn = stations(judge(LINE, SILENT_AFTER_S).lines[0], WINDOW_S)
    assert [station.title for station in drawn] == [
        "uncoiler-1",
        "washer-1",
        "cam-1",
        "cam-2",
        "trimmer-1",
        "cam-3",
    ]


def test_a_silent_camera_and_its_machine_show_no_rates_on_the_strip() -> None:
    silent = line(machines=(machine("washer-1", 10.0),), cameras=(camera("cam-1", "washer-1", age_s=300),))
    washer, cam = stations(judge(silent, SILENT_AFTER_S).lines[0], WINDOW_S)
    assert (washer.first_line, washer.second_line) == ("not seen now", "")
    assert (cam.first_line, cam.second_line) == ("5 min ago", "")


@pytest.mark.parametrize(
    ("health", "shown"),
    [
        pytest.param("maintenance_required", State.MAINTENANCE_REQUIRED, id="flagged"),
        pytest.param("ok", State.OK, id="well"),
        pytest.param("no_data", State.NO_DATA, id="nobody looks"),
        pytest.param(None, State.RUNNING, id="not judged yet"),
        pytest.param("offline", State.RUNNING, id="frames came after the monitor looked"),
    ],
)
def test_the_strip_shows_the_monitors_judgement_of_a_machine(health: str | None, shown: State) -> None:
    overview = judge(LINE, SILENT_AFTER_S, {} if health is None else {"washer-1": health})
    washer = stations(overview.lines[0], WINDOW_S)[1]
    assert (washer.state, washer.first_line) == (shown, "9.0 % defects")
    assert machine_table(overview)[1]["State"] == plain(shown.value)


def test_what_cameras_do_not_show_now_is_never_called_well() -> None:
    silent = line(machines=(machine("washer-1", 10.0),), cameras=(camera("cam-1", "washer-1", age_s=300),))
    washer = stations(judge(silent, SILENT_AFTER_S, {"washer-1": "ok"}).lines[0], WINDOW_S)[0]
    assert (washer.state, washer.first_line) == (State.SILENT, "not seen now")


def test_every_state_has_a_colour_and_a_word() -> None:
    assert set(charts.STATE_COLOURS) == set(State)
    assert all(plain(state.value) for state in State)


def test_tables_leave_figures_out_where_nobody_looks() -> None:
    overview = judge(LINE, SILENT_AFTER_S)
    first = machine_table(overview)[0]
    assert (first["State"], first["Frames/min"], first["Defect rate"]) == ("no camera", None, None)
    assert camera_table(overview)[-1]["State"] == "unassigned"
    assert camera_table(overview)[0]["Frames/min"] == pytest.approx(60.0)


def test_long_lines_go_on_in_a_further_row() -> None:
    one = stations(judge(LINE, SILENT_AFTER_S).lines[0], WINDOW_S)
    drawn = charts.strip_charts(one * 5, charts.LIGHT, per_row=12)
    assert len(drawn) == 3


def test_charts_carry_data_as_data() -> None:
    drawn = charts.strip_charts(stations(judge(LINE, SILENT_AFTER_S).lines[0], WINDOW_S), charts.DARK)[0].to_dict()
    names = [row.get("name") for values in drawn["datasets"].values() for row in values]
    assert SCRIPT in names


def test_advice_says_for_each_trouble_what_to_do_and_is_silent_when_all_is_well() -> None:
    waiting = status("cam-1", oldest_spooled_at=NOW - timedelta(seconds=60), dropped_in_all=7)
    found = advice(
        judge(LINE, SILENT_AFTER_S), health(statuses=(waiting,), rejected=(rejected(),)), SILENT_AFTER_S
    )
    text = "\n".join(found).replace("\\", "")
    for expected in ("cam-2 is silent", "cam-3 never delivered", "Add it to `line.yaml`", "dropped 7 frames",
                     "keeps frames on its disk", "truncated image: 3"):  # fmt: skip
        assert expected in text
    well = line(machines=(machine("washer-1", 1.0),), cameras=(camera("cam-1", "washer-1"),))
    assert advice(judge(well, SILENT_AFTER_S), health(statuses=(status("cam-1"),)), SILENT_AFTER_S) == []


def test_health_tables_mark_old_reports_and_sort_refusals_by_number() -> None:
    old = status("cam-9", reported_at=NOW - timedelta(minutes=5))
    given = health(
        statuses=(old,), rejected=(rejected(frames=1), rejected("empty", frames=9)), models=(model_use(),)
    )
    assert status_table(given)[0]["State"] == "running (old report)"
    assert [row["Reason"] for row in rejected_table(given, UTC)] == ["empty", "truncated image"]
    assert model_table(given, UTC)[0]["Fingerprint"] == "abababababab"
