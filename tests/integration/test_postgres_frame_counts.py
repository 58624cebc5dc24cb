"""Counts by minute: exactly what the inspections say, whoever stores, replays, moves or drops them."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from alembic.command import upgrade

from services.adapters.postgres.roles import OWNER
from services.adapters.postgres.schema import migrate, set_retention
from services.domain.inspection import Inspection
from tests.fixtures_postgres import NOON, Database, Repository, an_inspection

KEYS = "line_id, machine_id, camera_id, defect_class, model_name, model_version"
FRAME_BY_FRAME = f"""
SELECT {KEYS}, count(*), sum(confidence)::float8, min(captured_at), max(captured_at) FROM inspections
WHERE captured_at >= %s AND captured_at < %s GROUP BY {KEYS} ORDER BY {KEYS}
"""  # noqa: S608 - constants of this test
COUNTED = f"""
SELECT {KEYS}, frames, confidence_sum, first_captured_at, last_captured_at FROM counted(%s, %s) ORDER BY {KEYS}
"""  # noqa: S608 - constants of this test
ALWAYS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


def _agree(database: Database, window: tuple[datetime, datetime] = ALWAYS) -> int:
    """Compare counts with frames; return how many frames there are."""
    wanted = database.rows(FRAME_BY_FRAME, OWNER, window)
    found = database.rows(COUNTED, OWNER, window)
    assert [row[:7] + row[8:] for row in found] == [row[:7] + row[8:] for row in wanted], window
    assert [row[7] for row in found] == pytest.approx([row[7] for row in wanted])
    return sum(int(str(row[6])) for row in found)


def _frames(count: int, seed: int) -> list[Inspection]:
    rng = random.Random(seed)
    return [
        an_inspection(
            rng.choice(("no_defect", "no_defect", "crease", "inclusion")),
            NOON + timedelta(seconds=rng.choice((rng.uniform(0, 600), 60.0 * rng.randrange(10)))),
            camera_id=f"cam-{rng.randrange(3)}",
            model_version=str(rng.randrange(1, 3)),
        )
        for _ in range(count)
    ]


def test_any_window_counts_what_lies_in_it(database: Database, repository: Repository) -> None:
    repository.store(_frames(400, 1), ())
    rng = random.Random(2)
    sizes = set()
    for _ in range(60):
        start = NOON + timedelta(seconds=rng.choice((rng.uniform(-60, 600), 60.0 * rng.randrange(10))))
        length_s = rng.choice((0.0, 0.5, 20.0, 60.0, 61.0, 300.0, 59.999999))
        sizes.add(_agree(database, (start, start + timedelta(seconds=length_s))))
    assert len(sizes) > 10
    assert _agree(database) == 400


def test_a_replay_counts_nothing_twice(database: Database, repository: Repository) -> None:
    frames = _frames(50, 3)
    repository.store(frames, ())
    repository.store([*frames, *_frames(5, 4)], ())
    assert _agree(database) == 55


def test_writers_at_the_same_time_count_every_frame(database: Database) -> None:
    def write(seed: int) -> None:
        own, frames = database.repository(), _frames(200, seed)
        for at in range(0, 200, 10):
            own.store(frames[at : at + 10], ())
        own.close()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, seed) for seed in range(4)]:
            done.result(timeout=120)
    assert _agree(database) == 800


def test_rows_that_move_to_a_partition_or_are_dropped_leave_the_counts_in_step(
    database: Database, repository: Repository
) -> None:
    day = timedelta(days=1)
    moved, dropped, kept = (an_inspection(captured_at=NOON + n * day) for n in (6, -5, 0))
    stray, fresh_stray, far = (
        an_inspection(captured_at=datetime(year, 1, 1, tzinfo=UTC)) for year in (1970, 1970, 2100)
    )
    repository.store([moved, dropped, kept, stray, fresh_stray, far], ())
    repository.ensure_partitions(days_ahead=6)
    assert _agree(database) == 6
    old = "UPDATE inspections_default SET stored_at = now() - interval '9 days' WHERE frame_id = ANY (%s)"
    database.execute(old, OWNER, ([stray.frame_id, far.frame_id],))
    set_retention(database.owner_url, keep_days=4, keep_image_days=4)
    assert _agree(database) == 3
    assert database.value("SELECT min(frames) FROM frame_counts", OWNER) == 1


def test_frames_of_before_the_counts_are_counted_when_they_come(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("services.adapters.postgres.schema.upgrade", lambda config, _: upgrade(config, "0002"))
        before.setattr("services.adapters.postgres.schema.run_sql_file", lambda *_: None)
        migrate(empty_database.owner_url)
    grants = "GRANT ALL ON ALL TABLES IN SCHEMA millsight TO millsight_classifier"
    empty_database.execute(f"{grants}; GRANT USAGE ON SCHEMA millsight TO millsight_classifier", OWNER)
    empty_database.execute("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA millsight TO millsight_classifier", OWNER)
    old = empty_database.repository()
    old.store(_frames(120, 5), ())
    migrate(empty_database.owner_url)
    old.store(_frames(30, 6), ())
    old.close()
    assert _agree(empty_database) == 150
