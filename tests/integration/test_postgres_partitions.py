"""Day partitions: made ahead, made late, made by two at once, and dropped when old, with no row lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from services.adapters.postgres.roles import CLASSIFIER, OWNER
from services.adapters.postgres.schema import set_retention
from services.contracts.errors import ConfigurationError, StorageUnavailable
from tests.fixtures_postgres import NOON, Database, Repository, an_inspection

DAY = timedelta(days=1)


def _partitions(database: Database, parent: str = "inspections") -> list[str]:
    query = (
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = inhrelid"
        " WHERE inhparent = %s::regclass ORDER BY 1"
    )
    return [str(row[0]) for row in database.rows(query, OWNER, (f"millsight.{parent}",))]


def _noon_before(database: Database) -> datetime:
    """Noon of the database's yesterday: `NOON` is a day older in a test run that passes midnight."""
    today = database.value("SELECT date_trunc('day', now() AT TIME ZONE 'UTC')")
    assert isinstance(today, datetime)
    return today.replace(tzinfo=UTC) - DAY / 2


def _name(moment: datetime, parent: str = "inspections") -> str:
    return f"{parent}_p{moment:%Y%m%d}"


def test_the_first_migration_makes_partitions_from_a_week_ago_to_three_days_ahead(database: Database) -> None:
    expected = [_name(_noon_before(database) + n * DAY) for n in range(-6, 5)]
    assert _partitions(database) == ["inspections_default", *expected]
    assert "inspection_images_default" in _partitions(database, "inspection_images")


def test_rows_that_wait_in_default_move_into_their_new_partition(
    database: Database, repository: Repository
) -> None:
    early = [
        an_inspection("crease", NOON + 6 * DAY + timedelta(minutes=n), image=b"\xff\xd8\xff") for n in range(9)
    ]
    late = an_inspection(captured_at=NOON - 9 * DAY)
    never = an_inspection(captured_at=datetime(1970, 1, 1, tzinfo=UTC))
    repository.store([*early, late, never], ())
    assert database.value("SELECT count(*) FROM inspections_default", OWNER) == 11

    repository.ensure_partitions(days_ahead=6)

    assert database.rows("SELECT frame_id FROM inspections_default", OWNER) == [(never.frame_id,)]
    assert database.count(_name(NOON + 6 * DAY)) == 9
    assert database.count(_name(NOON - 9 * DAY)) == 1
    assert database.value("SELECT count(*) FROM inspection_images_default", OWNER) == 0
    assert repository.store([*early, late, never], ()).duplicates == 11


def test_a_new_partition_has_the_indexes_of_the_table(database: Database) -> None:
    query = "SELECT count(*) FROM pg_indexes WHERE tablename = %s"
    parent = database.value(query, OWNER, ("inspections",))
    database.execute("SELECT ensure_partitions(7)", CLASSIFIER)
    assert database.value(query, OWNER, (_name(NOON + 7 * DAY),)) == parent == 7


def test_two_workers_may_add_partitions_at_the_same_time_while_frames_arrive(database: Database) -> None:
    repositories = [database.repository() for _ in range(3)]
    frames = [an_inspection(captured_at=NOON + n * DAY / 8) for n in range(240)]
    start = threading.Barrier(3)

    def add(worker: int) -> int:
        start.wait(timeout=30)
        for days in range(2, 31, 4):
            repositories[worker].ensure_partitions(days)
        return 0

    def write() -> int:
        start.wait(timeout=30)
        reports = [repositories[2].store(frames[at : at + 8], ()) for at in range(0, len(frames), 8)]
        return sum(report.inserted for report in reports)

    with ThreadPoolExecutor(3) as pool:
        results = [pool.submit(add, 0), pool.submit(add, 1), pool.submit(write)]
        assert sum(result.result(timeout=120) for result in results) == 240

    assert len(_partitions(database)) == 1 + 38  # DEFAULT, and a week ago to thirty days ahead
    assert database.rows("SELECT count(*), count(DISTINCT frame_id) FROM inspections") == [(240, 240)]
    for repository in repositories:
        repository.close()


def test_a_worker_that_comes_second_waits_and_finds_the_partitions_made(
    database: Database, repository: Repository
) -> None:
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.classifier_url) as first:
        first.execute("SELECT ensure_partitions(9)")
        second = pool.submit(repository.ensure_partitions, 9)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        first.commit()
        second.result(timeout=30)


def test_a_frame_that_was_bound_for_default_while_its_partition_was_attached_is_stored(database: Database) -> None:
    """The writer waits for DEFAULT, and finds that its day has a partition now (SQLSTATE 23514 inside)."""
    repository, frame = database.repository(), an_inspection(captured_at=NOON + 6 * DAY)
    repository.check()
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.classifier_url) as other:
        other.execute("SELECT ensure_partitions(7)")
        storing = pool.submit(repository.store, [frame], ())
        with pytest.raises(TimeoutError):
            storing.result(timeout=0.5)
        other.commit()
        assert storing.result(timeout=30).inserted == 1
    assert database.count(_name(NOON + 6 * DAY)) == 1
    repository.close()


def test_a_table_held_by_a_reader_delays_partitions_and_says_try_again(
    database: Database, repository: Repository
) -> None:
    with psycopg.connect(database.owner_url) as reader:
        reader.execute("LOCK TABLE inspections_default IN ACCESS SHARE MODE")
        with pytest.raises(StorageUnavailable, match="55P03"):
            repository.ensure_partitions(9)
    repository.ensure_partitions(9)


def test_retention_drops_old_days_and_old_strays_and_keeps_the_rest(
    database: Database, repository: Repository
) -> None:
    noon = _noon_before(database)
    kept, dropped = an_inspection("crease", noon, image=b"\xff\xd8\xff"), an_inspection(captured_at=noon - 5 * DAY)
    stray, fresh_stray = (an_inspection(captured_at=datetime(1970, 1, 1, tzinfo=UTC)) for _ in range(2))
    repository.store([kept, dropped, stray, fresh_stray], ())
    repository.ensure_partitions(3)
    database.execute(
        "UPDATE inspections_default SET stored_at = now() - interval '9 days' WHERE frame_id = %s", OWNER,
        (stray.frame_id,),
    )  # fmt: skip

    assert set_retention(database.owner_url, keep_days=4, keep_image_days=5) == [
        *(_name(noon - n * DAY) for n in (6, 5, 4)),
        *(_name(noon - n * DAY, "inspection_images") for n in (6, 5)),
    ]

    left = {row[0] for row in database.rows("SELECT frame_id FROM inspections")}
    assert left == {kept.frame_id, fresh_stray.frame_id}
    assert database.value("SELECT count(*) FROM inspection_images") == 1
    with pytest.raises(ConfigurationError, match="at least one day"):
        set_retention(database.owner_url, keep_days=0, keep_image_days=4)


def test_the_classifier_applies_the_retention_that_the_owner_set(
    database: Database, repository: Repository
) -> None:
    set_retention(database.owner_url, keep_days=30, keep_image_days=30)
    repository.store([an_inspection(captured_at=NOON - 5 * DAY)], ())
    repository.ensure_partitions(3)
    repository.apply_retention()
    assert database.count(_name(NOON - 5 * DAY)) == 1
    database.execute("UPDATE retention SET keep_days = 4", OWNER)
    repository.apply_retention()
    assert database.value("SELECT count(*) FROM inspections") == 0
