"""Work orders are moved on through the planner's role of a real PostgreSQL, and through no other."""

from pathlib import Path

import psycopg
import pytest

from dashboard import writing
from dashboard.database import DataUnavailable
from dashboard.planner import Refused
from dashboard.writing import Step, take_step
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import CoilResult
from services.contracts.user_file import Role
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fakes.dashboard_login import log_in
from tests.fixtures_postgres import Database as Server

ORDER = "WO-000001"


@pytest.fixture
def planner(
    database: Server, monitor_store: PostgresMonitorStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """One open work order, and a dashboard whose planner's URL is in a file; Ada is logged in as an operator."""
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        monitor_store.save_coil(CoilResult(a_coil(number), (a_defect(number, 1000.0 * number + 250),), flags))
    return log_in(monkeypatch, tmp_path, database.planner_url, Role.OPERATOR)


def test_a_step_changes_the_order_and_the_audit_trail_says_who(planner: Path, database: Server) -> None:
    assert take_step(Step(ORDER, "acknowledge", comment="on my way")) == "acknowledged"
    assert take_step(Step(ORDER, "assign", to="Grace")) == "acknowledged"
    assert take_step(Step(ORDER, "comment", comment="waiting for the crane")) == "acknowledged"
    assert database.rows("select state, assigned_to, acknowledged_by from millsight.work_orders") == [
        ("acknowledged", "Grace", "Ada")
    ]
    trail = database.rows("select who, step, comment from millsight.work_order_events order by event_id")
    assert trail[-3:] == [
        ("Ada", "acknowledge", "on my way"),
        ("Ada", "assign", "assigned to Grace"),
        ("Ada", "comment", "waiting for the crane"),
    ]


def test_a_step_out_of_order_or_without_a_cause_is_refused_in_a_sentence(planner: Path) -> None:
    with pytest.raises(Refused, match="step done needs it to be in_progress"):
        take_step(Step(ORDER, "done"))
    with pytest.raises(Refused, match="say why the work order is rejected"):
        take_step(Step(ORDER, "reject"))


def test_the_reading_role_cannot_take_steps(planner: Path, database: Server) -> None:
    planner.write_text(database.dashboard_url, encoding="utf-8")
    with pytest.raises(DataUnavailable):
        take_step(Step(ORDER, "acknowledge"))
    with psycopg.connect(database.dashboard_url) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("select millsight.work_order_step('WO-000001', 'acknowledge', 'Eve')")


def test_without_a_planner_nothing_is_changed_and_the_sentence_says_so(
    planner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planner.unlink()
    with pytest.raises(ConfigurationError, match="nothing can be changed here"):
        take_step(Step(ORDER, "acknowledge"))
    assert writing.Step(ORDER, "acknowledge").comment is None
