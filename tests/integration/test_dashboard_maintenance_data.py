"""The maintenance page's questions, asked of a real PostgreSQL through the read-only role."""

from collections.abc import Iterator

import pytest

from dashboard.database import Database, PoolLimits
from dashboard.maintenance_data import ALL, CLOSED, OPEN, maintenance_snapshot, order_detail
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.work_orders import StepRequest, take_step
from services.contracts.monitor_records import CoilResult
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database as Server

NUMBERS = ["WO-000001"]


@pytest.fixture
def page(database: Server, monitor_store: PostgresMonitorStore) -> Iterator[Database]:
    """Five coils, a flag on the skin-pass mill since coil C-3."""
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        monitor_store.save_coil(CoilResult(a_coil(number), (a_defect(number, 1000.0 * number + 250),), flags))
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_machines_come_in_strip_order_with_their_state_and_the_order_with_its_flag(page: Database) -> None:
    found = maintenance_snapshot(page, OPEN)
    assert [row.machine_id for row in found.machines][:4] == ["uncoiler-1", "welder-1", "washer-1", "skinpass-1"]
    states = {row.machine_id: row.state for row in found.machines}
    assert states["skinpass-1"] == "maintenance_required"
    (order,) = found.orders
    assert (order.work_order_no, order.state, order.priority, order.machine_ids) == (
        "WO-000001", "new", 2, ["skinpass-1"],
    )  # fmt: skip
    assert (order.onset_coil, order.rate_ratio, order.runner_up) == ("C-3", 5.0, "washer-1")
    assert order.matched_rolls == ["skinpass-1-work-top"]


def test_coils_since_the_onset_are_to_be_held_back(page: Database) -> None:
    contained = order_detail(page, "WO-000001").contained
    assert [row.coil_id for row in contained] == ["C-3", "C-4", "C-5"]
    assert [row.defects for row in contained] == [1, 1, 1]
    assert (contained[0].from_m, contained[1].from_m, contained[1].to_m) == (3200.0, 4000.0, 5000.0)


def test_a_closed_order_leaves_the_open_list_and_keeps_its_trail(page: Database, database: Server) -> None:
    for step in ("acknowledge", "start", "done"):
        take_step(database.planner_url, StepRequest("WO-000001", step, "Ada", feedback=None))
    assert [order.work_order_no for order in maintenance_snapshot(page, OPEN).orders] == []
    for which in (CLOSED, ALL):
        assert [order.work_order_no for order in maintenance_snapshot(page, which).orders] == NUMBERS
    detail = order_detail(page, "WO-000001")
    assert detail.contained == ()
    assert [(row.step, row.who) for row in detail.events][1:] == [
        ("acknowledge", "Ada"), ("start", "Ada"), ("done", "Ada"),
    ]  # fmt: skip


def test_an_unknown_order_has_nothing(page: Database) -> None:
    detail = order_detail(page, "WO-9'; drop table x")
    assert (detail.contained, detail.events) == ((), ())
