"""What the runs say about machine faults: false alarms, delay, who is blamed, since when."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from services.domain.monitoring.facts import FALSE_ALARM
from services.domain.spc.run_length import delay_lower_bound
from services.simulator.evaluation.figures import (
    Figure,
    calibration_error,
    count_rate,
    mean,
    mean_run_length,
    quantile,
    share,
)
from services.simulator.evaluation.outcomes import FlagSeen, RunOutcome, TrueFault
from services.simulator.evaluation.tables import Bar, Row, Section, at_least, at_most, between

_ARL0_STREAMS: Final = 500.0 * 60
PUBLISHED_THEORY: Final[Mapping[int, float]] = {3: 52.8, 5: 18.7, 10: 5.9}
"""(ln(ARL0 x 60 x KL) - 1) / KL as the protocol gives it, coils."""
_DELAY_BARS: Final[Mapping[int, float]] = {3: 57.0, 5: 18.5, 10: 6.5}
_TOP1_BARS: Final[Mapping[int, float]] = {3: 0.90, 5: 0.97, 10: 0.99}
_EFFICIENCY_BAR: Final = 0.85
_ONE_RATIO: Final = 5
"""Size of the step that the bars of efficiency and onset speak of."""


def false_alarms(name: str, runs: Sequence[RunOutcome], *, judged: bool = True) -> Section:
    """Return mean coils to the first flag while nothing is wrong, and what kind of flag it was."""
    lengths = [run.coils - run.learning for run in runs]
    flagged = [run.first for run in runs if run.first is not None]
    total = float(sum(lengths))
    cameras = sum(flag.cause.startswith("camera:") for flag in flagged)
    bar: Bar | None = between(400, 700) if judged else None
    return Section(
        name,
        (
            Row("mean coils between false flags", mean_run_length(total, len(flagged), len(runs)), bar),
            Row("false flags per 1,000 coils", count_rate(len(flagged), total / 1000)),
            Row("share of them that blame a camera", share(cameras, len(flagged))),
            Row("runs cut off without a flag", Figure(len(runs) - len(flagged), None, None, len(runs))),
        ),
    )


def steps(name: str, runs: Sequence[RunOutcome], ratio: int | None, *, judged: bool) -> Section:
    """Return delay, attribution and onset of runs that stop at their first flag.

    Runs with a flag before the onset are counted and left out. A run that is given up without a flag counts with
    the coils it had.

    Args:
        name: Of the section.
        runs: One true fault each.
        ratio: Size of the step, where the bars know it.
        judged: Whether the bars apply.
    """
    scored = [run for run in runs if not _early(run)]
    found = [(run.truth[0], run.first) for run in scored if run.first is not None]
    delays = [float(run.coils - run.truth[0].onset) for run in scored]
    delay = mean(delays)
    theory = PUBLISHED_THEORY.get(ratio or 0)
    rows = [
        Row("mean delay, coils", delay, _bar(at_most, _DELAY_BARS, ratio, judged=judged)),
        Row("P90 of the delay, coils", quantile(delays, 0.9)),
    ]
    if theory is not None:
        efficiency = Figure(theory / delay.value, theory / (delay.high or 1), theory / (delay.low or 1), delay.n)
        bar = at_least(_EFFICIENCY_BAR) if judged and ratio == _ONE_RATIO else None
        rows.append(Row("efficiency, theory / delay", efficiency, bar))
    rows += _attribution(found, len(scored), ratio if judged else None)
    rows += _onset(found, median_bar=at_most(2.0) if judged and ratio == _ONE_RATIO else None)
    rows += [
        Row("flag before the onset, left out", share(len(runs) - len(scored), len(runs))),
        Row("given up without a flag", share(len(scored) - len(found), len(scored))),
    ]
    return Section(name, tuple(rows))


def _early(run: RunOutcome) -> bool:
    return run.first is not None and run.first.alarm < run.truth[0].onset


def _attribution(found: Sequence[tuple[TrueFault, FlagSeen]], scored: int, ratio: int | None) -> list[Row]:
    right = [flag.cause == truth.group for truth, flag in found]
    cell = [flag.cause == truth.group and flag.defect_class == truth.defect_class for truth, flag in found]
    second = [truth.group in _ranked(flag)[:2] for truth, flag in found]
    said = [flag.posterior.get(truth.group, 0.0) for truth, flag in found]
    given = [_given_fault(flag).get(truth.group, 0.0) for truth, flag in found]
    blamed = [_given_fault(flag).get(flag.cause, 1.0) for _, flag in found]
    rows = [
        Row("top-1 machine group", share(sum(right), len(found)), _bar(at_least, _TOP1_BARS, ratio, judged=True))
    ]
    if any(truth.members > 1 for truth, _ in found):
        lucky = [hit / truth.members for hit, (truth, _) in zip(right, found, strict=True)]
        rows.append(Row("top-1 machine, one of the group at random", mean(lucky)))
    return [
        *rows,
        Row("top-1 machine group and class", share(sum(cell), len(found))),
        Row("top-2 machine group", share(sum(second), len(found))),
        Row("mean posterior of the true cause", mean(said)),
        Row("mean posterior of the true cause, given a fault", mean(given)),
        Row("Brier score of the causes, given a fault", mean([_brier(truth, flag) for truth, flag in found])),
        Row(
            "calibration error of the flagged cause, given a fault",
            Figure(calibration_error(blamed, right), None, None, scored),
        ),
        Row(
            "flags that blame a camera",
            share(sum(flag.cause.startswith("camera:") for _, flag in found), len(found)),
        ),
    ]


def _onset(found: Sequence[tuple[TrueFault, FlagSeen]], median_bar: Bar | None) -> list[Row]:
    right = [(truth, flag) for truth, flag in found if flag.cause == truth.group]
    errors = [float(abs(flag.onset - truth.onset)) for truth, flag in right]
    covered = sum(flag.onset_low <= truth.onset <= flag.onset_high for truth, flag in right)
    return [
        Row("median error of the onset, coils", quantile(errors, 0.5), median_bar),
        Row("P90 of the error of the onset, coils", quantile(errors, 0.9)),
        Row("onset inside its 95 % interval", share(covered, len(right))),
    ]


def _ranked(flag: FlagSeen) -> list[str]:
    causes = [name for name in flag.posterior if name != FALSE_ALARM]
    return sorted(causes, key=lambda name: -flag.posterior[name])


def _brier(truth: TrueFault, flag: FlagSeen) -> float:
    said = _given_fault(flag)
    return sum((value - (name == truth.group)) ** 2 for name, value in said.items())


def _given_fault(flag: FlagSeen) -> dict[str, float]:
    """Return the posterior without 'false alarm': every run that is scored has a fault."""
    rest = 1 - flag.posterior.get(FALSE_ALARM, 0.0)
    return {name: value / max(rest, 1e-12) for name, value in flag.posterior.items() if name != FALSE_ALARM}


def _bar(kind: type[Bar] | object, bars: Mapping[int, float], ratio: int | None, *, judged: bool) -> Bar | None:
    if not judged or ratio is None or ratio not in bars:
        return None
    return at_most(bars[ratio]) if kind is at_most else at_least(bars[ratio])


def theory(information: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float:
    """Return the mean over (machine, class) of (ln(ARL0 x 60 x KL) - 1) / KL, coils.

    Args:
        information: (M, C) Kullback-Leibler divergence per coil.
    """
    return float(np.mean([delay_lower_bound(_ARL0_STREAMS, float(each)) for each in information.ravel()]))
