"""Statements and parameters that keep a coil: record, exposures, chart points, landmarks, registered defects."""

from collections.abc import Iterator, Sequence
from typing import Final

from psycopg.types.json import Jsonb

from services.adapters.postgres.connecting import Connection
from services.domain.monitoring.facts import CoilRecord, RegisteredDefect

Row = tuple[object, ...]

_RECORD: Final = b"""
INSERT INTO millsight.coil_records (line_id, coil_id, number, material, started_at, ended_at, start_m, length_m,
    state, defects, grade, grade_reason, price, currency, quality_loss, quality_loss_m)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (line_id, coil_id) DO UPDATE SET number = excluded.number, material = excluded.material,
    started_at = excluded.started_at, ended_at = excluded.ended_at, start_m = excluded.start_m,
    length_m = excluded.length_m, state = excluded.state, defects = excluded.defects, grade = excluded.grade,
    grade_reason = excluded.grade_reason, price = excluded.price, currency = excluded.currency,
    quality_loss = excluded.quality_loss, quality_loss_m = excluded.quality_loss_m, saved_at = now()
"""
_EXPOSURE: Final = b"""
INSERT INTO millsight.camera_exposures (line_id, coil_id, camera_id, ended_at, frames, inspected_m, sightings,
    confirmed, sensitivity, false_per_frame)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_POINT: Final = b"""
INSERT INTO millsight.stream_points (line_id, coil_id, group_id, defect_class, ended_at, first_seen, expected,
    exposure_m, statistic)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_LANDMARK: Final = b"""
INSERT INTO millsight.landmark_events (line_id, coil_id, ordinal, kind, defect_class, position_m, cameras)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_DEFECT: Final = b"""
INSERT INTO millsight.defects (defect_id, line_id, coil_id, seen_at, position_m, position_sd_m, defect_class,
    class_probability, group_id, group_probability, first_camera, looked, landmark, class_posterior,
    cause_posterior)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_SIGHTING: Final = b"""
INSERT INTO millsight.defect_sightings (defect_id, ordinal, camera_id, frame_id, defect_class, confidence,
    captured_at, position_m)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_FORGET: Final = (
    b"DELETE FROM millsight.camera_exposures WHERE line_id = %s AND coil_id = %s",
    b"DELETE FROM millsight.stream_points WHERE line_id = %s AND coil_id = %s",
    b"DELETE FROM millsight.landmark_events WHERE line_id = %s AND coil_id = %s",
    b"DELETE FROM millsight.defects WHERE line_id = %s AND coil_id = %s",
)
# A defect near the end of a coil may have been told of the neighbour before.
_FORGET_MOVED: Final = b"DELETE FROM millsight.defects WHERE defect_id = ANY (%s)"


def save_coil_rows(connection: Connection, record: CoilRecord, defects: Sequence[RegisteredDefect]) -> None:
    """Write a coil within the caller's transaction; what was kept of it before is replaced."""
    key = (record.line_id, record.coil_id)
    connection.execute(_RECORD, _record(record))
    for statement in _FORGET:
        connection.execute(statement, key)
    connection.execute(_FORGET_MOVED, ([defect.defect_id for defect in defects],))
    cursor = connection.cursor()
    for statement, rows in (
        (_EXPOSURE, _exposures(record)),
        (_POINT, _points(record)),
        (_LANDMARK, _landmarks(record)),
        (_DEFECT, map(_defect, defects)),
        (_SIGHTING, _sightings(defects)),
    ):
        cursor.executemany(statement, list(rows))


def _record(record: CoilRecord) -> Row:
    return (
        record.line_id,
        record.coil_id,
        record.number,
        record.material,
        record.started_at,
        record.ended_at,
        record.start_m,
        record.length_m,
        record.state,
        record.defects,
        record.grade,
        record.grade_reason,
        record.price,
        record.currency,
        Jsonb(dict(record.quality_loss)),
        Jsonb(dict(record.quality_loss_m)),
    )


def _exposures(record: CoilRecord) -> Iterator[Row]:
    for each in record.exposures:
        yield (
            record.line_id,
            record.coil_id,
            each.camera_id,
            record.ended_at,
            each.frames,
            each.inspected_m,
            each.sightings,
            each.confirmed,
            each.sensitivity,
            each.false_per_frame,
        )


def _points(record: CoilRecord) -> Iterator[Row]:
    for each in record.points:
        yield (
            record.line_id,
            record.coil_id,
            each.group_id,
            each.defect_class,
            record.ended_at,
            each.first_seen,
            each.expected,
            each.exposure_m,
            each.statistic,
        )


def _landmarks(record: CoilRecord) -> Iterator[Row]:
    for ordinal, each in enumerate(record.landmarks):
        yield (
            record.line_id,
            record.coil_id,
            ordinal,
            each.kind,
            each.defect_class,
            each.position_m,
            list(each.cameras),
        )


def _defect(defect: RegisteredDefect) -> Row:
    cause, cause_probability = max(defect.cause_posterior.items(), key=lambda each: each[1])
    return (
        defect.defect_id,
        defect.line_id,
        defect.coil_id,
        min(sighting.captured_at for sighting in defect.sightings),
        defect.position_m,
        defect.position_sd_m,
        defect.defect_class,
        defect.class_posterior[defect.defect_class],
        cause,
        cause_probability,
        defect.first_camera,
        list(defect.looked),
        defect.landmark,
        Jsonb(dict(defect.class_posterior)),
        Jsonb(dict(defect.cause_posterior)),
    )


def _sightings(defects: Sequence[RegisteredDefect]) -> Iterator[Row]:
    for defect in defects:
        for ordinal, each in enumerate(defect.sightings):
            yield (
                defect.defect_id,
                ordinal,
                each.camera_id,
                each.frame_id,
                each.label,
                each.confidence,
                each.captured_at,
                each.position_m,
            )
