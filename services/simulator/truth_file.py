"""The truth of a simulated line as JSON: faults, roll periods, camera faults and the origin of every defect."""

import json
from dataclasses import asdict
from typing import Any

from services.domain.simulation.births import Births, Origin
from services.domain.simulation.faults import Fault
from services.domain.simulation.world import SimulatedLine

DEFECT_FIELDS = ("coil_id", "machine_id", "defect_class", "position_m", "lane", "origin")
"""Order of the fields of each defect."""


def truth_document(line: SimulatedLine, births: Births) -> dict[str, Any]:
    """Return the truth of a run.

    Positions are metres at the line's entry, on the scale of the export. A rate is defects per frame; a roll's
    period is given right behind its machine and as each camera sees it.

    Args:
        line: The run.
        births: All its defects.
    """
    scenario = line.scenario
    return {
        "scenario": scenario.name,
        "seed": line.seed,
        "line_id": scenario.line.id,
        "coils": scenario.strip.coils,
        "coil_m": scenario.strip.coil_m,
        "faults": [_fault(line, fault) for fault in scenario.faults],
        "roll_marks": [_roll_mark(line, index) for index in range(len(scenario.roll_faults))],
        "camera_faults": [
            asdict(fault) | _span(line, fault.onset_coil, fault.until_coil) for fault in scenario.camera_faults
        ],
        "welds": None if scenario.welds is None else asdict(scenario.welds),
        "defect_fields": list(DEFECT_FIELDS),
        "defects": _defects(line, births),
    }


def truth_json(line: SimulatedLine, births: Births) -> str:
    """Return the truth of a run as text, one defect a line."""
    document = truth_document(line, births)
    defects = ",\n".join(json.dumps(defect) for defect in document.pop("defects"))
    return json.dumps(document, indent=1)[:-2] + ',\n "defects": [\n' + defects + "\n ]\n}\n"


def _fault(line: SimulatedLine, fault: Fault) -> dict[str, Any]:
    scenario = line.scenario
    machine = scenario.machine_ids.index(fault.machine_id)
    baseline = float(scenario.baseline[machine, scenario.classes.index(fault.defect_class)])
    rate = baseline * fault.factor if fault.per_frame is None else fault.per_frame
    told: dict[str, Any] = {
        "machine_id": fault.machine_id,
        "defect_class": fault.defect_class,
        "shape": fault.shape.value,
        "baseline_per_frame": baseline,
        "faulty_per_frame": rate,
        "rate_ratio": rate / baseline if baseline > 0 else None,
    }
    return told | _span(line, fault.onset_coil, fault.until_coil)


def _roll_mark(line: SimulatedLine, index: int) -> dict[str, Any]:
    scenario, fault = line.scenario, line.scenario.roll_faults[index]
    machine = scenario.machine_ids.index(fault.machine_id)
    period_m = line.roll_period_m(index)
    at_cameras = {
        name: period_m * float(stretch) / float(line.machine_stretch[machine])
        for name, stretch, reach in zip(
            scenario.camera_ids, line.camera_stretch, line.reach[machine].max(axis=0), strict=True
        )
        if reach > 0
    }
    told = asdict(fault) | {"period_m": period_m, "period_at_cameras_m": at_cameras}
    return told | _span(line, fault.onset_coil, fault.until_coil)


def _span(line: SimulatedLine, onset_coil: int, until_coil: int | None) -> dict[str, Any]:
    until = None if until_coil is None else line.coil_id(until_coil)
    return {"onset_coil": line.coil_id(onset_coil), "until_coil": until}


def _defects(line: SimulatedLine, births: Births) -> list[list[Any]]:
    scenario = line.scenario
    head_m = 0.0 if scenario.tracking.from_coil_start else births.coil * scenario.strip.coil_m
    columns = (
        [line.coil_id(coil) for coil in births.coil.tolist()],
        [scenario.machine_ids[machine] for machine in births.machine.tolist()],
        [scenario.classes[label] for label in births.label.tolist()],
        (births.place_m + head_m).round(4).tolist(),
        births.lane.round(3).tolist(),
        [Origin(origin).name.lower() for origin in births.origin.tolist()],
    )
    return [list(defect) for defect in zip(*columns, strict=True)]
