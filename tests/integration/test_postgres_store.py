"""What the classifier stores: every frame once, whatever is replayed, raced or odd about it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr

from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.adapters.postgres.roles import OWNER
from services.contracts.errors import ConfigurationError, StorageUnavailable
from services.contracts.messages import CameraStatus
from services.domain.inspection import ModelVersion, StoreReport, Verdict
from services.domain.topology import UNASSIGNED
from services.runtime.settings import PostgresSettings
from tests.fixtures_postgres import NOON, Database, Repository, a_reject, an_inspection

JPEG = b"\xff\xd8\xff\xe0 pixels \x00 more \xff\xd9"


def test_every_column_comes_back_as_it_was_given(database: Database, repository: Repository) -> None:
    given = an_inspection("crease", captured_at=NOON + timedelta(microseconds=123_457), image=JPEG)

    assert repository.store([given], ()) == StoreReport(inserted=1, duplicates=0)

    query = (
        "SELECT frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at, received_at,"
        " strip_position_m, sequence, defect_class, confidence, probabilities, model_name, model_version, topic,"
        " kafka_partition, kafka_offset, cluster_id, width_px, height_px FROM inspections"
    )
    assert database.rows(query) == [
        (
            given.frame_id, "strip-1", "welder-1", "cam-1", "coil-1", "steel_strip", given.captured_at,
            given.received_at, 12.5, 41, "crease", 0.75, {"crease": 0.75, "oil_spot": 0.25},
            "surface_defects", "1", "frames.cam-1", 0, 7, "test-cluster", 224, 200,
        )
    ]  # fmt: skip
    assert database.rows("SELECT frame_id, content_type, image, evidence FROM inspection_images") == [
        (given.frame_id, "image/jpeg", JPEG, [[0.5, 1.5], [2.5, 3.25]])
    ]


def test_what_the_picture_says_of_the_camera_comes_back_as_it_was_given(
    database: Database, repository: Repository
) -> None:
    measured: dict[str, Any] = {
        "brightness": 0.25, "saturated": 0.125, "sharpness": 640.5, "picture_hash": -(2**63)
    }  # fmt: skip
    repository.store([an_inspection("crease", spot=(0.75, 0.5), **measured)], ())
    repository.store([an_inspection()], ())

    query = "SELECT brightness, saturated, sharpness, picture_hash, spot_x, spot_y FROM inspections ORDER BY 1"
    assert database.rows(query) == [
        (*measured.values(), 0.75, 0.5),
        (None,) * 6,
    ]


def test_unknown_values_are_null_and_pixels_that_are_not_kept_leave_no_image(
    database: Database, repository: Repository
) -> None:
    repository.store([an_inspection(coil_id=None, strip_position_m=None, sequence=None)], ())

    assert database.rows("SELECT coil_id, strip_position_m, sequence FROM inspections") == [(None, None, None)]
    assert database.value("SELECT count(*) FROM inspection_images") == 0
    assert database.value("SELECT count(*) FROM coils") == 0


def test_a_replay_adds_no_row_and_is_counted(database: Database, repository: Repository) -> None:
    batch = [an_inspection("crease", image=JPEG) for _ in range(5)]
    reject = a_reject(picture=JPEG)
    repository.store(batch, [reject])

    again = repository.store([*batch, an_inspection()], [replace(reject, detail="another sentence")])

    assert again == StoreReport(inserted=1, duplicates=5)
    assert database.value("SELECT count(*) FROM inspections") == 6
    assert database.value("SELECT count(*) FROM inspection_images") == 5
    assert database.rows("SELECT detail, picture FROM rejected_frames") == [("the image ends early", JPEG)]


def test_the_same_frame_twice_in_one_batch_is_one_row(database: Database, repository: Repository) -> None:
    frame = an_inspection()
    assert repository.store([frame, frame], ()) == StoreReport(inserted=1, duplicates=1)


def test_another_model_version_is_another_row(database: Database, repository: Repository) -> None:
    frame = an_inspection()
    repository.store([frame], ())
    assert repository.store([replace(frame, model_version="2")], ()).inserted == 1


def test_writers_that_race_with_the_same_frames_store_each_once(database: Database) -> None:
    frames = [
        an_inspection("crease", NOON + timedelta(milliseconds=n), coil_id=f"coil-{n % 3}") for n in range(320)
    ]
    start = threading.Barrier(4)

    def write(shift: int) -> int:
        mine = frames[shift * 80 :] + frames[: shift * 80]
        with closing(database.repository()) as own:
            start.wait(timeout=30)
            return sum(own.store(mine[at : at + 32], ()).inserted for at in range(0, len(mine), 32))

    with ThreadPoolExecutor(4) as pool:
        inserted = sum(pool.map(write, range(4)))

    assert inserted == 320
    assert database.rows("SELECT count(*), count(DISTINCT frame_id) FROM inspections") == [(320, 320)]
    first, last = frames[0].captured_at, frames[-1].captured_at
    assert database.rows("SELECT min(first_seen), max(last_seen), count(*) FROM coils") == [(first, last, 3)]


@pytest.mark.parametrize(
    "captured_at",
    [
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), id="clock_never_set"),
        pytest.param(datetime(1, 1, 1, tzinfo=UTC), id="first_moment"),
        pytest.param(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), id="last_moment"),
        pytest.param(NOON + timedelta(days=400), id="a_year_ahead"),
    ],
)
def test_a_skewed_clock_loses_no_frame(database: Database, repository: Repository, captured_at: datetime) -> None:
    frame = an_inspection(captured_at=captured_at, received_at=NOON)

    assert repository.store([frame], ()).inserted == 1
    assert repository.store([frame], ()).duplicates == 1

    with psycopg.connect(database.owner_url) as connection:
        found = connection.execute("SELECT frame_id FROM inspections_default").fetchall()
    assert found == [(frame.frame_id,)]


def test_a_coil_seen_out_of_order_keeps_its_first_and_last_moment(
    database: Database, repository: Repository
) -> None:
    hour = timedelta(hours=1)
    for moment in (NOON, NOON + hour, NOON - hour, NOON):
        repository.store([an_inspection(captured_at=moment)], ())
    assert database.rows("SELECT line_id, coil_id, material, first_seen, last_seen FROM coils") == [
        ("strip-1", "coil-1", "steel_strip", NOON - hour, NOON + hour)
    ]


def test_a_camera_that_no_line_names_is_listed_as_unassigned(database: Database, repository: Repository) -> None:
    repository.store([an_inspection(camera_id="cam-7", machine_id=UNASSIGNED, line_id=UNASSIGNED)], ())
    query = "SELECT machine_id, unassigned, last_captured_at FROM camera_activity WHERE camera_id = 'cam-7'"
    assert database.rows(query) == [("unassigned", True, NOON)]


def test_text_that_postgres_cannot_hold_is_made_storable(database: Database, repository: Repository) -> None:
    frame = an_inspection(coil_id="coil\0one\ud800", camera_id="c" * 9000)
    report = repository.store([frame], [a_reject(detail="bad\0" + "x" * 9000)])

    assert report == StoreReport(inserted=1, duplicates=0)
    assert database.rows("SELECT coil_id, length(camera_id) FROM inspections") == [("coil\ufffdone\ufffd", 256)]
    assert database.value("SELECT length(detail) FROM rejected_frames") == 2000


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"sequence": 2**63}, id="counter_beyond_64_bits"),
        pytest.param({"width_px": 2**31}, id="width_beyond_32_bits"),
        pytest.param({"verdict": Verdict({"crease": float("nan")}, "crease", 0.5)}, id="probability_is_no_number"),
        pytest.param({"verdict": Verdict({"crease": 1.0}, "crease", float("inf"))}, id="confidence_is_infinite"),
    ],
)
def test_one_unstorable_row_leaves_a_reject_and_its_neighbours_are_stored(
    database: Database, repository: Repository, changes: dict[str, object]
) -> None:
    bad, good = an_inspection("no_defect", NOON, **changes), [an_inspection() for _ in range(3)]

    report = repository.store([good[0], bad, *good[1:]], [a_reject()])

    assert report == StoreReport(inserted=3, duplicates=0, unstorable=1)
    assert database.value("SELECT count(*) FROM rejected_frames") == 2
    assert database.rows("SELECT reason FROM rejected_frames WHERE frame_id = %s", parameters=(bad.frame_id,)) == [
        ("malformed_message",)
    ]


def test_a_row_that_only_the_server_refuses_is_found_and_the_others_are_stored(
    database: Database, repository: Repository
) -> None:
    database.execute("ALTER TABLE inspections ADD CONSTRAINT probe CHECK (width_px <> 666)")
    report = repository.store([an_inspection(), an_inspection(width_px=666), an_inspection()], ())
    assert report == StoreReport(inserted=2, duplicates=0, unstorable=1)
    detail = str(database.value("SELECT detail FROM rejected_frames"))
    assert "SQLSTATE 23514" in detail


def test_a_connection_cut_by_the_administrator_is_transient_and_the_next_call_works(
    database: Database, repository: Repository
) -> None:
    repository.check()
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.name,)
        )
    frame = an_inspection()
    with pytest.raises(StorageUnavailable):
        repository.store([frame], ())
    assert repository.store([frame], ()) == StoreReport(inserted=1, duplicates=0)


def test_a_lock_held_on_the_table_is_transient_and_stores_nothing(database: Database) -> None:
    settings = PostgresSettings(url=SecretStr(database.classifier_url), statement_timeout_s=0.3)
    repository = PostgresInspectionRepository(settings)
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("LOCK TABLE inspections IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StorageUnavailable, match="57014"):
            repository.store([an_inspection()], [a_reject()])
    assert database.value("SELECT count(*) FROM rejected_frames") == 0
    assert repository.store([an_inspection()], ()).inserted == 1
    repository.close()


def test_a_server_that_is_not_there_is_transient() -> None:
    nowhere = SecretStr("postgresql://millsight_classifier:secret@127.0.0.1:9/millsight")
    repository = PostgresInspectionRepository(PostgresSettings(url=nowhere, connect_timeout_s=1))
    with pytest.raises(StorageUnavailable) as caught:
        repository.check()
    assert "secret" not in str(caught.value)


def test_a_database_without_the_schema_is_the_users_mistake(empty_database: Database) -> None:
    repository = empty_database.repository()
    with pytest.raises(ConfigurationError, match="millsight db migrate"):
        repository.check()
    with pytest.raises(ConfigurationError, match="millsight db migrate"):
        repository.store([an_inspection()], ())
    repository.close()


def test_a_model_version_is_recorded_once_and_never_with_other_weights(
    database: Database, repository: Repository
) -> None:
    model = ModelVersion("surface_defects", "1", "ab" * 32, ("crease", "no_defect"), {"accuracy": 0.8})
    repository.register_model(model)
    repository.register_model(model)
    assert database.rows("SELECT name, version, sha256, labels, card FROM model_versions") == [
        ("surface_defects", "1", "ab" * 32, ["crease", "no_defect"], {"accuracy": 0.8})
    ]
    with pytest.raises(ConfigurationError, match="other weights"):
        repository.register_model(replace(model, sha256="cd" * 32))
    with pytest.raises(ConfigurationError, match="no JSON"):
        repository.register_model(replace(model, version="2", card={"accuracy": float("nan")}))


def _status(**changes: Any) -> CameraStatus:
    status = CameraStatus(
        "cam-1", uuid4(), NOON, "running", None, 100, 90, 4, 6, 6000, NOON - timedelta(seconds=3)
    )
    return replace(status, **changes)


def test_the_newest_camera_report_wins_and_counters_of_all_sessions_stay(
    database: Database, repository: Repository
) -> None:
    first = _status()
    later = replace(
        first, reported_at=NOON + timedelta(seconds=2), dropped_total=5, reason="broker\0away", state="held"
    )
    new_session = _status(reported_at=NOON + timedelta(seconds=9), dropped_total=2)

    repository.store_camera_status([later, first])
    query = (
        "SELECT state, reason, dropped_total, spool_bytes, dropped_ever FROM camera_activity"
        " WHERE camera_id = 'cam-1'"
    )
    assert database.rows(query) == [("held", "broker\ufffdaway", 5, 6000, 5)]

    repository.store_camera_status([new_session, new_session])
    assert database.rows(query) == [("running", None, 2, 6000, 7)]


def test_a_camera_report_with_an_impossible_number_does_not_stop_the_others(
    database: Database, repository: Repository
) -> None:
    repository.store_camera_status([_status(captured_total=2**70), _status(camera_id="cam-2")])
    assert database.rows("SELECT camera_id FROM camera_status") == [("cam-2",)]


def test_rows_that_were_stored_carry_the_databases_clock(database: Database, repository: Repository) -> None:
    repository.store([an_inspection()], ())
    assert database.value("SELECT now() - stored_at < interval '1 minute' FROM inspections", OWNER) is True


def test_a_batch_of_32_costs_the_classifier_less_than_a_quarter_of_a_millisecond_per_frame(
    repository: Repository,
) -> None:
    """CPU time of this process, waiting for the server not counted; measured 0.05 ms when this was written."""
    batches = [
        [
            an_inspection("crease" if k % 8 == 0 else "no_defect", image=JPEG * 500 if k % 8 == 0 else None)
            for k in range(32)
        ]
        for _ in range(33)
    ]
    repository.store(batches[0], ())
    started_s = time.process_time()
    for batch in batches[1:]:
        repository.store(batch, ())
    assert (time.process_time() - started_s) / (32 * 32) < 0.25e-3
