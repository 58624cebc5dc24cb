"""Work orders go one step at a time, by name, and every step is written down."""

from datetime import UTC, datetime

import psycopg
import pytest

from services.adapters.postgres.monitor_reader import PostgresInspectionReader
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.work_orders import Step, StepRequest, list_work_orders, show_work_order, take_step
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import CoilResult
from tests.fakes.coil_facts import a_coil, a_flag
from tests.fixtures_postgres import Database

NO = "WO-000001"
LIFE: tuple[Step, ...] = ("acknowledge", "start", "done")


@pytest.fixture
def ordered(database: Database, monitor_store: PostgresMonitorStore) -> Database:
    """A database with one new work order."""
    monitor_store.save_coil(CoilResult(a_coil(5), (), [a_flag()]))
    return database


def _step(database: Database, step: Step, **values: str | None) -> str:
    request = StepRequest(NO, step, values.pop("who", None) or "Ada", **values)
    return take_step(database.planner_url, request)


def test_a_work_order_goes_its_way_and_every_step_has_a_name_and_a_time(ordered: Database) -> None:
    before = datetime.now(UTC)
    _step(ordered, "acknowledge", who="Ada", comment="seen")
    _step(ordered, "assign", who="Ada", assigned_to="shift B")
    _step(ordered, "start", who="Bob")
    assert _step(ordered, "done", who="Bob", cause_code="worn work roll", comment="roll changed") == "done"
    _step(ordered, "feedback", who="Cleo", feedback="verified")
    assert _step(ordered, "comment", who="Cleo", comment="spare roll ordered") == "done"
    order, events = show_work_order(ordered.planner_url, NO)
    assert (order.state, order.feedback, order.cause_code, order.assigned_to) == (
        "done", "verified", "worn work roll", "shift B",
    )  # fmt: skip
    assert (order.acknowledged_by, order.started_by, order.finished_by) == ("Ada", "Bob", "Bob")
    assert [(e.who, e.step, e.from_state, e.to_state, e.comment) for e in events[1:]] == [
        ("Ada", "acknowledge", "new", "acknowledged", "seen"),
        ("Ada", "assign", "acknowledged", "acknowledged", "assigned to shift B"),
        ("Bob", "start", "acknowledged", "in_progress", ""),
        ("Bob", "done", "in_progress", "done", "worn work roll; roll changed"),
        ("Cleo", "feedback", "done", "done", "verified"),
        ("Cleo", "comment", "done", "done", "spare roll ordered"),
    ]
    moments = [each.at for each in events[1:]]
    assert moments == sorted(moments)
    assert moments[0] >= before
    assert ordered.value("SELECT closed_at IS NOT NULL FROM flags") is True
    assert ordered.value("SELECT count(*) FROM work_order_events WHERE role = 'millsight_planner'") == 6


@pytest.mark.parametrize(
    ("taken", "step", "values", "sentence"),
    [
        pytest.param((), "start", {}, r"is new: step start needs it to be acknowledged", id="start_unseen"),
        pytest.param((), "done", {}, r"is new: step done needs it to be in_progress", id="done_unseen"),
        pytest.param(LIFE, "reject", {"cause_code": "x"}, r"is done: step reject needs", id="reject_done"),
        pytest.param(LIFE, "acknowledge", {}, r"is done: step acknowledge needs it to be new", id="again"),
        pytest.param((), "reject", {}, r"say why", id="reject_without_cause"),
        pytest.param((), "acknowledge", {"who": "  "}, r"say who", id="nobody"),
        pytest.param((), "assign", {}, r"say to whom", id="assign_nobody"),
        pytest.param((), "comment", {"comment": " "}, r"write the comment", id="empty_comment"),
        pytest.param(LIFE, "feedback", {}, r"say whether the repair worked", id="no_feedback"),
        pytest.param(LIFE[:2], "done", {"feedback": "good"}, r"verified or no_change, not 'good'", id="feedback"),
        pytest.param((), "acknowledge", {"feedback": "verified"}, r"belongs to the steps", id="early_feedback"),
        pytest.param((), "acknowledge", {"comment": "x" * 4001}, r"at most 4000", id="long_comment"),
        pytest.param((), "burn", {}, r"there is no step 'burn'", id="unknown_step"),
    ],
)  # fmt: skip
def test_a_step_out_of_order_is_refused_in_words_and_changes_nothing(
    ordered: Database, taken: tuple[Step, ...], step: Step, values: dict[str, str], sentence: str
) -> None:
    for each in taken:
        _step(ordered, each)
    before = ordered.rows("SELECT * FROM work_orders"), ordered.count("work_order_events")
    with pytest.raises(ConfigurationError, match=sentence):
        _step(ordered, step, **values)
    assert (ordered.rows("SELECT * FROM work_orders"), ordered.count("work_order_events")) == before


def test_an_unknown_work_order_is_named(ordered: Database) -> None:
    with pytest.raises(ConfigurationError, match="there is no work order 'WO-9'"):
        take_step(ordered.planner_url, StepRequest("WO-9", "start", "Ada"))
    with pytest.raises(ConfigurationError, match="there is no work order 'WO-9'"):
        show_work_order(ordered.planner_url, "WO-9")


def test_the_audit_trail_stands_even_against_the_owner(ordered: Database) -> None:
    for statement in (
        "UPDATE work_order_events SET who = 'x'",
        "DELETE FROM work_order_events",
        "TRUNCATE work_order_events",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="audit trail"):
            ordered.execute(statement)


def test_the_list_shows_open_orders_first_by_priority(
    ordered: Database, monitor_store: PostgresMonitorStore
) -> None:
    others = [a_flag(defect_class="crease", severity=4), a_flag(defect_class="oil_spot", severity=1)]
    monitor_store.save_coil(CoilResult(a_coil(6), (), others))
    _step(ordered, "reject", cause_code="no fault found")
    assert [each.work_order_no for each in list_work_orders(ordered.reports_url)] == ["WO-000002", "WO-000003"]
    everything = list_work_orders(ordered.reports_url, everything=True)
    assert [each.state for each in everything] == ["new", "new", "rejected"]
    assert list_work_orders(ordered.reports_url, "strip-9") == []


def test_the_monitor_hears_of_repairs_and_of_rejections(
    ordered: Database, monitor_store: PostgresMonitorStore, reader: PostgresInspectionReader
) -> None:
    start = datetime.now(UTC)
    monitor_store.save_coil(CoilResult(a_coil(6), (), [a_flag(defect_class="crease")]))
    for step in LIFE:
        _step(ordered, step)
    take_step(ordered.planner_url, StepRequest("WO-000002", "reject", "Ada", cause_code="no fault found"))
    events = reader.maintenance_events(start)
    assert [
        (e.work_order_no, e.group_id, e.machine_ids, e.defect_class, e.is_done, e.verified) for e in events
    ] == [
        (NO, "skinpass-1", ("skinpass-1",), "rolled_pit", True, None),
        ("WO-000002", "skinpass-1", ("skinpass-1",), "crease", False, None),
    ]
    _step(ordered, "feedback", feedback="no_change")
    assert [event.verified for event in reader.maintenance_events(start)] == [False, None]
    assert reader.maintenance_events(datetime.now(UTC)) == ()
