"""Simpler ways to find the machine, on the same rows: what the monitor is worth is the distance to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import Labels, detection_probability, likelihoods
from services.domain.attribution.posterior import posterior
from services.domain.monitoring.frame import DESIGN_RATIO
from services.domain.monitoring.limits import chart_limit
from services.domain.registration.coil import LandmarkRule, register_coil
from services.domain.registration.layout import LineLayout
from services.domain.simulation.births import Births, born_in_block
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.scenario import Floats, Scenario
from services.domain.simulation.world import BLOCK_COILS
from services.simulator.evaluation.bench import coils_of
from services.simulator.evaluation.fault_runs import ONSET, line_of
from services.simulator.evaluation.known import true_parameters
from services.simulator.evaluation.outcomes import RunOutcome

if TYPE_CHECKING:
    from services.simulator.evaluation.studies import Job

WINDOWS: Final = (20, 60)
RATIOS: Final = (3, 5, 10)
INFORMATION_RATIOS: Final = (2, *RATIOS)
ARL0_COILS: Final = 500.0
_REFERENCE_COILS: Final = 400
_REFERENCE_SEED: Final = 999_000
_WARM_COILS: Final = 20
_NO_LANDMARKS: Final = LandmarkRule(None, (), 0.0)


@dataclass(frozen=True, slots=True)
class Counts:
    """What simple methods count on one coil; (J, C) or (M, C).

    Attributes:
        raw: Sightings of each camera by label.
        first: Defects by the camera that saw them first, and its label.
        gain: Log-likelihood ratio that a stream's rate is five times as high, without the exposure term.
        info: (ratios, M, C) sum of (1 + (R - 1) p) log(1 + (R - 1) p) - (R - 1) p over the defects, p a stream's
            posterior: in control its mean is the Kullback-Leibler divergence of a rate raised R times.
        born: True births.
    """

    raw: Floats
    first: Floats
    gain: Floats
    info: Floats
    born: Floats


def counts_of(scenario: Scenario, seed: int, first: int, until: int) -> Iterator[Counts]:
    """Yield what is counted on each coil `first` to `until` - 1."""
    line = line_of(scenario, seed, until)
    layout = LineLayout.of(scenario.line)
    true, classes = true_parameters(scenario), len(scenario.classes)
    births: Births | None = None
    for coil in coils_of(line, scenario.classes, first, until):
        if births is None or coil.number % BLOCK_COILS == 0:
            births = born_in_block(line, coil.number // BLOCK_COILS)
        labels = register_coil(coil.rows, layout, _NO_LANDMARKS).labels
        fits = likelihoods(labels, layout.first_camera, true)
        odds = posterior(fits, scenario.baseline, 1 - float(scenario.baseline.sum())).born
        yield Counts(
            raw=_tally(labels, labels >= 0, classes),
            first=_tally(labels, (labels >= 0) & (np.cumsum(labels >= 0, axis=1) == 1), classes),
            gain=np.log1p((DESIGN_RATIO - 1) * odds).sum(axis=0),
            info=_information(odds),
            born=_births(births, coil.number, scenario.baseline.shape),
        )


def _tally(labels: Labels, chosen: npt.NDArray[np.bool_], classes: int) -> Floats:
    counts = np.zeros((labels.shape[1], classes))
    defect, camera = np.nonzero(chosen)
    np.add.at(counts, (camera, labels[defect, camera]), 1.0)
    return counts


def _information(odds: Floats) -> Floats:
    """Return (ratios, M, C): contribution of one coil's defects to the divergence of a raised rate."""
    parts = [(1 + (r - 1) * odds) * np.log1p((r - 1) * odds) - (r - 1) * odds for r in INFORMATION_RATIOS]
    return np.stack([each.sum(axis=0) for each in parts])


def _births(births: Births, coil: int, shape: tuple[int, ...]) -> Floats:
    counts = np.zeros(shape)
    own = births.coil == coil
    np.add.at(counts, (births.machine[own], births.label[own]), 1.0)
    return counts


@lru_cache(maxsize=1)
def reference() -> Counts:
    """Return what is usual per coil on the line of the protocol: means over coils in control."""
    coils = list(counts_of(protocol_scenario(), _REFERENCE_SEED, 0, _REFERENCE_COILS))
    return Counts(
        *(
            np.mean([getattr(each, name) for each in coils], axis=0)
            for name in ("raw", "first", "gain", "info", "born")
        )
    )


def windows(job: "Job") -> list[RunOutcome]:
    """Attribute a fault from the 20 or 60 coils after its onset, when it is known to be there."""
    outcomes = []
    for ratio in (3,) if job.quick else (3, 5):
        scenario = job.scenario(f"step_r{ratio}")
        coils = list(counts_of(scenario, job.seed, ONSET, ONSET + max(WINDOWS)))
        fault = scenario.faults[0]
        cell = (scenario.machine_ids.index(fault.machine_id), scenario.classes.index(fault.defect_class))
        for window in WINDOWS:
            outcome = RunOutcome(f"window_{window}/{ratio}", job.seed, window, 0)
            for method, (machine, _) in _choices(coils[:window]).items():
                outcome.facts[method] = machine == cell[0]
            outcomes.append(outcome)
    return outcomes


def _choices(coils: list[Counts]) -> dict[str, tuple[int, int]]:
    """Return machine and class that each method blames for a window of coils."""
    usual, length = reference(), len(coils)
    raw = sum((each.raw for each in coils), np.zeros_like(usual.raw))
    first = sum((each.first for each in coils), np.zeros_like(usual.first))
    gain = sum((each.gain for each in coils), np.zeros_like(usual.gain))
    excess = raw - length * usual.raw
    scores = {
        "raw": raw,
        "ratio": raw / (length * usual.raw),
        "difference": excess - np.vstack((np.zeros_like(excess[:1]), excess[:-1])),
        "first_appearance": first * np.log(DESIGN_RATIO) - (DESIGN_RATIO - 1) * length * usual.first,
        "matched": gain - length * _drift(),
    }
    return {name: divmod(int(score.argmax()), score.shape[1]) for name, score in scores.items()}


def _drift() -> Floats:
    """Return (M, C) what a chart of matched evidence loses per coil: 4 x the defects attributed per coil."""
    scenario = protocol_scenario()
    layout = LineLayout.of(scenario.line)
    everybody = np.ones((1, len(layout.cameras)), dtype=np.bool_)
    seen = detection_probability(everybody, layout.first_camera, true_parameters(scenario))[0]
    return np.asarray((DESIGN_RATIO - 1) * _true_means() * seen, dtype=np.float64)


def detectors(job: "Job") -> list[RunOutcome]:
    """Run CUSUMs of first appearances, of raw counts, and of the true births, all with ARL0 = 500 coils."""
    usual = reference()
    means = {"first_appearance": usual.first, "raw": usual.raw, "oracle": _true_means()}
    limits = {name: chart_limit(mean.ravel(), np.empty(0), ARL0_COILS) for name, mean in means.items()}
    return [_detect(job, ratio, means, limits) for ratio in (RATIOS[-1:] if job.quick else RATIOS)]


def _detect(job: "Job", ratio: int, means: dict[str, Floats], limits: dict[str, float]) -> RunOutcome:
    scenario = job.scenario(f"step_r{ratio}")
    fault = scenario.faults[0]
    cell = (scenario.machine_ids.index(fault.machine_id), scenario.classes.index(fault.defect_class))
    outcome = RunOutcome(f"detectors/{ratio}", job.seed, 0, 0)
    charts = {name: np.zeros_like(mean) for name, mean in means.items()}
    start, last = ONSET - _WARM_COILS, ONSET + (40 if job.quick else 300)
    for number, coil in enumerate(counts_of(scenario, job.seed, start, last), start):
        seen = {"first_appearance": coil.first, "raw": coil.raw, "oracle": coil.born}
        for name, chart in charts.items():
            step = seen[name] * np.log(DESIGN_RATIO) - (DESIGN_RATIO - 1) * means[name]
            charts[name] = np.maximum(0.0, chart + step)
            if name not in outcome.facts and charts[name].max() >= limits[name]:
                machine, label = divmod(int(charts[name].argmax()), chart.shape[1])
                outcome.facts[name] = [number - ONSET + 1, machine == cell[0], (machine, label) == cell]
        if len(outcome.facts) == len(charts):
            break
    outcome.coils = last
    return outcome


def _true_means() -> Floats:
    scenario = protocol_scenario()
    return np.asarray(scenario.baseline * scenario.strip.frames_per_coil, dtype=np.float64)
