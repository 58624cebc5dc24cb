"""Turns what became of a coil into facts for the database and for people."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

import numpy as np

from services.domain.monitoring.analysis import CoilReport
from services.domain.monitoring.facts import (
    COIL_CHANGE,
    FALSE_ALARM,
    CameraExposure,
    CoilRecord,
    RegisteredDefect,
    Sighting,
    StreamPoint,
)
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.state import MonitorState
from services.domain.registration.coil import RegisteredCoil

_DEFECT_NAMESPACE: Final = UUID("0c9b1f0a-7f39-5a44-8f0c-5a0b4f3c2d11")
_LEAST_SHARE: Final = 0.005
"""Smaller posteriors are left out of records."""


def coil_record(report: CoilReport, frame: MonitorFrame, state: MonitorState, material: str) -> CoilRecord:
    """Return the record of a coil."""
    outcome, judgement = report.outcome, report.judgement
    coil, standing = outcome.coil, outcome.standing
    return CoilRecord(
        line_id=frame.layout.line.id,
        coil_id=outcome.name,
        number=standing.number,
        material=material,
        started_at=datetime.fromtimestamp(coil.start_s, UTC),
        ended_at=datetime.fromtimestamp(coil.end_s, UTC),
        start_m=coil.start_m,
        length_m=coil.length_m,
        state="learning" if standing.learning else "monitored",
        exposures=_exposures(report, frame, state),
        points=_points(report, frame),
        landmarks=report.landmarks,
        defects=int((standing.reading.detection.false < 1 / 2).sum()),
        grade=judgement.grade,
        grade_reason=judgement.reason,
        price=judgement.price,
        currency=judgement.currency,
        quality_loss=judgement.loss,
        quality_loss_m=judgement.loss_m,
    )


def defects_of(report: CoilReport, frame: MonitorFrame) -> tuple[RegisteredDefect, ...]:
    """Return every registered defect of a coil, landmarks and likely false alarms included, in strip order."""
    coil, reading = report.outcome.coil, report.outcome.standing.reading
    place = {int(row): index for index, row in enumerate(reading.rows)}
    return tuple(_defect(defect, place.get(defect), report, frame) for defect in range(len(coil.labels)))


def _defect(defect: int, index: int | None, report: CoilReport, frame: MonitorFrame) -> RegisteredDefect:
    coil = report.outcome.coil
    sightings = _sightings(defect, coil, frame)
    line_id, name = frame.layout.line.id, report.outcome.name
    classes, causes = _posteriors(defect, index, report, frame)
    return RegisteredDefect(
        defect_id=uuid5(_DEFECT_NAMESPACE, f"{line_id}/{name}/{sightings[0].camera_id}/{sightings[0].frame_id}"),
        line_id=line_id,
        coil_id=name,
        position_m=float(coil.place_m[defect]),
        position_sd_m=float(coil.half_m[defect]) / 3**0.5,
        sightings=sightings,
        looked=tuple(
            camera
            for camera, label in zip(frame.layout.cameras, coil.labels[defect].tolist(), strict=True)
            if label == -1
        ),
        class_posterior=classes,
        cause_posterior=causes,
        landmark=bool(coil.landmark[defect]),
    )


def _sightings(defect: int, coil: RegisteredCoil, frame: MonitorFrame) -> tuple[Sighting, ...]:
    table = coil.table
    return tuple(
        Sighting(
            camera_id=frame.layout.cameras[camera],
            frame_id=str(table.frame_id[row]),
            label=frame.classes[int(coil.labels[defect, camera])],
            confidence=float(table.confidence[row]),
            captured_at=datetime.fromtimestamp(float(table.captured_s[row]), UTC),
            position_m=float(table.position_m[row]),
        )
        for camera, row in enumerate(coil.rows[defect].tolist())
        if row >= 0
    )


def _posteriors(
    defect: int, index: int | None, report: CoilReport, frame: MonitorFrame
) -> tuple[dict[str, float], dict[str, float]]:
    """Return class and cause posteriors; a landmark has the classes it was called and no machine as its cause."""
    if index is None:
        labels = report.outcome.coil.labels[defect]
        codes, counts = np.unique(labels[labels >= 0], return_counts=True)
        shares = counts / counts.sum()
        return {frame.classes[int(code)]: float(s) for code, s in zip(codes, shares, strict=True)}, {
            COIL_CHANGE: 1.0
        }
    detection = report.outcome.standing.reading.detection
    born, false = detection.born[index], float(detection.false[index])
    by_class = born.sum(axis=0) / max(float(born.sum()), 1e-300)
    classes = {name: float(p) for name, p in zip(frame.classes, by_class, strict=True) if p >= _LEAST_SHARE}
    causes = {
        group.group_id: float(p)
        for group, p in zip(frame.layout.groups, born.sum(axis=1), strict=True)
        if p >= _LEAST_SHARE
    }
    return classes, causes | ({FALSE_ALARM: false} if false >= _LEAST_SHARE else {})


def _exposures(report: CoilReport, frame: MonitorFrame, state: MonitorState) -> tuple[CameraExposure, ...]:
    coil, reading = report.outcome.coil, report.outcome.standing.reading
    seen = reading.labels >= 0
    alone = seen.sum(axis=1) == 1
    unconfirmed = (seen & alone[:, None] & (reading.detection.false >= 1 / 2)[:, None]).sum(axis=0)
    sensitivity = reading.parameters.sensitivity.mean(axis=1)
    return tuple(
        CameraExposure(
            camera_id=name,
            frames=int(coil.frames[camera]),
            inspected_m=float(coil.inspected_m[camera]),
            sightings=int(coil.sightings[camera]),
            confirmed=int(coil.sightings[camera] - unconfirmed[camera]),
            sensitivity=float(sensitivity[camera]) if state.trials[camera].sum() > 0 else None,
            false_per_frame=float(reading.parameters.false_per_frame[camera]),
        )
        for camera, name in enumerate(frame.layout.cameras)
    )


def _points(report: CoilReport, frame: MonitorFrame) -> tuple[StreamPoint, ...]:
    standing = report.outcome.standing
    evidence, expected = standing.reading.evidence, report.expected
    return tuple(
        StreamPoint(
            group_id=group.group_id,
            defect_class=name,
            first_seen=float(evidence.count[row, column]),
            expected=float(expected[row, column]),
            exposure_m=float(evidence.metres[row, column]),
            statistic=float(standing.charts[row, column]),
        )
        for row, group in enumerate(frame.layout.groups)
        for column, name in enumerate(frame.classes)
        if frame.watched[column]
    )
