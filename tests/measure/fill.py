"""Fills a database as a busy line would: twelve cameras, 50 frames a second, coils of five minutes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import psycopg

from services.contracts.monitor_records import CoilResult
from services.domain.monitoring.facts import Sighting
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fakes.plant import PlantInDatabase, drawn_jpeg

FRAMES_PER_S: Final = 50
CAMERAS: Final = 12
AHEAD: Final = timedelta(hours=3)
"""So far rows lie ahead of now, so that the newest hour is full however long the measurement takes."""
PICTURES_OF: Final = timedelta(hours=8)
_CHUNK_ROWS: Final = 250_000
_COIL: Final = timedelta(minutes=5)
_CLASSES: Final = "array['rolled_pit','inclusion','oil_spot','crease','silk_spot','water_spot','welding_line']"
_AT: Final = f"%(start)s + n * interval '1 second' / {FRAMES_PER_S}"

_FRAMES: Final = f"""
with drawn as (
    select n, random() as luck, random() as sure, random() as late
    from generate_series(%(first)s::bigint, %(last)s) n
)
insert into millsight.inspections (frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at,
    received_at, stored_at, strip_position_m, sequence, defect_class, confidence, probabilities, model_name,
    model_version, topic, kafka_partition, kafka_offset, cluster_id, width_px, height_px, spot_x, spot_y,
    brightness, saturated, sharpness, picture_hash)
select gen_random_uuid(), 'strip-1', (array['welder-1','washer-1','skinpass-1','trimmer-1'])[1 + n %% 4],
    'cam-' || (1 + n %% {CAMERAS}), 'C-' || (n / (300 * {FRAMES_PER_S})), 'steel_strip',
    {_AT}, {_AT} + interval '40 ms', {_AT} + interval '60 ms' + late * late * interval '200 ms',
    n * 0.04, n / {CAMERAS}, case when luck < 0.04 then ({_CLASSES})[1 + (sure * 6)::int] else 'no_defect' end,
    (0.45 + 0.54 * sqrt(sure))::real, '{{"no_defect": 0.9, "rolled_pit": 0.05, "inclusion": 0.03}}',
    'surface_defects', '1', 'frames.cam', 0, n, 'measure', 224, 224, luck, sure, 0.5, 0.01, 120.0,
    (luck * 1e15)::bigint
from drawn
"""  # noqa: S608 - constants of this file
_PICTURES: Final = """
insert into millsight.inspection_images (frame_id, model_name, model_version, captured_at, camera_id, defect_class,
    content_type, image)
select frame_id, model_name, model_version, captured_at, camera_id, defect_class, 'image/jpeg', %(image)s
from millsight.inspections
where captured_at between %(start)s and %(end)s and (defect_class <> 'no_defect' or confidence < 0.6)
"""


def fill(plant: PlantInDatabase, rows: int, say: Callable[[str], None]) -> None:
    """Add inspections up to some hours ahead of now, pictures of the newest hours, and coils with flags."""
    end = datetime.now(UTC) + AHEAD
    start = end - timedelta(seconds=rows / FRAMES_PER_S)
    with psycopg.connect(plant.owner_url, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        connection.execute("select millsight.ensure_partitions(3)")
        for first in range(0, rows, _CHUNK_ROWS):
            last = min(rows, first + _CHUNK_ROWS) - 1
            connection.execute(_FRAMES.encode(), {"first": first, "last": last, "start": start})
            say(f"{last + 1:,} rows")
        window = {"start": end - AHEAD - PICTURES_OF, "end": end, "image": drawn_jpeg("rolled_pit", 1)}
        connection.execute(_PICTURES.encode(), window)
        say("pictures")
        _coils(plant, connection, start)
        connection.execute("vacuum analyze")
    say("filled")


def _coils(plant: PlantInDatabase, connection: psycopg.Connection, start: datetime) -> None:
    ended = [start + _COIL * n for n in range(1, int((datetime.now(UTC) - start) / _COIL))]
    results = []
    for number, end in enumerate(ended, start=1):
        seen = connection.execute(
            "select frame_id::text, camera_id, captured_at from millsight.inspections"
            " where captured_at between %s and %s and defect_class = 'rolled_pit' limit 6",
            (end - _COIL, end),
        ).fetchall()
        defects = tuple(
            a_defect(
                number,
                1000.0 * number + 150 * place,
                defect_id=uuid4(),
                sightings=(Sighting(camera, frame, "rolled_pit", 0.8, at, 1000.0 * number + 150 * place),),
            )
            for place, (frame, camera, at) in enumerate(seen)
        )
        flags = [a_flag(onset_coil=f"C-{number - 2}", alarm_coil=f"C-{number}")] if number % 100 == 50 else []
        results.append(CoilResult(a_coil(number, ended_at=end, defects=len(defects)), defects, flags))
    plant.judge(results)


def note_cameras_now(plant: PlantInDatabase) -> None:
    """Let the cameras have delivered just now."""
    now = datetime.now(UTC)
    names = [f"cam-{number + 1}" for number in range(CAMERAS)]
    with psycopg.connect(plant.owner_url) as connection:
        connection.execute("select millsight.note_cameras(%s, %s, %s)", (names, [now] * CAMERAS, [now] * CAMERAS))
