"""Raises and clears faults: the most probable cause first, and nothing that an open fault explains."""

from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.camera_condition import CameraCondition
from services.domain.monitoring import causes
from services.domain.monitoring.beginning import beginning_of
from services.domain.monitoring.cameras import CameraCheck
from services.domain.monitoring.fold import Standing
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import (
    CameraFault,
    OpenFault,
    explained,
    follow,
    follow_camera,
    is_leak,
)
from services.domain.monitoring.state import HISTORY_COILS

Floats = npt.NDArray[np.float64]

_CLEAR: Final = 0.87
"""A cause that is less probable than this, given a fault, waits for the next coil ..."""
PATIENCE_NATS: Final = 4.0
"""... unless its chart is above the limit by this much."""
_MOST_ALARMS: Final = 3
"""Faults that one coil can raise; what else is above the limit is looked at again on the next coil."""


def clear_faults(monitor: LineMonitor, standing: Standing) -> tuple[OpenFault, ...]:
    """Take one coil into the open machine faults; return those that are over."""
    over = tuple(fault for fault in monitor.faults if follow(fault, monitor.state, standing))
    for fault in over:
        monitor.faults.remove(fault)
        monitor.restart_chart(fault.group, fault.defect_class)
    return over


def clear_cameras(
    monitor: LineMonitor, standing: Standing, check: CameraCheck, seen: Floats, usual: Floats
) -> tuple[CameraFault, ...]:
    """Take one coil into the open camera faults; return those that are over.

    Args:
        monitor: Is changed.
        standing: After the coil.
        check: Of the cameras' pictures.
        seen: (J,) frames that each camera called a defect, `usual` (J,) what it does on as much strip.
        usual: See `seen`.
    """
    dirty = check.of_kind(CameraCondition.DIRTY_LENS)
    over = []
    for fault in monitor.camera_faults:
        fault.seen_again = fault.camera in dirty
        if follow_camera(fault, standing, float(seen[fault.camera]), float(usual[fault.camera])):
            over.append(fault)
    for fault in over:
        monitor.camera_faults.remove(fault)
        monitor.restart_cameras(monitor.only_camera(fault.camera))
    return tuple(over)


def raise_cameras(monitor: LineMonitor, standing: Standing, check: CameraCheck) -> list[CameraFault]:
    """Raise what pictures and missing sightings say of cameras: no machine can be the cause of these."""
    dirty = check.of_kind(CameraCondition.DIRTY_LENS)
    causes_of_trouble = [(camera, "dirty_lens", finding.reason) for camera, finding in dirty.items()]
    if not standing.learning:
        blind = np.flatnonzero(monitor.state.blind_chart >= standing.limit).tolist()
        causes_of_trouble += [(camera, "blind", "") for camera in blind if camera not in dirty]
    flagged = monitor.flagged_cameras
    return [
        _raise_camera(monitor, camera, kind, standing, reason)
        for camera, kind, reason in causes_of_trouble
        if camera not in flagged
    ]


def raise_faults(monitor: LineMonitor, standing: Standing) -> tuple[list[OpenFault], list[CameraFault]]:
    """Raise faults while a chart is above the limit and nothing explains it."""
    machines: list[OpenFault] = []
    cameras: list[CameraFault] = []
    monitor.restart(monitor.unjudged)
    since_restart = monitor.state.excursion_m > 0
    charts = np.where(monitor.frame.watched & since_restart, standing.charts, 0.0)
    for _ in range(_MOST_ALARMS):
        known = explained(monitor.faults, monitor.frame) | monitor.unjudged
        over = bool((charts[~known] >= standing.limit).any())
        if not over and not _cameras_over(monitor, standing.limit):
            break
        verdict = causes.attribute(monitor.state, monitor.frame, known, monitor.flagged)
        if verdict.clearness < _CLEAR and _evidence(monitor, charts[~known]) < standing.limit + PATIENCE_NATS:
            break
        if verdict.camera is not None:
            blamed = _raise_camera(monitor, verdict.camera, "invents", standing, "")
            blamed.posterior = verdict.probabilities
            cameras.append(blamed)
            charts[monitor.frame.layout.first_camera <= verdict.camera] = 0.0
        elif over:
            machines += _raise_machine(monitor, verdict, standing, charts)
        else:
            break
    return machines, cameras


def _cameras_over(monitor: LineMonitor, limit: float) -> bool:
    over = np.flatnonzero(monitor.state.camera_chart >= limit).tolist()
    return any(camera not in monitor.flagged_cameras for camera in over)


def _evidence(monitor: LineMonitor, charts: Floats) -> float:
    """Return the highest chart of what is not explained, machines and cameras, nats."""
    cameras = monitor.state.camera_chart[~monitor.flagged]
    return max(float(charts.max(initial=0.0)), float(cameras.max(initial=0.0)))


def _raise_machine(
    monitor: LineMonitor, verdict: causes.Attribution, standing: Standing, charts: Floats
) -> list[OpenFault]:
    place = (verdict.group, verdict.defect_class)
    if is_leak(place, causes.excess_rate(monitor.state, *place), monitor.faults):
        monitor.restart_chart(*place)
        charts[place] = 0.0
        return []
    fault = _fault(monitor, verdict, standing, charts)
    monitor.faults.append(fault)
    _restart_leaks(monitor, fault, charts, standing.limit)
    return [fault]


def _fault(monitor: LineMonitor, verdict: causes.Attribution, standing: Standing, charts: Floats) -> OpenFault:
    state, place = monitor.state, (verdict.group, verdict.defect_class)
    onset = causes.onset_of_stream(state, *place)
    order = np.arange(onset.best, standing.number + 1) % HISTORY_COILS
    metres = float(state.ring_m[order, *place].sum())
    implied = causes.likely_ratio(state, *place, onset.best) * float(state.rate[place]) * metres
    return OpenFault(
        group=verdict.group,
        defect_class=verdict.defect_class,
        alarm=standing.number,
        onset=onset.best,
        onset_low=onset.low,
        onset_high=onset.high,
        count=max(float(state.ring_count[order, *place].sum()), implied),
        metres=metres,
        normal_count=float(state.baseline_count[place]),
        normal_m=float(state.baseline_m[place]),
        peak=float(charts[place]),
        chart=float(charts[place]),
        limit=standing.limit,
        began=beginning_of(state, onset, standing.number),
        posterior=verdict.probabilities,
    )


def _restart_leaks(monitor: LineMonitor, fault: OpenFault, charts: Floats, limit: float) -> None:
    """Start charts anew that the fault may have filled: its class, its group, the cameras behind it."""
    leaks = monitor.no_charts()
    leaks[fault.group] = True
    leaks[:, fault.defect_class] = True
    leaks |= charts >= limit
    leaks &= ~explained(monitor.faults, monitor.frame)
    monitor.restart(leaks)
    charts[leaks] = 0.0
    first = monitor.frame.layout.first_camera[fault.group]
    monitor.restart_cameras(np.arange(len(monitor.frame.layout.cameras)) >= first)


def _raise_camera(monitor: LineMonitor, camera: int, kind: str, standing: Standing, reason: str) -> CameraFault:
    state, number = monitor.state, standing.number
    invents = kind == "invents"
    onset = causes.onset_of_camera(state, camera) if invents else causes.Onset(number, number, number)
    order = np.arange(max(onset.best, number - HISTORY_COILS + 1), number + 1) % HISTORY_COILS
    chart = standing.camera_charts if invents else standing.blind_charts
    fault = CameraFault(
        camera=camera,
        kind=kind,
        alarm=number,
        onset=onset.best,
        onset_low=onset.low,
        onset_high=onset.high,
        calls=float(state.ring_calls[order, camera].sum()),
        expected=float(state.ring_camera_expected[order, camera].sum()),
        peak=float(chart[camera]),
        limit=standing.limit,
        reason=reason,
        began=beginning_of(state, onset, number),
    )
    monitor.camera_faults.append(fault)
    seen_by = monitor.no_charts()
    seen_by[monitor.frame.layout.first_camera <= camera] = True
    monitor.restart(seen_by & ~explained(monitor.faults, monitor.frame))
    return fault
