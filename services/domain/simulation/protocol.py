"""The line of the evaluation protocol, and the same fault on every machine and class."""

from dataclasses import replace
from typing import Final

import numpy as np

from services.domain.simulation.scenario import (
    PROTOCOL_CLASSES,
    PROTOCOL_DIAGONAL,
    Eye,
    Scenario,
    spread_confusion,
)
from services.domain.topology import CameraStation, Line, Machine

PROTOCOL_SENSITIVITY: Final = (0.90, 0.85, 0.80, 0.90, 0.85, 0.95)
PROTOCOL_BASELINE: Final = 1e-3
PROTOCOL_SURVIVAL: Final = 0.98
PROTOCOL_MATERIAL: Final = "generic"

_SPACING_M = 10.0
_CAMERA_BEHIND_M = 5.0


def protocol_scenario(name: str = "baseline") -> Scenario:
    """Return six machines with a camera behind each, ten classes, in control."""
    numbers = range(1, len(PROTOCOL_SENSITIVITY) + 1)
    machines = tuple(Machine(f"m{n}", f"m{n}", "machine", n * _SPACING_M) for n in numbers)
    cameras = tuple(
        CameraStation(f"cam-{n}", "sim-1", f"m{n}", n * _SPACING_M + _CAMERA_BEHIND_M, PROTOCOL_MATERIAL)
        for n in numbers
    )
    shape = (len(machines), len(PROTOCOL_CLASSES))
    return Scenario(
        name=name,
        line=Line("sim-1", "Simulated line", 3.0, machines, cameras),
        classes=PROTOCOL_CLASSES,
        eyes=tuple(Eye(np.full(shape[1], share)) for share in PROTOCOL_SENSITIVITY),
        baseline=np.full(shape, PROTOCOL_BASELINE),
        survival=np.full(shape, PROTOCOL_SURVIVAL),
        confusion=spread_confusion(PROTOCOL_DIAGONAL),
    )


def at_cell(scenario: Scenario, cell: int) -> Scenario:
    """Move every fault on by `cell` places through all (machine, class) pairs, class first; it wraps around.

    With a first fault on the first machine and class, cell k puts it on machine k // C and class k % C.
    """
    machines, classes = scenario.machine_ids, scenario.classes
    moved = []
    for fault in scenario.faults:
        here = machines.index(fault.machine_id) * len(classes) + classes.index(fault.defect_class)
        machine, label = divmod((here + cell) % (len(machines) * len(classes)), len(classes))
        moved.append(replace(fault, machine_id=machines[machine], defect_class=classes[label]))
    return replace(scenario, faults=tuple(moved))
