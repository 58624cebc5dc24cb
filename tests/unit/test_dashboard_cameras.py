"""What the cameras page says, what the wizard tells people to do, and the page itself with replaced loaders."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
import yaml
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import cameras_loaders, loaders
from dashboard.cameras_plug_in import check_entry, command, line_entry, topic_of, usual_position_m
from dashboard.cameras_rows import CameraNow, CamerasSnapshot, KeptPicture
from dashboard.cameras_view import camera_table, figures, judge, picture_caption, sentences
from dashboard.database import DataUnavailable, Trouble
from dashboard.settings import DashboardSettings
from dashboard.states import State
from services.contracts.errors import ConfigurationError
from services.runtime.settings import PostgresSettings
from tests.fakes.dashboard_rows import NOW, SCRIPT, line, machine

DOOR = str(Path(dashboard.__file__).with_name("streamlit_app.py"))
PAGE = "app_pages/cameras.py"
MACHINES = (machine("washer-1", 40.0), machine("mill-1", 44.0))


def bare(text: str) -> str:
    return text.replace("\\", "").replace("\u2060", "")


def camera(camera_id: str, *, age_s: float | None = 0.5, **changes: Any) -> CameraNow:
    seen_at = None if age_s is None else NOW - timedelta(seconds=age_s)
    values: dict[str, Any] = {
        "camera_id": camera_id, "line_id": "strip-1", "machine_id": "washer-1", "position_m": 41.0,
        "assigned": True, "last_captured_at": seen_at, "last_received_at": seen_at,
        "frames": 600, "defects": 5, "missing": 3,
        "brightness": 0.42, "saturated": 0.01, "sharpness": 310.0, "room_state": "running", "room_reason": None,
        "reported_at": NOW - timedelta(seconds=2), "spooled_frames": 7, "dropped_ever": 11, "conditions": [],
        "condition_reason": None, "work_order_no": None, **changes,
    }  # fmt: skip
    return CameraNow(**values)


def stray(camera_id: str) -> CameraNow:
    return camera(camera_id, line_id="unassigned", machine_id="unassigned", position_m=None, assigned=False)


def snapshot(*cameras: CameraNow) -> CamerasSnapshot:
    return CamerasSnapshot(NOW, 300.0, cameras)


@pytest.mark.parametrize(
    ("row", "state"),
    [
        pytest.param(camera("a"), State.RUNNING, id="delivers"),
        pytest.param(camera("a", age_s=120), State.SILENT, id="old frame"),
        pytest.param(camera("a", age_s=None, frames=0), State.NO_DATA, id="never"),
        pytest.param(stray("a"), State.UNASSIGNED, id="no line file names it"),
        pytest.param(camera("a", last_captured_at=NOW - timedelta(hours=1)), State.BEHIND, id="backlog"),
    ],
)
def test_a_camera_is_judged_by_its_newest_frame(row: CameraNow, state: State) -> None:
    assert judge(snapshot(row), 10.0)[0].state is state


def test_figures_and_table_count_what_was_lost() -> None:
    cameras = judge(snapshot(camera("a", conditions=["dirty"]), camera("b", age_s=120)), 10.0)
    assert figures(cameras) == {"delivering": "1 / 2", "attention": "1", "missing": "6", "camera_dropped": "22"}
    row = camera_table(cameras, 300.0)[0]
    assert (row["Pictures"], row["Missing, 5 min"], row["Waiting on disk"]) == ("dirty", 3, 7)
    assert row["Frames/min"] == 120.0


def test_sentences_say_place_rate_look_condition_and_room() -> None:
    row = camera("cam-1", conditions=["out_of_focus"], condition_reason=SCRIPT, room_reason="disk is full")
    said = bare("\n".join(sentences(judge(snapshot(row), 10.0)[0], 300.0, NOW)))
    for part in (
        "cam-1 is running", "behind washer-1 at 41.0 m", "120.0 frames a minute", "3 missing", "brightness 42.0 %",
        f"out of focus. {SCRIPT}", "7 frames wait", "11 were dropped", "disk is full",
    ):  # fmt: skip
        assert part in said
    bare_camera = camera("cam-1", reported_at=None, room_state=None, spooled_frames=None)
    assert "No camera room" in "\n".join(sentences(judge(snapshot(bare_camera), 10.0)[0], 300.0, NOW))


def test_a_picture_that_is_not_the_newest_frame_is_said_to_be_so() -> None:
    judged = judge(snapshot(camera("a")), 10.0)[0]
    old = KeptPicture(NOW - timedelta(minutes=30), "oil_spot", b"")
    assert "was not kept" in picture_caption(old, judged, NOW)
    newest = KeptPicture(NOW - timedelta(seconds=0.5), "oil_spot", b"")
    assert picture_caption(newest, judged, NOW).startswith("Newest frame")


@pytest.mark.parametrize("odd", ["", "dlq", "a b", "cam/7", SCRIPT, "a" * 65, "käm", "$(reboot)"])
def test_odd_names_get_neither_topic_nor_command(odd: str) -> None:
    with pytest.raises(ConfigurationError):
        topic_of(odd)
    with pytest.raises(ConfigurationError):
        command(odd, "usb", "h:9092")


def test_commands_keep_passwords_out_of_the_command_line_and_quote_the_broker() -> None:
    usb = command("cam-7", "usb", "h:9092; reboot")
    assert usb == "millsight camera run --camera-id cam-7 --source usb:0 --broker 'h:9092; reboot'"
    rtsp = command("cam-7", "rtsp", "h:9092")
    assert rtsp.startswith("MILLSIGHT_CAMERA_SOURCE=rtsp://USER:PASSWORD@")
    assert "--source" not in rtsp


@pytest.mark.parametrize("camera_id", ["cam-7", "12", "on", "1e3", "null", "-", "_"])
def test_an_entry_reads_back_as_it_was_meant(camera_id: str) -> None:
    entry = line_entry(camera_id, usual_position_m(MACHINES[0], MACHINES), MACHINES[0])
    assert yaml.safe_load(entry) == [{"id": camera_id, "position_m": 42.0, "behind": "washer-1"}]
    check_entry(entry, MACHINES[0], MACHINES, [camera("cam-1"), stray(SCRIPT)])


def test_an_entry_the_line_file_would_refuse_is_refused_with_its_reason() -> None:
    with pytest.raises(ConfigurationError, match="behind 'mill-1'") as raised:
        check_entry(line_entry("cam-7", 60.0, MACHINES[0]), MACHINES[0], MACHINES, [])
    assert "millsight-entry" not in str(raised.value)
    with pytest.raises(ConfigurationError, match="twice"):
        check_entry(line_entry("cam-1", 42.0, MACHINES[0]), MACHINES[0], MACHINES, [camera("cam-1")])


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Replace what the loaders answer; a `Trouble` is raised."""
    st.cache_data.clear()
    url = PostgresSettings.model_validate({"url": "postgresql://nowhere"})
    monkeypatch.setattr(loaders, "settings", lambda: DashboardSettings(postgres=url))
    monkeypatch.setattr(loaders, "line", lambda _minutes: line(machines=MACHINES))
    monkeypatch.setattr(loaders, "newest_defects", lambda _limit: [])
    monkeypatch.setattr(cameras_loaders, "newest_picture", lambda _camera: None)

    def answer(found: object) -> None:
        def cameras() -> object:
            if isinstance(found, Trouble):
                raise DataUnavailable(found)
            return found

        monkeypatch.setattr(cameras_loaders, "cameras", cameras)

    return answer


def open_page(**address: str) -> AppTest:
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.run()
    at.switch_page(PAGE)
    for name, value in address.items():
        at.query_params[name] = value
    return at.run()


def shown(at: AppTest) -> str:
    parts = [*at.markdown, *at.caption, *at.error, *at.warning, *at.info, *at.success, *at.subheader, *at.code]
    return bare("\n".join(str(part.value) for part in parts))


def test_the_page_shows_figures_table_and_the_camera_of_the_address(replace: Callable[[object], None]) -> None:
    replace(snapshot(camera("cam-1", work_order_no="WO-000001"), camera("cam-2"), stray(SCRIPT)))
    at = open_page(camera="cam-2")
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric}["Cameras delivering"] == "3 / 3"
    assert at.selectbox(key="camera").value == "cam-2"
    assert "cam-2 is running" in shown(at)
    assert SCRIPT in shown(at)
    assert len(at.dataframe) == 1
    at.selectbox(key="camera").select("cam-1").run()
    assert not at.exception


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(snapshot(), "No camera is known yet", id="empty"),
        pytest.param(Trouble.GONE, "database does not answer", id="database gone"),
    ],
)
def test_without_data_the_page_says_what_to_do(
    replace: Callable[[object], None], found: object, words: str
) -> None:
    replace(found)
    at = open_page()
    assert not at.exception
    assert words in shown(at)


def test_the_wizard_leads_from_a_name_to_a_place(replace: Callable[[object], None]) -> None:
    replace(snapshot(camera("cam-1")))
    at = open_page(view="plug_in")
    assert "Type a name" in shown(at)
    at.text_input(key="new camera").set_value("cam 7!").run()
    assert "cam 7! cannot name a camera" in shown(at)
    at.text_input(key="new camera").set_value("cam-7").run()
    assert not at.exception
    text = shown(at)
    for part in (
        "frames.cam-7",
        "Waiting for the first frame",
        "--camera-id cam-7",
        "HOST:9092",
        "millsight db line",
    ):
        assert part in text
    assert "- { id: cam-7, position_m: 42, behind: washer-1 }" in text
    at.number_input[0].set_value(60.0).run()
    assert "This place would be refused" in shown(at)


def test_the_wizard_sees_the_first_frame_and_a_place_already_taken(replace: Callable[[object], None]) -> None:
    replace(snapshot(camera("cam-1"), stray("cam-7")))
    at = open_page(view="plug_in")
    at.text_input(key="new camera").set_value("cam-7").run()
    assert "cam-7 delivers" in shown(at)
    at.text_input(key="new camera").set_value("cam-1").run()
    assert "stands in the line file already" in shown(at)
