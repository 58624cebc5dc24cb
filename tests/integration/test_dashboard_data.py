"""The dashboard's questions, asked of a real PostgreSQL through the read-only role."""

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from dashboard import data, refused_data
from dashboard.database import Database, DataUnavailable, PoolLimits, Trouble
from dashboard.rows import Moment
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.fakes.plant import LivePlant, PlantInDatabase, SeenFrame, drawn_jpeg

WINDOW_S = 600.0


@dataclass(frozen=True)
class One:
    one: int


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantInDatabase]:
    with tempfile.TemporaryDirectory(prefix="millsight-test-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        prepared = PlantInDatabase(server.admin_url)
        prepared.prepare_roles()
        prepared.migrate()
        prepared.apply_line(tmp_path_factory.mktemp("line"))
        yield prepared
        server.stop()


@pytest.fixture
def database(plant: PlantInDatabase) -> Iterator[Database]:
    opened = Database(plant.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def trouble_of(database: Database, query: LiteralString) -> Trouble:
    with pytest.raises(DataUnavailable) as raised:
        database.rows(One, query)
    return raised.value.trouble


def test_snapshot_counts_by_camera_in_the_window_and_keeps_strays_apart(
    plant: PlantInDatabase, database: Database
) -> None:
    now = datetime.now(UTC)
    inside = [SeenFrame("cam-2", now - timedelta(seconds=s)) for s in range(1, 9)]
    defects = [SeenFrame("cam-2", now - timedelta(seconds=s), "oil_spot", 0.9) for s in (20, 30)]
    old, future = SeenFrame("cam-2", now - timedelta(hours=2)), SeenFrame("cam-2", now + timedelta(minutes=10))
    plant.see([*inside, *defects, old, future, SeenFrame("stray-1", now)])
    snapshot = data.line_snapshot(database, WINDOW_S)
    cameras = {camera.camera_id: camera for camera in snapshot.cameras}
    assert (cameras["cam-2"].frames, cameras["cam-2"].defects) == (10, 2)
    assert (cameras["cam-1"].frames, cameras["cam-1"].last_captured_at) == (0, None)
    assert (cameras["stray-1"].assigned, cameras["stray-1"].machine_id) == (False, "unassigned")
    assert [camera.camera_id for camera in snapshot.cameras][:4] == ["cam-1", "cam-2", "cam-3", "cam-4"]
    assert snapshot.machines[0].machine_id == "uncoiler-1"


def test_newest_defects_come_first_and_miss_their_picture_when_it_is_gone(
    plant: PlantInDatabase, database: Database
) -> None:
    now = datetime.now(UTC)
    image = drawn_jpeg("crease", 1)
    plant.see([
        SeenFrame("cam-1", now - timedelta(seconds=0.2), "crease", 0.7, image=image),
        SeenFrame("cam-1", now - timedelta(seconds=0.1), "rolled_pit", 0.6),
        SeenFrame("cam-1", now + timedelta(minutes=9), "silk_spot", 0.6),
    ])  # fmt: skip
    newest = data.newest_defects(database, 2)
    assert [(frame.defect_class, frame.image) for frame in newest] == [("rolled_pit", None), ("crease", image)]
    evidence = newest[1].evidence
    assert evidence is not None
    assert len(evidence) == 7


def test_health_tells_delay_refusals_statuses_and_models(plant: PlantInDatabase, database: Database) -> None:
    now = datetime.now(UTC)
    plant.see([SeenFrame("cam-3", now - timedelta(seconds=s), delay_s=0.3) for s in range(1, 400)])
    plant.refuse("cam-3", "empty", "older", now - timedelta(hours=1))
    plant.refuse("cam-3", "empty", "newest", now)
    plant.refuse("cam-3", "not_an_image", "long ago", now - timedelta(days=2))
    plant.report_status("cam-3", now - timedelta(seconds=9), dropped_total=5)
    plant.report_status("cam-3", now, dropped_total=2)
    health = data.health_snapshot(database, WINDOW_S)
    assert health.delay.p50_s == pytest.approx(0.3)
    assert 2 < len(health.points) <= 31
    assert [(row.reason, row.frames, row.last_detail) for row in health.rejected] == [("empty", 2, "newest")]
    [status] = health.statuses
    assert (status.dropped_total, status.dropped_in_all) == (2, 7)
    assert [model.model_version for model in health.models] == ["1"]


def test_what_could_be_seen_of_a_refused_message_is_kept(plant: PlantInDatabase, database: Database) -> None:
    plant.refuse("cam-3", "truncated_image", "ends early", datetime.now(UTC), b"jpeg")
    plant.refuse("cam-3", "empty", "the image is empty", datetime.now(UTC))
    messages = {each.reason: each.frame_id for each in refused_data.refused_messages(database)}
    assert refused_data.refused_picture(database, messages["truncated_image"]) == b"jpeg"
    assert refused_data.refused_picture(database, messages["empty"]) is None
    assert refused_data.refused_picture(database, uuid4()) is None


def test_report_is_the_databases_own(plant: PlantInDatabase, database: Database) -> None:
    now = datetime.now(UTC)
    plant.see([SeenFrame("cam-4", now - timedelta(seconds=5), "crease", 0.9)])
    rows = data.sightings_report(database, now - timedelta(hours=1), now + timedelta(seconds=1))
    trimmer = next(row for row in rows if row.machine_id == "trimmer-1")
    assert (trimmer.defect_class, trimmer.defects, trimmer.frames_inspected) == ("crease", 1, 1)
    uncoiler = next(row for row in rows if row.machine_id == "uncoiler-1")
    assert (uncoiler.frames_inspected, uncoiler.defect_rate) == (0, None)


def test_nothing_can_be_written(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        database.rows(One, "create temporary table t as select 1 as one")
    assert trouble_of(database, "select 1 as one from pg_authid") is Trouble.REFUSED


def test_each_trouble_is_told_apart(plant: PlantInDatabase, database: Database) -> None:
    assert trouble_of(database, "select 1 as one from no_such_table") is Trouble.NOT_PREPARED
    assert trouble_of(database, "select 1 as one from pg_sleep(5)") is Trouble.TOO_SLOW
    wrong = Database(plant.dashboard_url.replace("millsight_dashboard:", "millsight_dashboard:x"))
    assert trouble_of(wrong, "select 1 as one") is Trouble.GONE
    nowhere = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    assert trouble_of(nowhere, "select 1 as one") is Trouble.GONE


def test_a_connection_that_was_cut_is_replaced_unnoticed(plant: PlantInDatabase, database: Database) -> None:
    assert database.rows(One, "select 1 as one") == [One(1)]
    plant.cut_dashboard_connections()
    assert database.rows(One, "select 2 as one") == [One(2)]


def test_more_askers_than_connections_wait_and_then_are_told(database: Database) -> None:
    askers = [
        threading.Thread(target=lambda: database.rows(Moment, "select now() as as_of from pg_sleep(1.2)"))
        for _ in range(2)
    ]
    for asker in askers:
        asker.start()
    threading.Event().wait(0.3)
    assert trouble_of(database, "select 1 as one") is Trouble.BUSY
    for asker in askers:
        asker.join()
    assert database.rows(One, "select 1 as one") == [One(1)]


def test_a_camera_that_delivers_is_seen_as_of_now(plant: PlantInDatabase, database: Database) -> None:
    with LivePlant(plant, ["cam-1"]):
        threading.Event().wait(2.0)
        snapshot = data.line_snapshot(database, WINDOW_S)
    newest = next(c.last_captured_at for c in snapshot.cameras if c.camera_id == "cam-1")
    assert newest is not None
    assert timedelta(0) <= snapshot.as_of - newest < timedelta(seconds=2)
