"""Every query of docs/sql.md runs as the reports role, on a database with something to find."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.monitor_records import CoilResult
from services.domain.inspection import Verdict
from tests.conftest import PROJECT_ROOT
from tests.fakes.coil_facts import GROUPS, a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database, Repository, a_reject, an_inspection

TEXT = (PROJECT_ROOT / "docs" / "sql.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)
DESCRIBED = (
    "maintenance_report", "machine_health", "sightings_report", "coil_report", "containment", "defect_rate_hourly",
    "camera_health", "camera_activity", "work_orders", "inspections",
)  # fmt: skip
"""Tables and views that have a section in the document."""
ALL_NAMED = frozenset(DESCRIBED) - {"inspections", "camera_activity"}
"""Those whose section names every column."""


def _fill(repository: Repository) -> None:
    now = datetime.now(UTC) - timedelta(seconds=5)
    unsure = Verdict({"crease": 0.51, "oil_spot": 0.49}, "crease", 0.51)
    days = [now, now - timedelta(hours=30)]
    frames = [an_inspection("crease", day - timedelta(seconds=n)) for day in days for n in range(20)]
    stranger = an_inspection("crease", now, camera_id="phone", machine_id="unassigned", line_id="unassigned")
    repository.store(
        [*frames, stranger, an_inspection(captured_at=now, verdict=unsure)], [a_reject(rejected_at=now)]
    )


def _judge(store: PostgresMonitorStore) -> None:
    """Ten coils over the last sixteen hours, with a flag since the fourth; one group has no camera."""
    now = datetime.now(UTC)
    for number in range(10):
        coil = a_coil(number, now - (10 - number) * timedelta(hours=1.5))
        flags = [a_flag(alarm_at=coil.ended_at)] if number == 9 else []
        store.save_coil(CoilResult(coil, [a_defect(number, 1000.0 * number + 250)], flags))
    store.save_groups("strip-1", [replace(GROUPS[0], first_camera=None), *GROUPS[1:]])


def test_every_query_of_the_document_runs_and_finds_something(
    database: Database, repository: Repository, monitor_store: PostgresMonitorStore
) -> None:
    _fill(repository)
    _judge(monitor_store)
    found = [len(database.rows(query.strip().rstrip(";"))) for query in QUERIES]
    assert len(found) == 20
    assert [number for number, rows in enumerate(found, 1) if not rows] == []


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_document_names_the_columns_of_a_view_as_they_are(database: Database, name: str) -> None:
    columns = {
        str(row[0])
        for row in database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", parameters=(name,)
        )
    }
    section = re.search(rf"### `{name}`\n(.*?)\n##", TEXT, re.DOTALL)
    assert section is not None
    listed = re.search(r"Columns:(.*?)\.", section.group(1), re.DOTALL)
    cells = re.findall(r"^\| (`.*?) \|", section.group(1), re.MULTILINE)
    named = set(re.findall(r"`([a-z0-9_]+)`", listed.group(1) if listed is not None else " ".join(cells)))
    assert named or name == "camera_activity"
    assert named <= columns
    if name in ALL_NAMED:
        assert columns <= named
