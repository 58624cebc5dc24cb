"""The machine page's questions, asked of a real PostgreSQL through the read-only role."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.database import Database, PoolLimits
from dashboard.machine_data import machine_detail, machines
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.work_orders import StepRequest, take_step
from services.contracts.monitor_records import CoilResult
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database as Server


@pytest.fixture
def page(database: Server, monitor_store: PostgresMonitorStore) -> Iterator[Database]:
    """Five coils, a flag on the skin-pass mill since coil C-3."""
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        monitor_store.save_coil(CoilResult(a_coil(number), (a_defect(number, 1000.0 * number + 250),), flags))
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_machines_come_in_strip_order_with_their_state(page: Database) -> None:
    found = machines(page)
    assert [row.machine_id for row in found][:4] == ["uncoiler-1", "welder-1", "washer-1", "skinpass-1"]
    assert {row.machine_id: row.state for row in found}["skinpass-1"] == "maintenance_required"


def test_a_flagged_machine_has_its_flag_its_limit_and_its_points(page: Database, database: Server) -> None:
    found = machine_detail(page, "skinpass-1", "rolled_pit", 30_000)
    (flag,) = found.flags
    assert (flag.work_order_no, flag.onset_coil, flag.matched_rolls) == (
        "WO-000001", "C-3", ["skinpass-1-work-top"],
    )  # fmt: skip
    assert found.limit is not None
    counted = database.rows(
        "select count(*) from millsight.stream_points p join millsight.machine_groups g using (line_id, group_id)"
        " where g.is_current and 'skinpass-1' = any (g.machine_ids) and p.defect_class = 'rolled_pit'"
    )
    assert len(found.points) == counted[0][0]
    assert [point.ended_at for point in found.points] == sorted(point.ended_at for point in found.points)


def test_a_repair_is_followed_by_the_rate_of_the_coils_that_began_after_it(
    page: Database, database: Server, monitor_store: PostgresMonitorStore
) -> None:
    for step in ("acknowledge", "start", "done"):
        take_step(database.planner_url, StepRequest("WO-000001", step, "Ada"))
    now = datetime.now(UTC)
    straddling = a_coil(6, ended_at=now + timedelta(minutes=2))
    monitor_store.save_coil(CoilResult(straddling, (), []))
    [before] = machine_detail(page, "skinpass-1", "rolled_pit", 30).flags
    assert (before.repaired_per_km, before.repaired_km) == (None, None)
    for number in (7, 8):
        monitor_store.save_coil(CoilResult(a_coil(number, ended_at=now + timedelta(minutes=6 * number)), (), []))
    [after] = machine_detail(page, "skinpass-1", "rolled_pit", 30).flags
    assert after.repaired_per_km == pytest.approx(2 * 2.0 / 1.8)
    assert after.repaired_km == pytest.approx(1.8)


def test_a_machine_of_the_same_line_shares_the_limit_and_has_no_flag(page: Database) -> None:
    found = machine_detail(page, "washer-1", "rolled_pit", 30)
    assert found.flags == ()
    assert found.limit is not None


def test_an_unknown_machine_has_nothing(page: Database) -> None:
    found = machine_detail(page, "x'; drop table flags", "rolled_pit", 30)
    assert (found.classes, found.points, found.flags, found.limit) == ((), (), (), None)
