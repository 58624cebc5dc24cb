"""A monitor that has nothing to learn: it is told the true rates and how well every camera sees."""

from typing import Final

import numpy as np

from services.domain.attribution.parameters import CameraParameters
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.state import MonitorState
from services.domain.simulation.scenario import Floats, Scenario

_RATE_WEIGHT: Final = 1e9
"""Defects by which a rate counts as known: what a run of some thousand coils adds is nothing against it."""
_CAMERA_WEIGHT: Final = 1e12
"""Sightings by which a camera counts as known; larger, since that memory fades faster."""


def known_state(frame: MonitorFrame, scenario: Scenario) -> MonitorState:
    """Return a state before the first coil that knows what the scenario says of sound machines and cameras.

    What a scenario does to its cameras later (`camera_faults`) is not known to it.

    Args:
        frame: Of a line whose cameras separate all machines.
        scenario: The truth.
    """
    state = MonitorState.new(frame)
    columns = [frame.classes.index(name) for name in scenario.classes]
    frame_m = scenario.strip.frame_pitch_m
    per_m = np.full(frame.shape[:2], 1e-9)
    per_m[:, columns] = np.maximum(_by_group(frame, scenario) / frame_m, 1e-9)
    state.baseline_count[:] = _RATE_WEIGHT
    state.baseline_m[:] = _RATE_WEIGHT / per_m
    true = true_parameters(scenario)
    state.hits[:, columns] = _CAMERA_WEIGHT * true.sensitivity
    state.trials[:, columns] = _CAMERA_WEIGHT
    state.confusion[np.ix_(columns, columns)] = _CAMERA_WEIGHT * true.confusion
    state.false_calls[:] = _CAMERA_WEIGHT * true.false_per_frame
    state.false_frames[:] = _CAMERA_WEIGHT
    state.eyesight[:] = _CAMERA_WEIGHT * usual_calls(scenario) / frame_m
    state.eyesight_m[:] = _CAMERA_WEIGHT
    return state


def true_parameters(scenario: Scenario) -> CameraParameters:
    """Return what is true of the cameras; a machine's wear of older defects is that of the first machine."""
    cameras, classes = len(scenario.eyes), len(scenario.classes)
    places = np.array([each.position_m for each in scenario.line.machines])
    passed = np.array([(places <= each.position_m).sum() for each in scenario.line.cameras])
    stages = np.diff(passed, prepend=0)
    caught = np.maximum(scenario.confusion.sum(axis=1), 1e-12)
    return CameraParameters(
        sensitivity=np.stack([eye.sensitivity for eye in scenario.eyes]) * caught,
        false_per_frame=np.array([eye.false_per_frame for eye in scenario.eyes]),
        false_labels=np.full((cameras, classes), 1.0 / classes),
        confusion=scenario.confusion / caught[:, None],
        survival=scenario.survival[0][None, :] ** stages[:, None],
    )


def usual_calls(scenario: Scenario) -> Floats:
    """Return (J,) the share of frames that each camera calls a defect while nothing is wrong."""
    true = true_parameters(scenario)
    places = np.array([each.position_m for each in scenario.line.machines])
    share = np.empty(len(scenario.eyes))
    for camera, station in enumerate(scenario.line.cameras):
        passed = int((places <= station.position_m).sum())
        seen = true.false_per_frame[camera]
        for machine in range(passed):
            left = scenario.survival[machine + 1 : passed].prod(axis=0)
            seen += float((scenario.baseline[machine] * left * true.sensitivity[camera]).sum())
        share[camera] = 1 - np.exp(-seen)
    return share


def _by_group(frame: MonitorFrame, scenario: Scenario) -> Floats:
    """Return (G, C) defects per frame of each group of machines."""
    rows = {machine: index for index, machine in enumerate(scenario.machine_ids)}
    return np.stack(
        [
            scenario.baseline[[rows[each] for each in group.machine_ids]].sum(axis=0)
            for group in frame.layout.groups
        ]
    )
