"""Puts all outcomes into sections, in the order in which people read them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from services.simulator.evaluation import camera_table, episode_table, faults_table
from services.simulator.evaluation.baseline_runs import INFORMATION_RATIOS, reference
from services.simulator.evaluation.bench import KNOWN, LEARNED
from services.simulator.evaluation.fault_runs import REPAIRED_AT
from services.simulator.evaluation.figures import Figure, mean
from services.simulator.evaluation.outcomes import RunOutcome
from services.simulator.evaluation.speed import MUST_ROWS_PER_S
from services.simulator.evaluation.tables import Row, Section, at_least

Runs = Mapping[str, Sequence[RunOutcome]]

_MODES: Final = {
    KNOWN: "the monitor knows the true rates and cameras",
    LEARNED: "the monitor learns from the line's first 20 coils on",
}
_RATIOS: Final = (3, 5, 10)
_FALSE_FLAGS_PER_COIL: Final = 1 / 500
_OTHERS: Final = {
    "ramp": "Ramp to R = 5 over 50 coils",
    "intermittent": "Intermittent, R = 5 in bursts of 3 coils, 30 % of the time",
    "dead_camera": "Step R = 5 while camera cam-3 is dead",
    "sensitivity_loss": "Step R = 5, cameras see 20 % less than the monitor believes",
    "overdispersed": "Step R = 5, all rates of a coil times a Gamma of shape 2",
    "partial_coverage": "Step R = 5, two cameras look at 40 % of the strip",
    "elongation": "Step R = 5, strip lengthened by 1 %, frames out of step, encoders tremble by 5 mm",
    "time_and_coils": "Step R = 5, frames carry a time and a coil, but no position",
    "time_only": "Step R = 10, frames carry a time only, coils are cut at the welds",
    "real_model": "Step R = 5, classes mixed up as by the served model on coils it was not trained on",
}


def sections_of(outcomes: Sequence[RunOutcome]) -> list[Section]:
    """Return every section that has runs."""
    runs: dict[str, list[RunOutcome]] = {}
    for outcome in outcomes:
        runs.setdefault(outcome.study, []).append(outcome)
    sections = [*_in_control(runs), *_steps(runs), *_theory(), *_others(runs)]
    cameras = [each for each in outcomes if "kind" in each.facts]
    if cameras:
        sections += camera_table.cameras(cameras, _FALSE_FLAGS_PER_COIL)
    sections += _episodes(runs)
    sections += episode_table.windows([each for each in outcomes if each.study.startswith("window_")])
    sections += episode_table.detectors([each for each in outcomes if each.study.startswith("detectors/")])
    return sections + _speed(runs)


def _in_control(runs: Runs) -> list[Section]:
    found = [
        faults_table.false_alarms(f"In control; {about}", runs[f"in_control/{mode}"])
        for mode, about in _MODES.items()
        if f"in_control/{mode}" in runs
    ]
    name = f"overdispersed_null/{LEARNED}"
    if name in runs:
        title = "In control, the rate of every machine and class of a coil times its own Gamma of shape 2; learned"
        found.append(faults_table.false_alarms(title, runs[name], judged=False))
    return found


def _steps(runs: Runs) -> list[Section]:
    return [
        faults_table.steps(f"Step R = {ratio}; {about}", chosen, ratio, judged=True)
        for mode, about in _MODES.items()
        for ratio in _RATIOS
        if (chosen := runs.get(f"step_r{ratio}/{mode}"))
    ]


def _theory() -> list[Section]:
    """What the rows of this very simulator allow, by the divergence of what the cameras show of a fault."""
    information = reference().info
    rows = tuple(
        Row(f"R = {ratio}, coils", Figure(faults_table.theory(information[index]), None, None, 60))
        for index, ratio in enumerate(INFORMATION_RATIOS)
    )
    about = (
        "(ln(500 x 60 x KL) - 1) / KL, mean over the 60 machines and classes; KL is the divergence per coil of"
        " what all cameras together show of the fault, estimated from 400 coils in control."
    )
    return [Section("Delay that no detector with this ARL0 beats by much", rows, about)]


def _others(runs: Runs) -> list[Section]:
    found = []
    for mode, about in _MODES.items():
        name = f"cameras_1246/{mode}"
        if name in runs:
            title = f"Step R = 5, cameras behind machines 1, 2, 4 and 6 only; {about}"
            section = faults_table.steps(title, runs[name], 5, judged=False)
            found.append(_with_bar(section, "top-1 machine group", 0.95))
    for name, title in _OTHERS.items():
        for mode, about in _MODES.items():
            chosen = runs.get(f"{name}/{mode}")
            if chosen:
                found.append(faults_table.steps(f"{title}; {about}", chosen, None, judged=False))
    return found


def _with_bar(section: Section, measure: str, low: float) -> Section:
    rows = tuple(
        Row(row.measure, row.figure, at_least(low)) if row.measure == measure else row for row in section.rows
    )
    return Section(section.title, rows, section.about)


def _episodes(runs: Runs) -> list[Section]:
    makers: dict[str, Callable[[Sequence[RunOutcome]], Section]] = {
        "welds/learned": lambda chosen: camera_table.welds(chosen, _FALSE_FLAGS_PER_COIL),
        "roll_mark/learned": episode_table.roll_marks,
        "two_faults/learned": episode_table.two_faults,
        "repair/learned": lambda chosen: episode_table.repairs(chosen, worked=True),
        "repair_in_vain/learned": lambda chosen: episode_table.repairs(chosen, worked=False),
        "repair_unreported/learned": lambda chosen: episode_table.unreported_repairs(chosen, REPAIRED_AT),
    }
    found = [make(runs[name]) for name, make in makers.items() if name in runs]
    for mode, about in _MODES.items():
        name = f"ramp_projection/{mode}"
        if name in runs:
            found.append(episode_table.projections(f"Ramp, projected coils to the limit; {about}", runs[name]))
    return found


def _speed(runs: Runs) -> list[Section]:
    rows = []
    for name, chosen in runs.items():
        if name.startswith("speed/"):
            rate = mean([run.facts["rows_per_s"] for run in chosen])
            label = name.removeprefix("speed/")
            rows.append(Row(f"{label}: rows per second on one core", rate, at_least(MUST_ROWS_PER_S)))
            low, high = (each and each / MUST_ROWS_PER_S for each in (rate.low, rate.high))
            rows.append(Row(f"{label}: times 2,000", Figure(rate.value / MUST_ROWS_PER_S, low, high, rate.n)))
    about = "From rows to flags (registration and monitor), processor time of one core."
    return [Section("Speed", tuple(rows), about)] if rows else []
