"""The plan of the evaluation: which runs are made of which scenario, in which mode, how often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.domain.simulation.scenario import Scenario
from services.simulator.evaluation import baseline_runs, camera_runs, fault_runs
from services.simulator.evaluation.bench import KNOWN, LEARNED
from services.simulator.evaluation.card_confusion import with_card_confusion
from services.simulator.evaluation.outcomes import RunOutcome
from services.simulator.scenario_file import read_scenario
from services.simulator.seeds_file import read_seeds

ScenarioOf = Callable[[str], Scenario]
Runner = Callable[["Job"], list[RunOutcome]]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for one process: some runs that share a seed.

    Attributes:
        study: Name of the study.
        mode: `KNOWN` or `LEARNED`.
        seed: Of all its runs.
        folder: Where the scenarios are.
        card: Model card with the confusion of the real model.
        quick: Make the runs as short as they can be.
    """

    study: str
    mode: str
    seed: int
    folder: Path
    card: Path
    quick: bool

    @property
    def key(self) -> str:
        """Names the job in the file of results."""
        return f"{self.study}/{self.mode}/{self.seed}{'/quick' if self.quick else ''}"

    @property
    def name(self) -> str:
        """Study and mode."""
        return f"{self.study}/{self.mode}"

    def scenario(self, name: str) -> Scenario:
        """Read a committed scenario; faults move with the seed."""
        return read_scenario(self.folder / f"{name}.yaml", self.seed)

    def real_model(self) -> Scenario:
        """Return the step of R = 5 with the real model's confusion."""
        return with_card_confusion(self.scenario("step_r5"), self.card)


@dataclass(frozen=True, slots=True)
class Study:
    """Runs of one kind.

    Attributes:
        name: Told in the results.
        seeds_of: Scenario whose committed seeds are used.
        runs: How many of these seeds, at most.
        modes: In which modes.
        runner: Makes the runs of a job.
        quick_runs: How many seeds with `--quick`.
    """

    name: str
    seeds_of: str
    runs: int
    modes: tuple[str, ...]
    runner: Runner
    quick_runs: int = 1


_BOTH: Final = (KNOWN, LEARNED)
_LEARNED: Final = (LEARNED,)


def _until_flag(name: str, coils: int, quick_coils: int = 75) -> Runner:
    def run(job: Job) -> list[RunOutcome]:
        until = quick_coils if job.quick else coils
        return [fault_runs.until_flag(job.name, job.scenario(name), job.seed, job.mode, until)]

    return run


def _until_flag_real_model(job: Job) -> list[RunOutcome]:
    until = 75 if job.quick else 260
    return [fault_runs.until_flag(job.name, job.real_model(), job.seed, job.mode, until)]


def _steps(job: Job) -> list[RunOutcome]:
    longest = {3: 360, 5: 260, 10: 160}
    scenarios = {ratio: job.scenario(f"step_r{ratio}") for ratio in longest}
    until = dict.fromkeys(longest, 75) if job.quick else longest
    return fault_runs.steps(job, scenarios, until)


def _through(name: str, coils: int) -> Runner:
    def run(job: Job) -> list[RunOutcome]:
        until = min(coils, 75) if job.quick else coils
        return [fault_runs.through(job.name, job.scenario(name), job.seed, job.mode, until)]

    return run


STUDIES: Final = (
    Study("steps", "step_r5", 360, (KNOWN,), _steps),
    Study("in_control", "in_control", 300, (KNOWN,), _until_flag("in_control", 600)),
    Study("steps", "step_r5", 120, (LEARNED,), _steps),
    Study("in_control", "in_control", 60, (LEARNED,), _until_flag("in_control", 600)),
    Study("cameras_1246", "cameras_1246", 60, _BOTH, _until_flag("cameras_1246", 260)),
    Study("camera_faults", "dirty_lens", 8, _LEARNED, camera_runs.all_faults),
    Study("welds", "welds", 40, _LEARNED, camera_runs.welds),
    Study("roll_mark", "roll_mark", 60, _LEARNED, fault_runs.roll_mark),
    Study("two_faults", "two_faults", 30, _LEARNED, _through("two_faults", 117)),
    Study("real_model", "step_r5", 40, _BOTH, _until_flag_real_model),
    Study("ramp", "ramp_r5", 30, _LEARNED, _until_flag("ramp_r5", 260)),
    Study("intermittent", "intermittent_r5", 30, _LEARNED, _until_flag("intermittent_r5", 400)),
    Study("dead_camera", "dead_camera_and_fault", 30, _LEARNED, _until_flag("dead_camera_and_fault", 260)),
    Study("sensitivity_loss", "sensitivity_loss", 20, (KNOWN,), _until_flag("sensitivity_loss", 260)),
    Study("overdispersed", "overdispersed", 30, _LEARNED, _until_flag("overdispersed", 260)),
    Study("overdispersed_null", "overdispersed_null", 30, _LEARNED, _until_flag("overdispersed_null", 600)),
    Study("partial_coverage", "partial_coverage", 30, _LEARNED, _until_flag("partial_coverage", 260)),
    Study("elongation", "elongation", 30, _LEARNED, _until_flag("elongation", 260)),
    Study("time_and_coils", "time_and_coils", 30, _LEARNED, _until_flag("time_and_coils", 260)),
    Study("time_only", "time_only", 6, _LEARNED, fault_runs.whole_export),
    Study("repair", "repair", 12, _LEARNED, fault_runs.repairs),
    Study("ramp_projection", "ramp_projection", 12, _BOTH, fault_runs.projections),
    Study("windows", "step_r3", 20, (KNOWN,), baseline_runs.windows),
    Study("detectors", "step_r10", 20, (KNOWN,), baseline_runs.detectors),
)  # fmt: skip
"""What the evaluation runs, without the measurement of speed."""


def jobs_of(folder: Path, card: Path, *, quick: bool) -> list[Job]:
    """Return all jobs, each study spread over the whole list: a part of it says a little of everything.

    Raises:
        ConfigurationError: The seeds cannot be read.
    """
    seeds: Mapping[str, range] = read_seeds(folder / "seeds.yaml")
    placed: list[tuple[float, Job]] = []
    for study in STUDIES:
        if study.name == "real_model" and not card.is_file():
            continue
        chosen = seeds[study.seeds_of][: study.quick_runs if quick else study.runs]
        for mode in study.modes:
            placed += [
                (place / len(chosen), Job(study.name, mode, seed, folder, card, quick))
                for place, seed in enumerate(chosen)
            ]
    return [job for _, job in sorted(placed, key=lambda each: each[0])]


def run_job(job: Job) -> list[RunOutcome]:
    """Make the runs of a job."""
    study = next(each for each in STUDIES if each.name == job.study and job.mode in each.modes)
    return study.runner(job)
