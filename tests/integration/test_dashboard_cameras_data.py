"""The cameras page's questions, asked of a real PostgreSQL through the read-only role."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dashboard.cameras_data import cameras_snapshot, newest_picture
from dashboard.database import Database, PoolLimits
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.fakes.plant import PlantInDatabase, SeenFrame, drawn_jpeg

FRAMES = 20


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlantInDatabase]:
    """A line whose camera cam-2 delivered frames, with a stray camera and a room that waits."""
    with tempfile.TemporaryDirectory(prefix="millsight-test-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        prepared = PlantInDatabase(server.admin_url)
        prepared.prepare_roles()
        prepared.migrate()
        prepared.apply_line(tmp_path_factory.mktemp("line"))
        now = datetime.now(UTC)
        seen = [SeenFrame("cam-2", now - timedelta(seconds=FRAMES - n)) for n in range(FRAMES)]
        defect = SeenFrame("cam-2", now, defect_class="oil_spot", image=drawn_jpeg("oil_spot", 3))
        prepared.see([*seen, defect, SeenFrame("stray <b>", now)])
        prepared.report_status("cam-2", now, spooled_frames=7, dropped_total=11)
        yield prepared
        server.stop()


@pytest.fixture
def database(plant: PlantInDatabase) -> Iterator[Database]:
    opened = Database(plant.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_every_camera_is_there_with_its_place_and_its_counts(database: Database) -> None:
    found = {row.camera_id: row for row in cameras_snapshot(database).cameras}
    two, stray = found["cam-2"], found["stray <b>"]
    assert (two.frames, two.defects, two.assigned) == (FRAMES + 1, 1, True)
    assert (two.spooled_frames, two.dropped_ever) == (7, 11)
    assert (stray.frames, stray.assigned, stray.position_m) == (1, False, None)
    silent = [row for row in found.values() if row.last_captured_at is None]
    assert silent, "a declared camera that never delivered is shown too"
    assert all((row.frames, row.brightness) == (0, None) for row in silent)


def test_the_newest_kept_picture_is_found_and_no_picture_is_none(database: Database) -> None:
    kept = newest_picture(database, "cam-2")
    assert kept is not None
    assert kept.defect_class == "oil_spot"
    assert kept.image[:2] == b"\xff\xd8"
    assert newest_picture(database, "stray <b>") is None
    assert newest_picture(database, "x'; drop table cameras") is None
