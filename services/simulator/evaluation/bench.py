"""Puts a simulated line in front of the real monitor: rows in, flags out, coil by coil."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from services.contracts.material_file import default_materials_dir, load_materials, material_for
from services.domain.material import MaterialPack
from services.domain.monitoring.analysis import CoilReport, LineAnalysis
from services.domain.monitoring.engine import take_coil
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import CameraFault, OpenFault
from services.domain.monitoring.setup import monitor_frame
from services.domain.registration.coil import register_coil
from services.domain.registration.table import InspectionTable
from services.domain.simulation.run import Output, simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import BLOCK_COILS, SimulatedLine
from services.domain.topology import LineVersion, MonitoringPlan
from services.simulator.evaluation.known import known_state
from services.simulator.evaluation.outcomes import MACHINE, FlagSeen, RunOutcome, TrueFault

KNOWN: Final = "known"
"""The monitor is told the true rates and how well the cameras see; it has nothing to learn."""
LEARNED: Final = "learned"
"""The monitor starts from nothing, learns from its first coils and goes on learning."""

_SHARE_SEED: Final = 980_000
_SHARE_COILS: Final = 1000
_SHARES: dict[bytes, float] = {}
_ROWS: Final = Output(clean_rows=True, frame_ids=False)


@dataclass(frozen=True, slots=True)
class NumberedCoil:
    """Rows of one coil; its number counts from 0."""

    number: int
    name: str
    rows: InspectionTable


def analysis_of(scenario: Scenario, mode: str) -> LineAnalysis:
    """Return a monitor of the scenario's line that has not seen a coil yet.

    Args:
        scenario: What it will be shown; in mode `LEARNED` it knows the line and its classes only.
        mode: `KNOWN` or `LEARNED`.
    """
    plan = MonitoringPlan(learning_coils=0) if mode == KNOWN else MonitoringPlan()
    line = replace(scenario.line, monitoring=plan)
    pack = _pack(scenario.line.cameras[0].material)
    classes = classes_of(scenario, pack)
    analysis = LineAnalysis((LineVersion(line, None, None),), classes, pack)
    if mode == KNOWN:
        frame = monitor_frame(line, classes, pack)
        state = known_state(frame, scenario)
        state.baseline_m /= registered_share(scenario)
        analysis.monitor = LineMonitor(frame, state)
    return analysis


def registered_share(scenario: Scenario) -> float:
    """Return registered defects of a sound line over those that were made and could be reported.

    It is below 1: a frame gives one answer, and defects that share a frame are registered as one. A monitor that
    has watched for long knows the rates as they are registered, so that is what it is told. Measured on coils of
    a seed of its own, once for each line.
    """
    strip = replace(scenario.strip, coils=_SHARE_COILS)
    sound = replace(
        scenario, strip=strip, faults=(), roll_faults=(), camera_faults=(), welds=None, overdispersion=None
    )
    key = b"".join(
        (sound.baseline.tobytes(), sound.confusion.tobytes(), *(eye.sensitivity.tobytes() for eye in sound.eyes))
    )
    if key not in _SHARES:
        pack = _pack(sound.line.cameras[0].material)
        classes = classes_of(sound, pack)
        line = replace(sound.line, monitoring=MonitoringPlan(learning_coils=0, arl0_coils=1e5))
        frame = monitor_frame(line, classes, pack)
        monitor = LineMonitor(frame, known_state(frame, sound))
        count = expected = 0.0
        for coil in coils_of(SimulatedLine(sound, _SHARE_SEED), classes, 0, _SHARE_COILS):
            rate = monitor.state.rate
            outcome = take_coil(monitor, coil.name, register_coil(coil.rows, frame.layout, frame.landmarks))
            evidence = outcome.standing.reading.evidence
            count += float(evidence.count.sum())
            expected += float((rate * evidence.metres).sum())
        _SHARES[key] = count / expected
    return _SHARES[key]


def classes_of(scenario: Scenario, pack: MaterialPack) -> tuple[str, ...]:
    """Return the classes that the monitor watches: those of the pack, then what else the scenario has."""
    known = list(pack.classes)
    return (*known, *(name for name in scenario.classes if name not in known))


def coils_of(line: SimulatedLine, classes: tuple[str, ...], first: int, until: int) -> Iterator[NumberedCoil]:
    """Yield the coils `first` to `until` - 1 of a run; `first` is best a multiple of `BLOCK_COILS`."""
    start = first
    while start < until:
        end = min(start - start % BLOCK_COILS + BLOCK_COILS, until)
        table = simulate_coils(line, start, end - start, _ROWS).table
        if table.classes != classes:
            table = table.recoded(table.cameras, table.coils, classes)
        borders = np.searchsorted(table.coil, np.arange(end - start + 1))
        for index, name in enumerate(table.coils):
            rows = np.arange(borders[index], borders[index + 1])
            yield NumberedCoil(start + index, name, table.take(rows))
        start = end


def truth_of(scenario: Scenario, frame: MonitorFrame) -> list[TrueFault]:
    """Return the machine faults and roll marks of a scenario."""
    groups = {machine: group for group in frame.layout.groups for machine in group.machine_ids}
    made = [(each.machine_id, each.defect_class, each.onset_coil) for each in scenario.faults]
    made += [(each.machine_id, each.defect_class, each.onset_coil) for each in scenario.roll_faults]
    return [
        TrueFault(machine, groups[machine].group_id, len(groups[machine].machine_ids), name, onset)
        for machine, name, onset in made
    ]


class Watch:
    """Feeds coils to a monitor and writes down what it flags."""

    def __init__(self, study: str, line: SimulatedLine, analysis: LineAnalysis) -> None:
        """Begin with the coil that the monitor has not seen yet."""
        frame = analysis.monitor.frame
        self.line = line
        self.analysis = analysis
        self.outcome = RunOutcome(
            study, line.seed, 0, frame.plan.learning_coils, truth=truth_of(line.scenario, frame)
        )

    def run(self, until: int) -> Iterator[CoilReport]:
        """Take coils up to number `until` - 1; whoever iterates may stop at any of them."""
        frame = self.analysis.monitor.frame
        for coil in coils_of(self.line, frame.classes, self.analysis.monitor.state.coils, until):
            report = self.analysis.take(coil.name, coil.rows)
            self.note(report)
            yield report

    def until_flag(self, until: int) -> RunOutcome:
        """Take coils up to the first flag of any kind, or up to number `until` - 1."""
        for _ in self.run(until):
            if self.outcome.flags:
                break
        return self.outcome

    def through(self, until: int) -> RunOutcome:
        """Take all coils up to number `until` - 1."""
        for _ in self.run(until):
            pass
        return self.outcome

    def note(self, report: CoilReport) -> None:
        """Write down what a coil led to."""
        outcome, number = report.outcome, report.outcome.standing.number
        self.outcome.coils = number + 1
        frame = self.analysis.monitor.frame
        self.outcome.flags += [machine_seen(each, frame) for each in outcome.raised]
        self.outcome.flags += [camera_seen(each, frame) for each in outcome.cameras_raised]
        over = [machine_seen(each, frame) for each in outcome.cleared]
        over += [camera_seen(each, frame) for each in outcome.cameras_cleared]
        for each in over:
            for flag in self.outcome.flags:
                same = (flag.cause, flag.defect_class, flag.alarm) == (each.cause, each.defect_class, each.alarm)
                flag.cleared = number if same else flag.cleared


def machine_seen(fault: OpenFault, frame: MonitorFrame) -> FlagSeen:
    """Write a machine's fault down."""
    return FlagSeen(
        frame.layout.groups[fault.group].group_id,
        frame.classes[fault.defect_class],
        MACHINE,
        fault.alarm,
        fault.onset,
        fault.onset_low,
        fault.onset_high,
        dict(fault.posterior),
    )


def camera_seen(fault: CameraFault, frame: MonitorFrame) -> FlagSeen:
    """Write a camera's fault down."""
    return FlagSeen(
        f"camera:{frame.layout.cameras[fault.camera]}",
        None,
        fault.kind,
        fault.alarm,
        fault.onset,
        fault.onset_low,
        fault.onset_high,
        dict(fault.posterior),
    )


def _pack(material: str) -> MaterialPack:
    return material_for(_packs(), material)


@cache
def _packs() -> Mapping[str, MaterialPack]:
    return load_materials(default_materials_dir())
