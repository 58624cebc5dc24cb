"""What the runs say about two faults at once, roll marks, repairs, projections, and simpler methods."""

from collections.abc import Sequence
from math import log
from typing import Final

from services.simulator.evaluation.baseline_runs import RATIOS, WINDOWS
from services.simulator.evaluation.fault_runs import ONSET
from services.simulator.evaluation.figures import Figure, mean, quantile, share
from services.simulator.evaluation.outcomes import MACHINE, RunOutcome
from services.simulator.evaluation.tables import Row, Section, at_least, at_most

GRACE_COILS: Final = 56
"""Three times the optimal delay at R = 5: an alarm within it finds the fault."""
_LIMIT_COILS: Final = 100 * log(10) / log(25)
"""Coils from the onset until the ramp of the projections reaches ten times the normal rate."""
_PERIOD_PERCENT: Final = 0.2
_LOOK_AFTER: Final = (5, 10, 20)


def two_faults(runs: Sequence[RunOutcome]) -> Section:
    """Return precision and recall of fault episodes; repeated alarms of one episode count once."""
    hits = misses = false = both = 0
    for run in runs:
        true = {(each.group, each.defect_class) for each in run.truth}
        said = {
            (flag.cause, flag.defect_class)
            for flag in run.flags
            if ONSET <= flag.alarm < ONSET + GRACE_COILS and flag.detector == MACHINE
        }
        said |= {(flag.cause, None) for flag in run.flags if flag.detector != MACHINE and flag.alarm >= ONSET}
        hits += len(true & said)
        misses += len(true - said)
        false += len(said - true)
        both += true <= said
    precision, recall = share(hits, hits + false), share(hits, hits + misses)
    return Section(
        "Two faults at once (R = 5), flags within the grace of 56 coils",
        (
            Row("both found", share(both, len(runs))),
            Row("recall of faults", recall),
            Row("precision of flags", precision),
            Row("F1", Figure(2 * hits / max(2 * hits + false + misses, 1), None, None, len(runs))),
        ),
    )


def roll_marks(runs: Sequence[RunOutcome]) -> Section:
    """Return how often the right roll was named, and how exact the period is."""
    named = [run.facts for run in runs if run.facts.get("found_period_m") is not None]
    right = sum(facts["roll"] in facts["found_rolls"] for facts in named)
    alone = sum(facts["found_rolls"] == [facts["roll"]] for facts in named)
    errors = [100 * abs(facts["found_period_m"] / facts["period_m"] - 1) for facts in named]
    delays = [float(flag.alarm - ONSET + 1) for run in runs if (flag := run.first) and flag.alarm >= ONSET]
    within = sum(error < _PERIOD_PERCENT for error in errors)
    return Section(
        "Roll mark: one a turn, 0.500 m, slip 3 %, a camera sees half of them",
        (
            Row("right roll, or a set that holds it", share(right, len(runs)), at_least(0.95)),
            Row("right roll alone", share(alone, len(runs))),
            Row("period error below 0.2 %", share(within, len(runs)), at_least(0.95)),
            Row("median error of the period, %", quantile(errors, 0.5), at_most(_PERIOD_PERCENT)),
            Row("P90 of the error of the period, %", quantile(errors, 0.9)),
            Row("mean delay, coils", mean(delays)),
        ),
    )


def repairs(runs: Sequence[RunOutcome], *, worked: bool) -> Section:
    """Return the verdicts on repairs that worked, or that changed nothing."""
    judged = [run.facts for run in runs if run.facts.get("was_open")]
    verdicts = [facts for facts in judged if "verified" in facts]
    verified = sum(facts["verified"] for facts in verdicts)
    truth = 0.2 if worked else 1.0
    covered = sum(facts["low"] <= truth <= facts["high"] for facts in verdicts)
    return Section(
        "Repair that works, work order done" if worked else "Repair in vain, work order done",
        (
            Row("verified", share(verified, len(verdicts))),
            Row("rate after over before, mean", mean([facts["ratio"] for facts in verdicts])),
            Row(f"interval holds the true ratio of {truth:g}", share(covered, len(verdicts))),
            Row("coils until the verdict, mean", mean([float(facts["coils_to_verdict"]) for facts in verdicts])),
            Row("no verdict within 45 coils", share(len(judged) - len(verdicts), len(judged))),
        ),
    )


def unreported_repairs(runs: Sequence[RunOutcome], repaired_at: int) -> Section:
    """Return how soon a flag clears by itself when nobody tells that the machine was repaired."""
    cleared, open_ = [], 0
    for run in runs:
        truth = run.truth[0]
        own = [f for f in run.flags if (f.cause, f.defect_class) == (truth.group, truth.defect_class)]
        last = own[-1] if own else None
        if last is None or not run.facts.get("was_open"):
            continue
        open_ += 1
        if last.cleared is not None:
            cleared.append(float(last.cleared - repaired_at + 1))
    return Section(
        "Repair that nobody reported",
        (
            Row("flag cleared within 45 coils", share(len(cleared), open_)),
            Row("coils until it clears, mean", mean(cleared)),
        ),
    )


def projections(name: str, runs: Sequence[RunOutcome]) -> Section:
    """Return how often the 80 % interval of projected coils to the limit holds the truth."""
    rows = []
    for after in _LOOK_AFTER:
        held, looked, none = 0, 0, 0
        for run in runs:
            if not run.facts["projected"]:
                continue
            wanted = run.facts["projected"][0][0] + after
            for number, projected in run.facts["projected"]:
                left = run.truth[0].onset + _LIMIT_COILS - number
                if number != wanted or left <= 0:
                    continue
                looked += 1
                none += projected is None
                held += projected is not None and projected[0] <= left <= projected[2]
        rows.append(Row(f"{after} coils after the alarm: no trend shown", share(none, looked)))
        rows.append(Row(f"{after} coils after the alarm: interval holds the truth", share(held, looked - none)))
    return Section(name, tuple(rows))


def windows(runs: Sequence[RunOutcome]) -> list[Section]:
    """Return top-1 of simple methods on windows after the onset."""
    sections = []
    for ratio in RATIOS:
        for window in WINDOWS:
            chosen = [run for run in runs if run.study == f"window_{window}/{ratio}"]
            if chosen:
                rows = tuple(
                    Row(
                        f"top-1 machine, {method.replace('_', ' ')}",
                        share(sum(r.facts[method] for r in chosen), len(chosen)),
                    )
                    for method in chosen[0].facts
                )
                sections.append(Section(f"Simple methods, R = {ratio}, {window} coils known to be faulty", rows))
    return sections


def detectors(runs: Sequence[RunOutcome]) -> list[Section]:
    """Return delay and top-1 of simple charts with the same ARL0."""
    sections = []
    for ratio in RATIOS:
        chosen = [run for run in runs if run.study == f"detectors/{ratio}"]
        rows: list[Row] = []
        for method in ("oracle", "first_appearance", "raw"):
            found = [run.facts[method] for run in chosen if method in run.facts and run.facts[method][0] > 0]
            label = method.replace("_", " ")
            rows.append(Row(f"{label}: mean delay, coils", mean([float(each[0]) for each in found])))
            rows.append(Row(f"{label}: top-1 machine", share(sum(each[1] for each in found), len(found))))
        if chosen:
            sections.append(Section(f"Simple charts, R = {ratio}, ARL0 = 500 coils", tuple(rows)))
    return sections
