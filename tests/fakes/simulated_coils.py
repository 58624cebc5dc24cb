"""Simulated strip for tests of the process monitor: lines by hand, coils frame by frame, runs of the scenarios."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from services.contracts.material_file import default_materials_dir, load_materials, material_for
from services.domain.material import MaterialPack
from services.domain.monitoring.analysis import CoilReport, LineAnalysis, analyse
from services.domain.monitoring.facts import Flag
from services.domain.monitoring.flagging import worst_first
from services.domain.registration.coil import LandmarkRule
from services.domain.registration.table import UNKNOWN, InspectionTable
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import CameraStation, Line, LineVersion, Machine, MonitoringPlan, Roll
from services.simulator.scenario_file import read_scenario

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
STEEL = ("welding_line", "punching_hole", "crescent_gap", "rolled_pit", "oil_spot")
STEEL_LANDMARKS = LandmarkRule(weld=0, beside=(1, 2), beside_m=3.0)
NO_LANDMARKS = LandmarkRule(weld=None, beside=(), beside_m=0.0)
START_S = 1_767_592_800.0


def a_line(
    cameras_behind: Sequence[int] = (1, 2, 3),
    machines: int = 3,
    elongation: Mapping[int, float] | None = None,
    plan: MonitoringPlan | None = None,
    rolls: Mapping[int, tuple[Roll, ...]] | None = None,
) -> Line:
    """Return machines m1, m2, … every 10 m and a camera cam-n 5 m behind each of the given machines; 2 m/s."""
    longer, fitted = elongation or {}, rolls or {}
    return Line(
        "test-line",
        "Test line",
        2.0,
        tuple(
            Machine(f"m{n}", f"m{n}", "machine", 10.0 * n, fitted.get(n, ()), longer.get(n, 0.0))
            for n in range(1, machines + 1)
        ),
        tuple(CameraStation(f"cam-{n}", "test-line", f"m{n}", 10.0 * n + 5.0, "generic") for n in cameras_behind),
        monitoring=plan or MonitoringPlan(),
    )


@dataclass
class Strip:
    """One coil under the cameras of a line, frame by frame; `see` puts defects on frames.

    Every camera takes `frames` frames of `pitch_m` from `head_m` on, shifted by its `phase_m`, scaled by its
    `stretch`, unless `looks` says from which metre to which it looks.
    """

    line: Line
    head_m: float = 0.0
    frames: int = 100
    pitch_m: float = 1.0
    classes: tuple[str, ...] = STEEL
    coil: str | None = "coil-1"
    phase_m: Mapping[str, float] = field(default_factory=dict)
    stretch: Mapping[str, float] = field(default_factory=dict)
    skew_s: Mapping[str, float] = field(default_factory=dict)
    looks: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    _seen: dict[tuple[str, int], str] = field(default_factory=dict)

    def see(self, place_m: float, label: str, *cameras: str) -> "Strip":
        """Put a defect at a place of the strip on the frames of some cameras."""
        for camera in cameras:
            frame = int(np.floor((place_m - self.head_m - self.phase_m.get(camera, 0.0)) / self.pitch_m))
            self._seen[camera, frame] = label
        return self

    def table(self, *, positions: bool = True) -> InspectionTable:
        """Return the rows, camera by camera."""
        names = tuple(each.camera_id for each in self.line.cameras)
        rows: list[tuple[str, int, float, float, float, int]] = []
        for code, station in enumerate(self.line.cameras):
            name = station.camera_id
            first, last = self.looks.get(name, (-np.inf, np.inf))
            for frame in range(self.frames):
                within = (frame + 0.5) * self.pitch_m + self.phase_m.get(name, 0.0)
                if not first <= self.head_m + within <= last:
                    continue
                passed = (self.head_m + within + station.position_m) / self.line.speed_m_s
                moment = START_S + passed + self.skew_s.get(name, 0.0)
                place = self.head_m + within * self.stretch.get(name, 1.0) if positions else np.nan
                seen = self._seen.get((name, frame))
                label = UNKNOWN if seen is None else self.classes.index(seen)
                rows.append((f"{name}/{self.coil}/{frame}", code, moment, place, 0.9, label))
        return table_of(rows, names, self.classes, self.coil)


def table_of(
    rows: Sequence[tuple[str, int, float, float, float, int]],
    cameras: tuple[str, ...],
    classes: tuple[str, ...],
    coil: str | None,
) -> InspectionTable:
    """Make a table of (frame id, camera code, time, place, confidence, label code)."""
    frame_id, camera, captured, place, confidence, label = zip(*rows, strict=True)
    return InspectionTable(
        cameras=cameras,
        coils=() if coil is None else (coil,),
        classes=classes,
        frame_id=np.array(frame_id, dtype=object),
        camera=np.array(camera, dtype=np.int32),
        coil=np.full(len(rows), UNKNOWN if coil is None else 0, dtype=np.int32),
        captured_s=np.array(captured),
        position_m=np.array(place, dtype=np.float64),
        label=np.array(label, dtype=np.int32),
        confidence=np.array(confidence),
        spot=np.full((len(rows), 2), np.nan),
    )


def joined(tables: Sequence[InspectionTable]) -> InspectionTable:
    """Join tables with the same cameras and classes, each with its own coils."""
    coils = tuple(dict.fromkeys(name for table in tables for name in table.coils))
    whole = tables[0].recoded(tables[0].cameras, coils, tables[0].classes)
    for table in tables[1:]:
        whole = whole.joined(table.recoded(whole.cameras, coils, whole.classes))
    return whole


def shuffled(table: InspectionTable, seed: int = 1) -> InspectionTable:
    """Return the rows in another order."""
    return table.take(np.random.default_rng(seed).permutation(len(table)))


@cache
def pack_named(name: str) -> MaterialPack:
    """Return one of Millsight's own material packs."""
    return material_for(load_materials(default_materials_dir()), name)


def scenario_named(name: str, cell: int = 0, **changes: Any) -> Scenario:
    """Return a committed scenario, its fault moved on by `cell` places, with some fields changed."""
    return replace(read_scenario(SCENARIOS / f"{name}.yaml", cell), **changes)


def fresh_analysis(scenario: Scenario, versions: Sequence[Line] | None = None) -> LineAnalysis:
    """Return a monitor that has seen nothing yet."""
    pack = pack_named(scenario.line.cameras[0].material)
    lines = versions or [scenario.line]
    ends = [line.valid_from for line in lines[1:]]
    dated = [LineVersion(line, line.valid_from, end) for line, end in zip(lines, [*ends, None], strict=True)]
    return LineAnalysis(dated, watched_of(scenario), pack)


def watched_of(scenario: Scenario) -> tuple[str, ...]:
    """Return the classes a monitor of the scenario watches."""
    known = pack_named(scenario.line.cameras[0].material).classes
    return (*known, *(name for name in scenario.classes if name not in known))


@cache
def _rows(scenario: Scenario, seed: int, coils: int) -> InspectionTable:
    table = simulate_coils(SimulatedLine(scenario, seed), 0, coils).table
    return table.recoded(table.cameras, table.coils, watched_of(scenario))


def rows_of(scenario: Scenario, seed: int, coils: int) -> InspectionTable:
    """Return the rows of the first coils of a run, with the classes that the monitor watches."""
    return _rows(scenario, seed, coils)


def coils_of(table: InspectionTable) -> Iterator[tuple[str, InspectionTable]]:
    """Yield the coils of a table in the order of their names' codes."""
    for code, name in enumerate(table.coils):
        yield name, table.take(table.coil == code)


@dataclass
class Run:
    """What became of a run: every flag as it stood last, worst first."""

    analysis: LineAnalysis
    reports: list[CoilReport]
    flags: tuple[Flag, ...]

    @property
    def machine_flags(self) -> list[Flag]:
        return [flag for flag in self.flags if flag.machine_ids]

    @property
    def camera_flags(self) -> list[Flag]:
        return [flag for flag in self.flags if not flag.machine_ids]


def watch(scenario: Scenario, seed: int, coils: int, analysis: LineAnalysis | None = None) -> Run:
    """Run a scenario through a new monitor."""
    return run_of(rows_of(scenario, seed, coils), analysis or fresh_analysis(scenario))


def run_of(table: InspectionTable, analysis: LineAnalysis) -> Run:
    """Run rows through a monitor."""
    reports = list(analyse(table, analysis))
    latest = {flag.flag_id: flag for report in reports for flag in report.flags}
    return Run(analysis, reports, worst_first(tuple(latest.values())))
