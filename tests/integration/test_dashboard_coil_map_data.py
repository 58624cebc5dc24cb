"""The coil map's questions, asked of a real PostgreSQL through the read-only role."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from dashboard.coil_map_data import coil_detail, coils, sightings
from dashboard.database import Database, PoolLimits
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.monitor_records import CoilResult
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database as Server

DEFECT = UUID(int=77)
_INSPECTION = """
insert into millsight.inspections (frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at,
    received_at, stored_at, sequence, defect_class, confidence, probabilities, model_name, model_version, topic,
    kafka_partition, kafka_offset, cluster_id, width_px, height_px, spot_x, spot_y)
select frame_id::uuid, 'strip-1', 'skinpass-1', camera_id, 'C-5', 'steel_strip', captured_at, captured_at,
    captured_at, 1, defect_class, confidence, '{"rolled_pit": 0.8}', 'surface_defects', '1', 'frames.cam-3', 0, 1,
    'test', 224, 224, 0.25, 0.75
from millsight.defect_sightings where defect_id = %s and camera_id = 'cam-3'
"""
_IMAGE = """
insert into millsight.inspection_images (frame_id, model_name, model_version, captured_at, camera_id, defect_class,
    content_type, image)
select frame_id::uuid, 'surface_defects', '1', captured_at, camera_id, defect_class, 'image/jpeg', '\\xffd8'
from millsight.defect_sightings where defect_id = %s and camera_id = 'cam-3'
"""


@pytest.fixture
def page(database: Server, monitor_store: PostgresMonitorStore) -> Iterator[Database]:
    """Five coils, a defect each, a flag on the skin-pass mill; one frame of the last defect is kept."""
    for number in range(1, 6):
        flags = [a_flag()] if number == 5 else []
        chosen = DEFECT if number == 5 else uuid4()
        defect = a_defect(number, 1000.0 * number + 250, defect_id=chosen)
        monitor_store.save_coil(CoilResult(a_coil(number), (defect,), flags))
    database.execute(_INSPECTION, parameters=(DEFECT,))
    database.execute(_IMAGE, parameters=(DEFECT,))
    opened = Database(database.dashboard_url, PoolLimits(size=2, wait_s=0.5, statement_timeout_s=2.0))
    yield opened
    opened.close()


def test_coils_come_newest_first_with_grade_and_loss(page: Database) -> None:
    found = coils(page)
    assert [row.coil_id for row in found] == ["C-5", "C-4", "C-3", "C-2", "C-1"]
    assert (found[0].grade, found[0].price, found[0].quality_loss) == ("B", 900.0, 100.0)


def test_a_defect_lies_in_its_place_along_and_across(page: Database) -> None:
    detail = coil_detail(page, "strip-1", "C-5")
    assert detail is not None
    assert detail.coil.held_back == ["WO-000001"]
    (defect,) = detail.defects
    assert (defect.along_m, defect.across, defect.sightings, defect.periodic) == (250.0, 0.25, 2, True)
    assert (defect.group_id, defect.first_camera, defect.landmark) == ("skinpass-1", "cam-3", False)
    (unplaced,) = (coil_detail(page, "strip-1", "C-4") or detail).defects
    assert unplaced.across is None


def test_cameras_come_in_the_order_of_travel_with_what_each_saw(page: Database) -> None:
    found = sightings(page, str(DEFECT))
    assert [(row.camera_id, row.defect_class) for row in found] == [
        ("cam-2", None), ("cam-3", "rolled_pit"), ("cam-4", "rolled_pit"),
    ]  # fmt: skip
    assert found[1].image == b"\xff\xd8"
    assert found[1].probabilities == {"rolled_pit": 0.8}
    assert found[2].image is None
    assert found[2].model_name is None


def test_what_is_unknown_has_nothing(page: Database) -> None:
    assert coil_detail(page, "strip-1", "C-99'; drop table coils") is None
    assert sightings(page, str(uuid4())) == []
