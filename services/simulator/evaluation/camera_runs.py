"""Runs in which no machine is at fault: cameras that invent, are blind or silent, and welds at every joint."""

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import SimulatedLine
from services.simulator.evaluation.bench import Watch, analysis_of, coils_of
from services.simulator.evaluation.fault_runs import ONSET, line_of
from services.simulator.evaluation.outcomes import RunOutcome

if TYPE_CHECKING:
    from services.simulator.evaluation.studies import Job

_WATCHED_COILS: Final = 80
_KINDS: Final = ("camera_false_positives", "dirty_lens", "dead_camera", "blind_camera")
NO_SPOTS: Final = "dirty_lens_no_spots"
HEALTHY: Final = "healthy"
KINDS: Final = (*_KINDS, NO_SPOTS)
"""What is done to one camera; with `NO_SPOTS` nobody measured where in the image the evidence peaks."""
_WELD_COILS: Final = 160


def all_faults(job: "Job") -> list[RunOutcome]:
    """Run every kind of fault at every camera, and once none; the coils before it are the same."""
    until = ONSET + (10 if job.quick else _WATCHED_COILS)
    healthy = replace(job.scenario("dirty_lens"), camera_faults=())
    cameras = healthy.camera_ids[::5] if job.quick else healthy.camera_ids
    outcomes = []
    starts: dict[bool, Watch] = {}
    for spots in (True, False):
        starts[spots] = _start(job, healthy, until, spots=spots)
        twin = _continued(starts[spots], healthy, until, (HEALTHY, "none", spots))
        outcomes.append(twin)
    for kind in KINDS:
        spots = kind != NO_SPOTS
        scenario = job.scenario("dirty_lens" if kind == NO_SPOTS else kind)
        for camera in cameras:
            faults = tuple(replace(each, camera_id=camera) for each in scenario.camera_faults)
            struck = replace(scenario, camera_faults=faults)
            outcomes.append(_continued(starts[spots], struck, until, (kind, camera, spots)))
    return outcomes


def _start(job: "Job", healthy: Scenario, until: int, *, spots: bool) -> Watch:
    watch = Watch(job.name, line_of(healthy, job.seed, until), analysis_of(healthy, job.mode))
    _take(watch, ONSET, spots=spots)
    return watch


def _continued(start: Watch, scenario: Scenario, until: int, about: tuple[str, str, bool]) -> RunOutcome:
    kind, camera, spots = about
    line = line_of(scenario, start.line.seed, until)
    watch = Watch(f"{kind}/{camera}", line, deepcopy(start.analysis))
    watch.outcome.flags = deepcopy(start.outcome.flags)
    watch.outcome.facts |= {"kind": kind, "camera": camera, "spots": spots}
    _take(watch, until, spots=spots)
    return watch.outcome


def _take(watch: Watch, until: int, *, spots: bool) -> None:
    """Take coils; note the first coil on which something was found about each camera's pictures."""
    analysis = watch.analysis
    frame = analysis.monitor.frame
    found: dict[str, int] = watch.outcome.facts.setdefault("findings", {})
    for coil in coils_of(watch.line, frame.classes, analysis.monitor.state.coils, until):
        rows = coil.rows if spots else replace(coil.rows, spot=np.full_like(coil.rows.spot, np.nan))
        report = analysis.take(coil.name, rows)
        watch.note(report)
        for camera, finding in report.outcome.check.findings:
            found.setdefault(f"{frame.layout.cameras[camera]}:{finding.kind.value}", coil.number)


def welds(job: "Job") -> list[RunOutcome]:
    """Run welds at every joint, with one missing and one too many; note what is said of them."""
    scenario = job.scenario("welds")
    until = 60 if job.quick else _WELD_COILS
    watch = Watch(job.name, SimulatedLine(scenario, job.seed), analysis_of(scenario, job.mode))
    reported: list[list[object]] = []
    for report in watch.run(until):
        number = report.outcome.standing.number
        reported += [[number, each.kind, each.defect_class] for each in report.landmarks if each.kind != "seen"]
    watch.outcome.facts["landmarks"] = reported
    return [watch.outcome]
