"""Refuses a scenario that contradicts itself, in one sentence that names what is wrong."""

from collections.abc import Collection
from itertools import pairwise

import numpy as np

from services.domain.simulation.faults import (
    HOLE_CLASS,
    NOTCH_CLASS,
    WELD_CLASS,
    CameraFaultKind,
    Fault,
    FaultShape,
)
from services.domain.simulation.scenario import Scenario


def check_scenario(scenario: Scenario) -> None:
    """Check names and shapes against each other.

    Raises:
        ValueError: A name is not on the line, arrays do not fit, or a fault is not possible; one sentence.
    """
    _check_stations(scenario)
    shape = (len(scenario.machine_ids), len(scenario.classes))
    for name, array in (("baseline", scenario.baseline), ("survival", scenario.survival)):
        if array.shape != shape:
            raise ValueError(
                f"{name} has shape {array.shape}, the line has {shape[0]} machines and {shape[1]} classes"
            )
    if scenario.confusion.shape != (shape[1], shape[1]):
        raise ValueError(f"confusion has shape {scenario.confusion.shape}: it needs a row and a column per class")
    if np.any(scenario.confusion < 0) or np.any(scenario.confusion.sum(axis=1) > 1 + 1e-9):
        raise ValueError("confusion: the shares of a row must not be negative and not sum to more than 1")
    for number, fault in enumerate(scenario.faults, 1):
        _check_fault(scenario, fault, f"fault {number}")
    _check_rolls(scenario)
    _check_camera_faults(scenario)
    _check_welds(scenario)


def _check_stations(scenario: Scenario) -> None:
    line = scenario.line
    places = [machine.position_m for machine in line.machines]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise ValueError("machines must be listed in strip order, no two at one place")
    if len(set(scenario.machine_ids)) < len(scenario.machine_ids):
        raise ValueError("machine ids must differ")
    if len(set(scenario.camera_ids)) < len(scenario.camera_ids):
        raise ValueError("camera ids must differ")
    if len(set(scenario.classes)) < len(scenario.classes):
        raise ValueError("classes must differ")
    for camera in line.cameras:
        passed = [machine.id for machine in line.machines if machine.position_m <= camera.position_m]
        if not passed or passed[-1] != camera.machine_id:
            behind = f"stands behind {passed[-1]!r}" if passed else "stands before the first machine"
            raise ValueError(
                f"camera {camera.camera_id!r} at {camera.position_m} m {behind}, not behind {camera.machine_id!r}"
            )


def _check_fault(scenario: Scenario, fault: Fault, where: str) -> None:
    _known(where, "machine", fault.machine_id, scenario.machine_ids)
    _known(where, "class", fault.defect_class, scenario.classes)
    if fault.shape is FaultShape.RAMP:
        base = scenario.baseline[
            scenario.machine_ids.index(fault.machine_id), scenario.classes.index(fault.defect_class)
        ]
        target = base * fault.factor if fault.per_frame is None else fault.per_frame
        if base <= 0 or target <= 0:
            raise ValueError(f"{where}: a ramp is log-linear, so both its ends need a rate above 0")


def _check_rolls(scenario: Scenario) -> None:
    for number, fault in enumerate(scenario.roll_faults, 1):
        where = f"roll mark {number}"
        _known(where, "machine", fault.machine_id, scenario.machine_ids)
        _known(where, "class", fault.defect_class, scenario.classes)
        machine = scenario.line.machines[scenario.machine_ids.index(fault.machine_id)]
        _known(where, "roll", fault.roll_id, [roll.id for roll in machine.rolls])


def _check_camera_faults(scenario: Scenario) -> None:
    for number, fault in enumerate(scenario.camera_faults, 1):
        where = f"camera fault {number}"
        _known(where, "camera", fault.camera_id, scenario.camera_ids)
        if fault.kind is CameraFaultKind.DIRTY_LENS:
            if fault.defect_class is None:
                raise ValueError(f"{where}: say with `class` what the blemish is taken for")
            _known(where, "class", fault.defect_class, scenario.classes)


def _check_welds(scenario: Scenario) -> None:
    if scenario.welds is None:
        return
    _known("welds", "machine", scenario.welds.machine_id, scenario.machine_ids)
    for name in (WELD_CLASS, HOLE_CLASS, NOTCH_CLASS):
        _known("welds", "class", name, scenario.classes)
    reach_m = max(scenario.welds.notch_m, scenario.welds.hole_m)
    for coil, at_m in scenario.welds.surplus:
        if not 0 <= at_m < scenario.strip.coil_m - reach_m:
            raise ValueError(
                f"welds: the surplus weld of coil {coil} at {at_m} m does not fit into {scenario.strip.coil_m:g} m"
            )


def _known(where: str, what: str, name: str, names: Collection[str]) -> None:
    if name not in names:
        raise ValueError(f"{where}: {what} {name!r} is not known here; known are {', '.join(names) or 'none'}")
