"""The correlation page's questions, asked of a real PostgreSQL through the read-only role."""

from collections.abc import Iterator

import pytest

from dashboard.correlation_data import snapshot
from dashboard.database import Database, PoolLimits
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.monitor_records import CoilResult
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database as Server


@pytest.fixture
def page(database: Server, monitor_store: PostgresMonitorStore) -> Iterator[Database]:
    """Five coils with a defect each that two cameras saw, one of them a coil-change mark; one flag."""
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        defect = a_defect(number, 1000.0 * number + 250, landmark=number == 1)
        monitor_store.save_coil(CoilResult(a_coil(number), (defect,), flags))
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_counts_are_those_of_the_tables_in_strip_order(page: Database, database: Server) -> None:
    found = snapshot(page, 24)
    assert [row.group_id for row in found.groups] == [
        "uncoiler-1+welder-1", "washer-1", "skinpass-1", "leveller-1+trimmer-1",
    ]  # fmt: skip
    total = database.value("select sum(first_seen) from millsight.stream_points")
    assert sum(row.first_seen for row in found.groups) == pytest.approx(float(str(total)))
    assert [(row.camera_id, row.sightings, row.first) for row in found.cameras] == [
        ("cam-3", 4, 4),
        ("cam-4", 4, 0),
    ]


def test_the_flag_brings_its_posterior(page: Database) -> None:
    (flag,) = snapshot(page, 24).flags
    assert (flag.group_id, flag.is_open, flag.runner_up) == ("skinpass-1", True, "washer-1")
    assert flag.posterior == {"skinpass-1": 0.96, "washer-1": 0.03, "none": 0.01}


def test_an_empty_database_has_nothing_and_no_newest_coil(database: Server) -> None:
    opened = Database(database.dashboard_url, PoolLimits(size=1, wait_s=0.5, statement_timeout_s=2.0))
    found = snapshot(opened, 24)
    opened.close()
    assert (found.groups, found.cameras, found.flags, found.newest_coil_at) == ((), (), (), None)
