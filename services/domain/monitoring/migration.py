"""A line changes: a camera moves, a roll is ground. What is known of what stays is kept."""

from dataclasses import fields
from typing import Final

import numpy as np

from services.domain.monitoring.frame import Floats, MonitorFrame
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.state import MonitorState

_BY_STREAM: Final = frozenset(
    {"baseline_count", "baseline_m", "learnt_count", "learnt_m", "sharp_count", "sharp_of"}
)
_BY_CAMERA: Final = frozenset(
    {"false_calls", "false_frames", "false_labels", "hits", "trials", "eyesight", "eyesight_m"}
)
_INHERITED_DEFECTS: Final = 2.0
"""Weight of the rate that a new group is taken to have: no camera told how its machines shared it."""
_KEPT: Final = frozenset({"confusion", "coils", "began", "limit", "ring_times"})


def move_to(monitor: LineMonitor, frame: MonitorFrame) -> None:
    """Set a monitor over to a new version of its line.

    Where cameras and groups are the same (a roll was ground, a name changed) nothing is forgotten. Else the charts
    start anew; what was learnt of cameras and groups that still exist under the same name is kept, and open faults
    of groups that exist no more are closed. A new group is taken to make what its machines made before.
    """
    old = monitor.frame
    monitor.frame = frame
    if _same(old, frame):
        return
    before, state = monitor.state, MonitorState.new(frame)
    groups = _pairs([each.group_id for each in old.layout.groups], [each.group_id for each in frame.layout.groups])
    cameras = _pairs(list(old.layout.cameras), list(frame.layout.cameras))
    for each in fields(MonitorState):
        value = getattr(before, each.name)
        if each.name in _KEPT:
            setattr(state, each.name, value)
        elif each.name in _BY_STREAM:
            _copy_rows(value, getattr(state, each.name), groups)
        elif each.name in _BY_CAMERA:
            _copy_rows(value, getattr(state, each.name), cameras)
    state.ring_coils = list(before.ring_coils)
    state.limit_coils = state.coils + 1 if np.isfinite(state.limit) else before.limit_coils
    _inherit(before, old, state, frame)
    monitor.state = state
    monitor.sharpness = _moved(monitor.sharpness, cameras, len(frame.layout.cameras))
    new_group = dict(groups)
    monitor.faults = [each for each in monitor.faults if each.group in new_group]
    for fault in monitor.faults:
        fault.group = new_group[fault.group]
    new_camera = dict(cameras)
    monitor.camera_faults = [each for each in monitor.camera_faults if each.camera in new_camera]
    for camera_fault in monitor.camera_faults:
        camera_fault.camera = new_camera[camera_fault.camera]


def _inherit(before: MonitorState, old: MonitorFrame, state: MonitorState, frame: MonitorFrame) -> None:
    """Give groups that are new the rates of their machines: an equal share of what their old groups made."""
    known: dict[str, Floats] = {
        machine: before.rate[index] / len(group.machine_ids)
        for index, group in enumerate(old.layout.groups)
        for machine in group.machine_ids
    }
    usual: Floats = np.asarray(np.mean(list(known.values()), axis=0), dtype=np.float64)
    names = {group.group_id for group in old.layout.groups}
    for index, group in enumerate(frame.layout.groups):
        if group.group_id not in names:
            rate = np.sum([known.get(machine, usual) for machine in group.machine_ids], axis=0)
            state.baseline_count[index] = _INHERITED_DEFECTS
            state.baseline_m[index] = _INHERITED_DEFECTS / rate


def _same(old: MonitorFrame, new: MonitorFrame) -> bool:
    return (
        old.classes == new.classes
        and old.layout.cameras == new.layout.cameras
        and old.layout.groups == new.layout.groups
    )


def _pairs(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return old and new index of every name that stays."""
    places = {name: place for place, name in enumerate(new)}
    return [(place, places[name]) for place, name in enumerate(old) if name in places]


def _copy_rows(source: Floats, target: Floats, pairs: list[tuple[int, int]]) -> None:
    for old, new in pairs:
        target[new] = source[old]


def _moved(values: Floats, pairs: list[tuple[int, int]], length: int) -> Floats:
    moved = np.full(length, np.nan)
    _copy_rows(values, moved, pairs)
    return moved
