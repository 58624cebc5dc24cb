"""Every query of docs/sql.md runs as the reports role, on a database with something to find."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from services.domain.inspection import Verdict
from tests.conftest import PROJECT_ROOT
from tests.fixtures_postgres import Database, Repository, a_reject, an_inspection

QUERIES = re.findall(r"```sql\n(.*?)```", (PROJECT_ROOT / "docs" / "sql.md").read_text(), re.DOTALL)


def _fill(repository: Repository) -> None:
    now = datetime.now(UTC) - timedelta(seconds=5)
    unsure = Verdict({"crease": 0.51, "oil_spot": 0.49}, "crease", 0.51)
    days = [now, now - timedelta(hours=30)]
    frames = [an_inspection("crease", day - timedelta(seconds=n)) for day in days for n in range(20)]
    stranger = an_inspection("crease", now, camera_id="phone", machine_id="unassigned", line_id="unassigned")
    repository.store(
        [*frames, stranger, an_inspection(captured_at=now, verdict=unsure)], [a_reject(rejected_at=now)]
    )


def test_every_query_of_the_document_runs_and_finds_something(database: Database, repository: Repository) -> None:
    _fill(repository)
    found = [len(database.rows(query.strip().rstrip(";"))) for query in QUERIES]
    assert len(found) == 10
    assert all(found), found


@pytest.mark.parametrize("view", ["maintenance_report", "camera_activity", "line_overview"])
def test_every_column_the_document_names_for_a_view_exists(database: Database, view: str) -> None:
    columns = {
        str(row[0])
        for row in database.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", parameters=(view,)
        )
    }
    text = (PROJECT_ROOT / "docs" / "sql.md").read_text()
    section = re.search(rf"### `{view}`\n(.*?)\n##", text, re.DOTALL)
    if section is not None:
        named = set(re.findall(r"`([a-z0-9_]+)`", section.group(1))) - {"maintenance_report"}
        assert named <= columns
    assert columns
