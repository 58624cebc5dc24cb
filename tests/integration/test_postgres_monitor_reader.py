"""The process monitor reads every inspection once, whatever order transactions end in; and old rows first."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import psycopg
import pytest

from services.adapters.postgres.monitor_reader import PostgresInspectionReader
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import NewRows, ReadCursor
from services.domain.inspection import Inspection
from services.domain.registration.table import UNKNOWN
from tests.fixtures_postgres import NOON, Database, Repository, an_inspection

SECOND = timedelta(seconds=1)


def _pages(reader: PostgresInspectionReader, cursor: ReadCursor, limit: int) -> list[NewRows]:
    """Read until nothing more is there; a page without rows that says there is more is the end of history."""
    pages = []
    while True:
        page = reader.new_rows(cursor, limit)
        pages.append(page)
        cursor = page.cursor
        if not page.has_more:
            return pages


def _ids(pages: list[NewRows]) -> list[str]:
    return [str(each) for page in pages for table in page.lines.values() for each in table.frame_id]


def _frames(count: int, **changes: object) -> list[Inspection]:
    return [an_inspection("crease" if n % 3 else "no_defect", NOON + n * SECOND, **changes) for n in range(count)]


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
def test_every_row_is_read_once_whatever_the_page_size(
    repository: Repository, reader: PostgresInspectionReader, limit: int
) -> None:
    batches = [_frames(13), _frames(40), _frames(1)]
    for batch in batches:
        repository.store(batch, ())
    pages = _pages(reader, ReadCursor(), limit)
    found = _ids(pages)
    assert sorted(found) == sorted(str(frame.frame_id) for batch in batches for frame in batch)
    assert _ids(_pages(reader, pages[-1].cursor, limit)) == []


def test_rows_come_as_columns_with_what_the_classifier_said(
    database: Database, repository: Repository, reader: PostgresInspectionReader
) -> None:
    seen = an_inspection("crease", NOON, brightness=0.5, saturated=0.25, sharpness=90.0, picture_hash=-7)
    clean = an_inspection(captured_at=NOON + SECOND, coil_id=None, strip_position_m=None, camera_id="cam-2")
    repository.store([seen, clean], ())
    database.execute("UPDATE inspections SET spot_x = 0.25, spot_y = 0.75 WHERE defect_class = 'crease'")
    [page] = [each for each in _pages(reader, ReadCursor(), 10) if len(each)]
    table = page.lines["strip-1"]
    rows = {frame_id: n for n, frame_id in enumerate(table.frame_id)}
    first, second = rows[str(seen.frame_id)], rows[str(clean.frame_id)]
    assert (table.cameras, table.coils, table.classes) == (("cam-1", "cam-2"), ("coil-1",), ("crease",))
    assert (table.camera[first], table.coil[first], table.label[first]) == (0, 0, 0)
    assert (table.camera[second], table.coil[second], table.label[second]) == (1, UNKNOWN, UNKNOWN)
    assert table.captured_s[first] == NOON.timestamp()
    assert (table.position_m[first], table.confidence[first]) == (12.5, 0.75)
    assert table.spot[first].tolist() == [0.25, 0.75]
    pictures = table.pictures
    assert pictures is not None
    measured = (pictures.brightness, pictures.saturated, pictures.sharpness, pictures.picture_hash)
    assert [column[first] for column in measured] == [0.5, 0.25, 90.0, -7]
    assert np.isnan([column[second] for column in measured[:3]]).all()
    assert pictures.picture_hash[second] == 0
    assert np.isnan(table.position_m[second])
    assert np.isnan(table.spot[second]).all()


def test_a_commit_that_comes_late_is_not_passed_by(
    database: Database, repository: Repository, reader: PostgresInspectionReader
) -> None:
    """A transaction that began first and ends last keeps all younger rows back until it has ended."""
    early, late = an_inspection(camera_id="cam-1"), an_inspection(camera_id="cam-2")
    with psycopg.connect(database.classifier_url) as slow:
        _insert(slow, early)
        repository.store([late], ())
        pages = _pages(reader, ReadCursor(), 10)
        assert _ids(pages) == []
        slow.commit()
    assert sorted(_ids(_pages(reader, pages[-1].cursor, 10))) == sorted(map(str, (early.frame_id, late.frame_id)))


def _insert(connection: psycopg.Connection, frame: Inspection) -> None:
    from services.adapters.postgres import arrays, rows

    arrays.register_arrays(connection)
    connection.execute(rows.INSERT_INSPECTIONS, rows.inspection_columns([frame]))


def test_many_writers_at_once_lose_nothing_for_a_reader_that_follows(
    database: Database, reader: PostgresInspectionReader
) -> None:
    batches = [[_frames(5) for _ in range(12)] for _ in range(3)]

    def write(mine: list[list[Inspection]]) -> None:
        repository = database.repository()
        for batch in mine:
            repository.store(batch, ())
        repository.close()

    found: list[str] = []
    cursor = ReadCursor()
    with ThreadPoolExecutor(3) as pool:
        writing = [pool.submit(write, mine) for mine in batches]
        while not all(each.done() for each in writing):
            page = reader.new_rows(cursor, 17)
            found += _ids([page])
            cursor = page.cursor
        for each in writing:
            each.result(timeout=1)
    found += _ids(_pages(reader, cursor, 17))
    assert sorted(found) == sorted(str(f.frame_id) for mine in batches for batch in mine for f in batch)


def test_rows_of_before_there_were_numbers_come_first_in_order_of_capture(
    database: Database, repository: Repository, reader: PostgresInspectionReader
) -> None:
    old = [
        an_inspection(captured_at=at)
        for at in (datetime(1970, 1, 1, tzinfo=UTC), *(NOON - n * timedelta(minutes=7) for n in range(9)))
    ]
    repository.store(old, ())
    database.execute("UPDATE inspections SET change_no = NULL")
    new = an_inspection(captured_at=NOON - timedelta(days=2))
    repository.store([new], ())
    for limit in (1, 3, 100):
        assert _ids(_pages(reader, ReadCursor(), limit)) == [
            *(str(f.frame_id) for f in sorted(old, key=lambda f: f.captured_at)),
            str(new.frame_id),
        ]
    pages = _pages(reader, ReadCursor(), 100)
    moments = [table.captured_s for page in pages[:-1] for table in page.lines.values()]
    assert all(a.max() <= b.min() for a, b in pairwise(moments[:-1]))


def test_of_two_model_versions_the_newest_is_read(
    repository: Repository, reader: PostgresInspectionReader
) -> None:
    frame_id = an_inspection().frame_id
    versions = {"9": "crease", "10": "oil_spot"}
    for version, name in versions.items():
        repository.store([an_inspection(name, frame_id=frame_id, model_version=version)], ())
    [page] = [each for each in _pages(reader, ReadCursor(), 100) if len(each)]
    table = page.lines["strip-1"]
    assert (len(table), table.classes[table.label[0]]) == (1, "oil_spot")
    assert len(reader.rows_of_coil("strip-1", "coil-1")) == 1


def test_two_versions_of_one_transaction_are_never_split_between_pages(
    repository: Repository, reader: PostgresInspectionReader
) -> None:
    frames = _frames(3)
    newer = [replace(frame, model_version="2", coil_id="newer") for frame in frames]
    repository.store([*frames, *newer], ())
    pages = [page for page in _pages(reader, ReadCursor(), 1) if len(page)]
    assert sorted(_ids(pages)) == sorted(str(frame.frame_id) for frame in frames)
    assert {page.lines["strip-1"].coils for page in pages} == {("newer",)}


def test_lines_come_apart(repository: Repository, reader: PostgresInspectionReader) -> None:
    repository.store([*_frames(3), *_frames(2, line_id="strip-2", camera_id="other")], ())
    [page] = [each for each in _pages(reader, ReadCursor(), 100) if len(each)]
    assert {line: (len(table), table.cameras) for line, table in page.lines.items()} == {
        "strip-1": (3, ("cam-1",)),
        "strip-2": (2, ("other",)),
    }


def test_rows_of_a_coil_and_of_a_span(repository: Repository, reader: PostgresInspectionReader) -> None:
    repository.store([*_frames(5), *_frames(2, coil_id="coil-2"), *_frames(1, coil_id=None)], ())
    assert len(reader.rows_of_coil("strip-1", "coil-1")) == 5
    assert len(reader.rows_of_coil("strip-1", "no such coil")) == 0
    assert len(reader.rows_of_coil("strip-2", "coil-1")) == 0
    assert len(reader.rows_between("strip-1", NOON, NOON + SECOND)) == 3


def test_a_database_restored_from_a_dump_is_noticed_and_read_again(
    database: Database, repository: Repository, reader: PostgresInspectionReader
) -> None:
    frames = _frames(4)
    repository.store(frames, ())
    cursor = _pages(reader, ReadCursor(), 10)[-1].cursor
    ahead = ReadCursor(cursor.change_no + 10**9, cursor.frame_id, None, cluster_id=cursor.cluster_id)
    elsewhere = ReadCursor(cursor.change_no, cursor.frame_id, None, cluster_id="another")
    for wrong in (ahead, elsewhere):
        with pytest.raises(ConfigurationError, match=r"restored from a dump.*database_was_restored"):
            reader.new_rows(wrong, 10)
    assert database.value("SELECT database_was_restored()", "millsight_owner") == 4
    assert len(_ids(_pages(reader, ReadCursor(), 10))) == 4


_MANY = """
INSERT INTO inspections (frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at, received_at,
    strip_position_m, defect_class, confidence, probabilities, model_name, model_version, topic, kafka_partition,
    kafka_offset, cluster_id, width_px, height_px)
SELECT gen_random_uuid(), 'strip-1', 'welder-1', 'cam-' || mod(n, 100), 'coil-' || n / 20000, 'steel_strip',
    %s::timestamptz + n * interval '1 millisecond', now(), n * 0.01, 'no_defect', 0.9, '{}', 'm', '1', 't', 0, n,
    'c', 224, 224
FROM generate_series(1, 40000) AS n
"""


def test_reading_keeps_up_with_a_busy_plant(database: Database, reader: PostgresInspectionReader) -> None:
    """A hundred cameras at 20 frames/s are 2,000 rows/s; the bar of 20,000 leaves room for a loaded machine."""
    database.execute(_MANY, parameters=(NOON,))
    reader.new_rows(ReadCursor(), 10)
    start = time.perf_counter()
    pages = _pages(reader, ReadCursor(), 10_000)
    rows_per_s = 40_000 / (time.perf_counter() - start)
    assert sum(map(len, pages)) == 40_000
    assert rows_per_s > 20_000
