"""Reads a scenario file into a scenario of the domain."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from services.contracts.errors import ConfigurationError
from services.contracts.yaml_file import read_entry
from services.domain.classes import DEFECT_CLASSES, NO_DEFECT
from services.domain.simulation.checks import check_scenario
from services.domain.simulation.faults import CameraFault, CameraFaultKind, Fault, RollFault, Welds
from services.domain.simulation.protocol import at_cell
from services.domain.simulation.scenario import (
    PROTOCOL_CLASSES,
    Eye,
    Floats,
    Overdispersion,
    Scenario,
    Strip,
    Tracking,
)
from services.domain.topology import CameraStation, Line, Machine, Roll
from services.simulator.confusion_file import confusion_of
from services.simulator.scenario_entries import (
    BaselineEntry,
    CameraEntry,
    CameraFaultEntry,
    FaultEntry,
    LineEntry,
    MachineEntry,
    RollMarkEntry,
    ScenarioEntry,
    StripEntry,
    SurvivalEntry,
    WeldsEntry,
)

_M_PER_KM: Final = 1000.0
_FACTORS: Final = {CameraFaultKind.SENSITIVITY: 0.8}
_OTHER_FACTOR: Final = 20.0


def read_scenario(path: Path, seed: int = 0) -> Scenario:
    """Read a scenario file.

    Args:
        path: The file.
        seed: With `cells: all`, the faults move on by `seed` (machine, class) pairs, see `at_cell`; else not used.

    Raises:
        ConfigurationError: The file cannot be read, breaks a rule or contradicts itself; one sentence.
    """
    entry = read_entry(path, "scenario", ScenarioEntry)
    try:
        scenario = _scenario(entry, path)
        check_scenario(scenario)
        if entry.cells == "all":
            scenario = at_cell(scenario, seed)
            check_scenario(scenario)
    except ValueError as error:
        raise ConfigurationError(f"scenario {path}, {error}") from error
    return scenario


def _scenario(entry: ScenarioEntry, path: Path) -> Scenario:
    classes = _classes(entry)
    rows = [machine.id for machine in entry.line.machines]
    faults = tuple(_fault(fault, entry.strip.frame_pitch_m) for fault in entry.faults)
    spread = entry.overdispersion
    return Scenario(
        name=path.stem,
        line=_line(entry.line),
        classes=classes,
        eyes=tuple(_eye(camera, classes) for camera in _in_strip_order(entry.line)),
        baseline=_table("baseline", entry.baseline.per_frame, entry.baseline, (rows, classes)),
        survival=_table("survival", entry.survival.per_stage, entry.survival, (rows, classes)),
        confusion=confusion_of(entry.confusion, classes, path.parent),
        strip=_strip(entry.strip),
        tracking=Tracking(
            entry.tracking.positions,
            entry.tracking.positions_from == "coil",
            entry.tracking.coil_ids,
            entry.tracking.jitter_m,
        ),
        faults=faults,
        roll_faults=tuple(_roll_fault(mark) for mark in entry.roll_marks),
        camera_faults=tuple(_camera_fault(fault) for fault in entry.camera_faults),
        welds=None if entry.welds is None else _welds(entry.welds),
        overdispersion=None if spread is None else Overdispersion(spread.shape, spread.common),
    )


def _classes(entry: ScenarioEntry) -> tuple[str, ...]:
    match entry.classes:
        case "generic":
            return PROTOCOL_CLASSES
        case "steel":
            return DEFECT_CLASSES
    if NO_DEFECT in entry.classes or not entry.classes:
        raise ValueError(f"classes: give at least one class, and not {NO_DEFECT!r}, which is always there")
    return entry.classes


def _line(entry: LineEntry) -> Line:
    cameras = tuple(
        CameraStation(camera.id, entry.id, camera.behind, camera.position_m, entry.material, entry.model)
        for camera in _in_strip_order(entry)
    )
    return Line(entry.id, entry.id, entry.speed_m_s, tuple(_machine(each) for each in entry.machines), cameras)


def _in_strip_order(entry: LineEntry) -> list[CameraEntry]:
    return sorted(entry.cameras, key=lambda camera: camera.position_m)


def _machine(entry: MachineEntry) -> Machine:
    rolls = tuple(Roll(r.id, r.diameter_mm, r.forward_slip, r.forward_slip_tolerance) for r in entry.rolls)
    return Machine(entry.id, entry.id, entry.kind, entry.position_m, rolls, entry.elongation)


def _eye(entry: CameraEntry, classes: tuple[str, ...]) -> Eye:
    sensitivity = np.full(len(classes), entry.sensitivity)
    for name, value in entry.sensitivity_by_class.items():
        sensitivity[_index(f"camera {entry.id!r}, sensitivity_by_class", "class", name, classes)] = value
    return Eye(
        sensitivity=sensitivity,
        false_per_frame=entry.false_positives_per_frame,
        coverage=entry.coverage,
        block_frames=entry.block_frames,
        clock_skew_s=entry.clock_skew_s,
    )


def _table(
    where: str, common: float, entry: BaselineEntry | SurvivalEntry, names: tuple[list[str], tuple[str, ...]]
) -> Floats:
    """(M, C) values: one for all, then exceptions by class, then by machine or by class of a machine."""
    machines, classes = names
    values = np.full((len(machines), len(classes)), common)
    for name, value in entry.by_class.items():
        values[:, _index(where, "class", name, classes)] = value
    for machine, exception in entry.by_machine.items():
        row = _index(where, "machine", machine, machines)
        if not isinstance(exception, dict):
            values[row] = exception
            continue
        for name, value in exception.items():
            values[row, _index(f"{where}, machine {machine!r}", "class", name, classes)] = value
    return values


def _index(where: str, what: str, name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise ValueError(f"{where}: {what} {name!r} is not known here; known are {', '.join(known)}")
    return known.index(name)


def _strip(entry: StripEntry) -> Strip:
    return Strip(
        coils=entry.coils,
        frames_per_coil=entry.frames_per_coil,
        frame_pitch_m=entry.frame_pitch_m,
        start_s=entry.start.timestamp(),
        random_phase=entry.frame_grid == "random_phase",
    )


def _fault(entry: FaultEntry, frame_pitch_m: float) -> Fault:
    per_frame = None if entry.rate_per_km is None else entry.rate_per_km * frame_pitch_m / _M_PER_KM
    kept = entry.model_dump(exclude={"machine", "defect_class", "rate_per_km"})
    return Fault(machine_id=entry.machine, defect_class=entry.defect_class, per_frame=per_frame, **kept)


def _roll_fault(entry: RollMarkEntry) -> RollFault:
    kept = entry.model_dump(exclude={"machine", "roll"})
    return RollFault(machine_id=entry.machine, roll_id=entry.roll, **kept)


def _camera_fault(entry: CameraFaultEntry) -> CameraFault:
    factor = _FACTORS.get(entry.kind, _OTHER_FACTOR) if entry.factor is None else entry.factor
    kept = entry.model_dump(exclude={"camera", "factor"})
    return CameraFault(camera_id=entry.camera, factor=factor, **kept)


def _welds(entry: WeldsEntry) -> Welds:
    surplus = tuple((weld.coil, weld.at_m) for weld in entry.surplus)
    kept = entry.model_dump(exclude={"machine", "surplus"})
    return Welds(machine_id=entry.machine, surplus=surplus, **kept)
