"""How many rows a second one core takes: rows to flags, as the process monitor does it."""

from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from services.domain.simulation.protocol import PROTOCOL_MATERIAL, protocol_scenario
from services.domain.simulation.scenario import Eye, Scenario, Strip
from services.domain.topology import CameraStation, Line, Machine
from services.simulator.evaluation.bench import LEARNED, analysis_of, coils_of
from services.simulator.evaluation.fault_runs import line_of
from services.simulator.evaluation.outcomes import RunOutcome

if TYPE_CHECKING:
    from services.simulator.evaluation.studies import Job

MUST_ROWS_PER_S: Final = 2000.0
"""100 cameras x 20 frames a second."""
_SPACING_M, _SPEED_M_S, _FRAMES_PER_S = 10.0, 10.0, 20.0


@dataclass(frozen=True, slots=True)
class _Load:
    name: str
    scenario: Scenario
    coils: int


def speed(job: "Job") -> list[RunOutcome]:
    """Measure the line of the protocol and a line of 100 cameras behind 30 machines.

    Rows are made beforehand. Time is the processor's, not the clock's, so that a busy machine counts little.
    """
    loads = (
        _Load("6 cameras", protocol_scenario(), 10 if job.quick else 150),
        _Load("100 cameras", large_scenario(30, 100), 1 if job.quick else 12),
    )
    return [
        RunOutcome(f"speed/{load.name}", job.seed, load.coils, 0, facts=_measured(load, job.seed))
        for load in loads
    ]


def _measured(load: _Load, seed: int) -> dict[str, Any]:
    analysis = analysis_of(load.scenario, LEARNED)
    classes = analysis.monitor.frame.classes
    coils = list(coils_of(line_of(load.scenario, seed, load.coils), classes, 0, load.coils))
    rows = sum(len(coil.rows) for coil in coils)
    began = process_time()
    for coil in coils:
        analysis.take(coil.name, coil.rows)
    seconds = process_time() - began
    return {"rows": rows, "seconds": seconds, "rows_per_s": rows / seconds}


def large_scenario(machines: int, cameras: int) -> Scenario:
    """Return a line on which cameras stand behind machines as evenly as can be, some of them at one station.

    Every camera takes 20 frames a second at 10 m/s, a frame each 0.5 m; a coil has 1,000 m. The line makes as many
    defects in a frame as that of the protocol.
    """
    base = protocol_scenario("large")
    stations = np.sort(np.arange(cameras) % machines)
    names = [f"m{number + 1}" for number in range(machines)]
    places = _SPACING_M * np.arange(1, machines + 1)
    step_m = _SPACING_M / 2 / (cameras // machines + 2)
    behind = np.arange(cameras) - np.searchsorted(stations, stations)
    line = Line(
        "large",
        "large",
        _SPEED_M_S,
        tuple(Machine(name, name, "machine", float(at)) for name, at in zip(names, places, strict=True)),
        tuple(
            CameraStation(
                f"cam-{number + 1:03d}",
                "large",
                names[station],
                float(places[station] + _SPACING_M / 2 + step_m * behind[number]),
                PROTOCOL_MATERIAL,
            )
            for number, station in enumerate(stations.tolist())
        ),
    )
    classes = len(base.classes)
    return replace(
        base,
        line=line,
        eyes=tuple(Eye(np.full(classes, 0.85)) for _ in range(cameras)),
        baseline=np.full((machines, classes), float(base.baseline.sum()) / (machines * classes)),
        survival=np.full((machines, classes), 0.98),
        strip=Strip(frames_per_coil=2000, frame_pitch_m=_SPEED_M_S / _FRAMES_PER_S),
    )
