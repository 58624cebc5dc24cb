"""The pages themselves, run by Streamlit's own test runner with the loaders replaced."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import access, loaders, writing
from dashboard.access import Person
from dashboard.database import DataUnavailable, Trouble
from dashboard.english import ENGLISH
from dashboard.german import GERMAN
from dashboard.maintenance_rows import OrderDetail
from dashboard.rows import LineSnapshot, RefusedMessage
from dashboard.settings import DashboardSettings
from services.contracts.user_file import Role
from services.runtime.settings import PostgresSettings
from tests.fakes.dashboard_rows import (
    NOW,
    SCRIPT,
    camera,
    contained,
    defect,
    event,
    health,
    healthy,
    line,
    machine,
    maintenance,
    model_use,
    order,
    rejected,
    report_row,
    status,
    stray_camera,
)

DOOR = str(Path(dashboard.__file__).with_name("streamlit_app.py"))
PAGES = [
    "app_pages/line.py",
    "app_pages/pipeline_health.py",
    "app_pages/maintenance_report.py",
    "app_pages/maintenance.py",
]

Loader = Callable[..., object]


def shown(at: AppTest) -> str:
    parts = [*at.markdown, *at.caption, *at.error, *at.warning, *at.info, *at.success, *at.subheader]
    return "\n".join(str(part.value) for part in parts).replace("\\", "").replace("\u2060", "")


def open_page(page: str) -> AppTest:
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.run()
    return at if page == PAGES[0] else at.switch_page(page).run()


@pytest.fixture
def replace(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Replace loaders by what they shall answer; a `Trouble` is raised."""
    st.cache_data.clear()
    given = DashboardSettings(postgres=PostgresSettings.model_validate({"url": "postgresql://nowhere"}))
    monkeypatch.setattr(loaders, "settings", lambda: given)

    def replacement(answer: object) -> Loader:
        def load(*_arguments: object) -> object:
            if isinstance(answer, Trouble):
                raise DataUnavailable(answer)
            return answer

        return load

    def replace_all(**answers: Any) -> None:
        usual: dict[str, Any] = {"line": line(), "newest_defects": [], "health": health(), "report": []}
        usual |= {
            "refused_messages": [],
            "refused_picture": None,
            "maintenance": maintenance(),
            "order_detail": OrderDetail((), ()),
        }
        for name, answer in (usual | answers).items():
            monkeypatch.setattr(loaders, name, replacement(answer))

    return replace_all


FULL_LINE = line(
    machines=(machine("washer-1", 10.0, SCRIPT),),
    cameras=(camera("cam-2", "washer-1"), camera("cam-3", "washer-1", age_s=99), stray_camera(SCRIPT)),
)


def test_line_page_shows_figures_and_names_silent_and_unassigned_cameras(replace: Callable[..., None]) -> None:
    replace(line=FULL_LINE, newest_defects=[defect(None)])
    at = open_page(PAGES[0])
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric}["Cameras delivering"] == "2 / 3"
    text = shown(at)
    assert "Silent: cam-3" in text
    assert f"In no line file: {SCRIPT}" in text
    assert "oil spot" in text
    assert "Picture no longer kept" in text
    assert len(at.dataframe) == 2


def test_line_page_names_a_camera_that_the_monitor_does_not_trust(replace: Callable[..., None]) -> None:
    reason = "cam-2 shows a blemish that does not move with the strip, since coil C-3."
    orders = (order("WO-000001"), order("WO-000002", group_id="camera:cam-2", machine_ids=[], reason=reason))
    replace(line=FULL_LINE, maintenance=maintenance(machines=(healthy("washer-1"),), orders=orders))
    text = shown(open_page(PAGES[0]))
    assert f"**cam-2: look at the camera.** {reason}" in text
    assert "WO-000001" not in text


def test_line_page_never_calls_old_frames_live(replace: Callable[..., None]) -> None:
    replace(line=line(machines=(machine("washer-1", 1.0),), cameras=(camera("cam-2", "washer-1", age_s=120),)))
    text = shown(open_page(PAGES[0]))
    assert "Not live" in text
    assert ENGLISH["fresh.live"] not in text.replace("Not live", "")


def test_health_page_shows_delays_refusals_spools_and_models(replace: Callable[..., None]) -> None:
    replace(
        line=FULL_LINE,
        health=health(rejected=(rejected(detail=SCRIPT),), statuses=(status("cam-2"),), models=(model_use(),)),
    )
    at = open_page(PAGES[1])
    assert not at.exception
    values = {metric.label: metric.value for metric in at.metric}
    assert values["Typical delay, 5 min"] == "80 ms"
    assert values["Refused, 24 h"] == "3"
    assert "Add it to `line.yaml`" in shown(at)
    assert len(at.dataframe) == 3


def test_report_page_shows_table_and_counts_each_machine_once(replace: Callable[..., None]) -> None:
    rows = [report_row("washer-1", "oil_spot", 1000, 30), report_row("washer-1", "crease", 1000, 5)]
    replace(report=[*rows, report_row(SCRIPT, None, 0, 0)])
    at = open_page(PAGES[2])
    assert not at.exception
    assert {metric.label: metric.value for metric in at.metric} == {
        "Frames inspected": "1\u202f000",
        "Defect frames": "35",
    }
    assert len(at.dataframe[0].value) == 3


def test_maintenance_page_shows_the_work_list_and_what_belongs_to_an_order(replace: Callable[..., None]) -> None:
    orders = (
        order("WO-000007"),
        order("WO-000008", group_id=f"camera:{SCRIPT}", machine_ids=[], damage_code=None),
    )
    detail = OrderDetail((contained("C-3"), contained("C-4")), (event("Ada", SCRIPT),))
    replace(maintenance=maintenance(machines=(healthy("washer-1", SCRIPT),), orders=orders), order_detail=detail)
    at = open_page(PAGES[3])
    assert not at.exception
    tables = [frame.value for frame in at.dataframe]
    assert [len(table) for table in tables] == [1, 2, 2, 1]
    assert tables[1][ENGLISH["table.where"]].tolist() == ["skinpass-1", f"camera {SCRIPT}"]
    text = shown(at)
    assert "WO-000007: rolled pit at skinpass-1" in text
    assert "millsight work-orders" in text
    assert "Change or grind the work roll." in text


def test_an_order_is_linked_by_its_number_and_a_wrong_number_falls_back_to_the_first(
    replace: Callable[..., None],
) -> None:
    replace(maintenance=maintenance(orders=(order("WO-000007"), order("WO-000008"))))
    for asked, told in (("WO-000008", "WO-000008"), ("<script>", "WO-000007")):
        at = AppTest.from_file(DOOR, default_timeout=20).run()
        at.query_params["order"] = asked
        at.switch_page(PAGES[3]).run()
        assert not at.exception
        assert f"{told}: rolled pit" in shown(at)


@pytest.mark.parametrize("page", PAGES)
def test_empty_database_gives_a_sentence_that_says_what_to_do(page: str, replace: Callable[..., None]) -> None:
    replace(health=health(newest_captured_at=None, points=()))
    at = open_page(page)
    assert not at.exception
    assert any(ENGLISH[key] in shown(at) for key in ("fresh.empty", "report.empty", "work.none.open"))


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("trouble", list(Trouble))
def test_database_in_trouble_gives_a_sentence_and_no_stale_figures(
    page: str, trouble: Trouble, replace: Callable[..., None]
) -> None:
    replace(
        **dict.fromkeys(("line", "newest_defects", "health", "report", "maintenance", "order_detail"), trouble)
    )
    at = open_page(page)
    assert not at.exception
    assert ENGLISH[trouble.value] in [error.value for error in at.error]
    assert not at.metric


def test_missing_setting_gives_a_sentence_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DASHBOARD_POSTGRES__URL_FILE", raising=False)
    st.cache_resource.clear()
    st.cache_data.clear()
    at = open_page(PAGES[0])
    assert not at.exception
    assert "DASHBOARD_POSTGRES" in shown(at)


def test_chosen_time_is_asked_for_and_kept_in_the_address(
    replace: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace()
    asked: list[int] = []

    def line(minutes: int) -> LineSnapshot:
        asked.append(minutes)
        return FULL_LINE

    monkeypatch.setattr(loaders, "line", line)
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.query_params["minutes"] = "60"
    at.run()
    assert set(asked) == {60}
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.query_params["minutes"] = "<script>"
    at.run()
    assert asked[-1] == 15
    assert "minutes" not in at.query_params


def test_period_that_ends_before_it_starts_gives_a_sentence(replace: Callable[..., None]) -> None:
    replace()
    at = AppTest.from_file(DOOR, default_timeout=20).run()
    at.query_params["period"] = "own"
    at.query_params["from"] = f"{NOW + timedelta(days=1):%Y-%m-%dT%H:%MZ}"
    at.query_params["to"] = f"{NOW:%Y-%m-%dT%H:%MZ}"
    at.switch_page(PAGES[2]).run()
    assert not at.exception
    assert ENGLISH["period.wrong"] in shown(at)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_speaks_the_language_that_the_address_asks_for_and_keeps_to_it(
    replace: Callable[..., None], page: str
) -> None:
    replace(
        line=Trouble.GONE,
        newest_defects=Trouble.GONE,
        health=Trouble.GONE,
        report=Trouble.GONE,
        maintenance=Trouble.GONE,
    )
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.query_params["lang"] = "de"
    at.run()
    if page != PAGES[0]:
        at.switch_page(page).run()
    assert not at.exception
    assert GERMAN[Trouble.GONE.value] in [error.value for error in at.error]


def test_a_language_nobody_wrote_is_english(replace: Callable[..., None]) -> None:
    replace(line=Trouble.GONE, newest_defects=Trouble.GONE)
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.query_params["lang"] = "tlh"
    at.run()
    assert ENGLISH[Trouble.GONE.value] in [error.value for error in at.error]


def a_refused(**changes: Any) -> RefusedMessage:
    values: dict[str, Any] = {
        "frame_id": UUID(int=5), "camera_id": "cam-2", "reason": "truncated_image", "detail": SCRIPT,
        "rejected_at": NOW, "payload_bytes": 2048, "second_look": None, "problem": None, **changes,
    }  # fmt: skip
    return RefusedMessage(**values)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENGINEER])
def test_only_an_engineer_has_a_refused_message_sent_again(
    replace: Callable[..., None], monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    asked: list[UUID] = []
    replace()
    loader = st.cache_data(lambda: [a_refused(), a_refused(frame_id=UUID(int=6), second_look="waiting")])
    monkeypatch.setattr(loaders, "refused_messages", loader)
    monkeypatch.setattr(access, "person", lambda: Person("Ada", role))
    monkeypatch.setattr(writing, "ask_second_look", asked.append)
    at = open_page(PAGES[1])
    assert not at.exception
    assert any("waits to be sent" in table.value.to_string() for table in at.dataframe)
    assert "Nothing could be seen in this message" in shown(at)
    pressed = [button for button in at.button if button.label == "Send it again"]
    if role < Role.ENGINEER:
        assert pressed == []
        assert "Log in as an engineer" in shown(at)
        return
    pressed[0].click().run()
    assert not at.exception
    assert asked == [UUID(int=5)]
