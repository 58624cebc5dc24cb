"""Runs with machine faults: until the flag, through the fault, after the repair."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from services.domain.monitoring.analysis import CoilReport, LineAnalysis, analyse
from services.domain.monitoring.open_faults import OpenFault
from services.domain.monitoring.repairs import RepairWatch, judge_repair
from services.domain.simulation.run import Output, simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import SimulatedLine
from services.simulator.evaluation.bench import Watch, analysis_of, machine_seen
from services.simulator.evaluation.outcomes import MACHINE, RunOutcome

if TYPE_CHECKING:
    from services.simulator.evaluation.studies import Job

ONSET: Final = 60
"""Coils in control before every fault of the protocol."""
REPAIRED_AT: Final = 140
"""Coil of the repair in the scenario `repair`."""
_WATCHED_COILS: Final = 45
_MARKS_COILS: Final = 72


def until_flag(study: str, scenario: Scenario, seed: int, mode: str, until: int) -> RunOutcome:
    """Run up to the first flag of any kind."""
    return Watch(study, line_of(scenario, seed, until), analysis_of(scenario, mode)).until_flag(until)


def through(study: str, scenario: Scenario, seed: int, mode: str, until: int) -> RunOutcome:
    """Run on through all flags."""
    return Watch(study, line_of(scenario, seed, until), analysis_of(scenario, mode)).through(until)


def steps(job: "Job", scenarios: Mapping[int, Scenario], until: Mapping[int, int]) -> list[RunOutcome]:
    """Run steps of several sizes; their coils before the fault are the same, so they are run once.

    Args:
        job: Names and seed.
        scenarios: Size to scenario: the same line, the same fault, another size.
        until: Size to the coil at which a run is given up.
    """
    first = scenarios[min(scenarios)]
    before = analysis_of(first, job.mode)
    start = Watch(job.name, line_of(first, job.seed, ONSET), before).until_flag(ONSET)
    outcomes = []
    for ratio, scenario in scenarios.items():
        name = f"step_r{ratio}/{job.mode}"
        watch = Watch(name, line_of(scenario, job.seed, until[ratio]), deepcopy(before))
        watch.outcome.flags, watch.outcome.coils = list(start.flags), start.coils
        outcomes.append(watch.outcome if start.flags else watch.until_flag(until[ratio]))
    return outcomes


def roll_mark(job: "Job") -> list[RunOutcome]:
    """Run until a damaged roll has left some hundred marks; write down period and rolls of its flag."""
    scenario = job.scenario("roll_mark")
    line = line_of(scenario, job.seed, _MARKS_COILS)
    watch = Watch(job.name, line, analysis_of(scenario, job.mode))
    outcome = watch.through(_MARKS_COILS)
    layout = watch.analysis.monitor.frame.layout
    truth = outcome.truth[0]
    mark = scenario.roll_faults[0]
    first = layout.cameras[int(layout.first_camera[_group_index(watch.analysis, truth.group)])]
    stretch = scenario.line.stretch_after(mark.machine_id, first) / float(
        layout.stretch[layout.cameras.index(first)]
    )
    outcome.facts["period_m"] = line.roll_period_m(0) * stretch
    outcome.facts["roll"] = mark.roll_id
    for fault in watch.analysis.monitor.faults:
        seen = machine_seen(fault, watch.analysis.monitor.frame)
        if (seen.cause, seen.defect_class) == (truth.group, truth.defect_class):
            outcome.facts["found_period_m"] = fault.period_m
            outcome.facts["found_rolls"] = list(fault.rolls)
    return [outcome]


def whole_export(job: "Job") -> list[RunOutcome]:
    """Run an export whose frames carry neither position nor coil; coils are cut at the welds."""
    scenario = job.scenario("time_only")
    until = 40 if job.quick else scenario.strip.coils
    analysis = analysis_of(scenario, job.mode)
    watch = Watch(job.name, line_of(scenario, job.seed, until), analysis)
    table = simulate_coils(watch.line, 0, until, Output(clean_rows=True, frame_ids=False)).table
    table = table.recoded(table.cameras, table.coils, analysis.monitor.frame.classes)
    for report in analyse(table, analysis):
        watch.note(report)
        if watch.outcome.flags:
            break
    return [watch.outcome]


def repairs(job: "Job") -> list[RunOutcome]:
    """Run a fault and its repair at coil 140, three times: reported, reported but in vain, not reported."""
    scenario = job.scenario("repair")
    broken = replace(scenario, faults=tuple(replace(each, until_coil=None) for each in scenario.faults))
    until = REPAIRED_AT + _WATCHED_COILS
    start = Watch(job.name, line_of(scenario, job.seed, until), analysis_of(scenario, job.mode))
    start.through(REPAIRED_AT)
    return [
        _after_repair(start, line_of(world, job.seed, until), (name, reported))
        for name, world, reported in (
            ("repair", scenario, True),
            ("repair_in_vain", broken, True),
            ("repair_unreported", scenario, False),
        )
    ]


def _after_repair(start: Watch, line: SimulatedLine, arm: tuple[str, bool]) -> RunOutcome:
    name, reported = arm
    watch = Watch(f"{name}/learned", line, deepcopy(start.analysis))
    watch.outcome.flags = deepcopy(start.outcome.flags)
    monitor = watch.analysis.monitor
    truth = watch.outcome.truth[0]
    fault = _open_fault(watch.analysis, truth.group, truth.defect_class)
    watch.outcome.facts["was_open"] = fault is not None
    book = None
    if fault is not None and reported:
        book = RepairWatch("1", truth.group, truth.defect_class, fault.count, fault.metres)
        monitor.repaired(frozenset({fault.group}))
    for report in watch.run(line.scenario.strip.coils):
        if fault is not None and book is not None and "verified" not in watch.outcome.facts:
            _follow(book, report, (fault.group, fault.defect_class), watch.outcome)
    return watch.outcome


def _follow(book: RepairWatch, report: CoilReport, place: tuple[int, int], outcome: RunOutcome) -> None:
    evidence = report.outcome.standing.reading.evidence
    book.after += float(evidence.count[place])
    book.after_m += float(evidence.metres[place])
    book.coils += 1
    verdict = judge_repair(book)
    if verdict is not None:
        outcome.facts |= {
            "verified": verdict.verified,
            "ratio": verdict.ratio,
            "low": verdict.low,
            "high": verdict.high,
            "coils_to_verdict": book.coils,
        }


def projections(job: "Job") -> list[RunOutcome]:
    """Run a ramp that goes on past the limit; write down what was projected on every coil."""
    scenario = job.scenario("ramp_projection")
    until = 80 if job.quick else 140
    watch = Watch(job.name, line_of(scenario, job.seed, until), analysis_of(scenario, job.mode))
    truth = watch.outcome.truth[0]
    rows = []
    for report in watch.run(until):
        for flag in report.flags:
            if (flag.group_id, flag.defect_class) == (truth.group, truth.defect_class):
                number = report.outcome.standing.number
                rows.append([number, None if flag.projected_coils is None else list(flag.projected_coils)])
    watch.outcome.facts["projected"] = rows
    return [watch.outcome]


def line_of(scenario: Scenario, seed: int, until: int) -> SimulatedLine:
    """Return a run of exactly `until` coils."""
    return SimulatedLine(replace(scenario, strip=replace(scenario.strip, coils=until)), seed)


def _group_index(analysis: LineAnalysis, group_id: str) -> int:
    return [each.group_id for each in analysis.monitor.frame.layout.groups].index(group_id)


def _open_fault(analysis: LineAnalysis, group_id: str, defect_class: str) -> OpenFault | None:
    frame = analysis.monitor.frame
    for fault in analysis.monitor.faults:
        seen = machine_seen(fault, frame)
        if (seen.cause, seen.defect_class, seen.detector) == (group_id, defect_class, MACHINE):
            return fault
    return None
