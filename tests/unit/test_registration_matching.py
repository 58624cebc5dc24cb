"""One defect, many sightings: what cameras saw at one place of the strip is one defect, and nothing else is."""

from dataclasses import replace

import numpy as np
import pytest

from services.domain.attribution.likelihood import NOT_LOOKED, NOT_SEEN
from services.domain.registration.coil import RegisteredCoil, register_coil
from services.domain.registration.layout import LineLayout
from services.domain.registration.matching import CameraSightings, match_sightings
from services.domain.registration.table import UNKNOWN, InspectionTable
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import Line
from tests.fakes.simulated_coils import NO_LANDMARKS, STEEL, Strip, a_line, scenario_named, shuffled

PHASES = {"cam-1": 0.1, "cam-2": -0.4, "cam-3": 0.35}
PIT, OIL = STEEL.index("rolled_pit"), STEEL.index("oil_spot")


def registered(table: InspectionTable, line: Line | None = None) -> RegisteredCoil:
    return register_coil(table, LineLayout.of(line or a_line()), NO_LANDMARKS)


def test_frames_that_lie_above_each_other_are_asked_once_and_others_twice() -> None:
    """A sighting could be joined to any frame that overlaps it, so two frames of a shifted camera are asked."""
    shifted = Strip(a_line(), phase_m={"cam-2": 0.5}).see(40.4, "rolled_pit", "cam-1", "cam-3")
    assert registered(shifted.table()).asked.tolist() == [[1, 2, 1]]
    assert registered(Strip(a_line()).see(40.4, "rolled_pit", "cam-1").table()).asked.tolist() == [[1, 1, 1]]


def test_before_its_first_camera_a_defect_is_asked_for_once() -> None:
    late = Strip(a_line(), phase_m={"cam-1": 0.5}).see(40.4, "rolled_pit", "cam-2")
    assert registered(late.table()).asked.tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("phases", [{}, PHASES], ids=["aligned_frames", "frames_begin_anywhere"])
@pytest.mark.parametrize("seen_by", [(1,), (2,), (1, 2), (1, 3), (2, 3), (1, 2, 3)], ids=str)
def test_one_defect_seen_by_some_cameras_is_one_defect(phases: dict[str, float], seen_by: tuple[int, ...]) -> None:
    strip = Strip(a_line(), phase_m=phases)
    strip.see(40.4, "rolled_pit", *(f"cam-{n}" for n in seen_by))
    coil = registered(strip.table())
    assert coil.labels.tolist() == [[PIT if n in seen_by else NOT_SEEN for n in (1, 2, 3)]]
    assert abs(coil.place_m[0] - 40.4) <= 0.5
    for camera, row in enumerate(coil.rows[0].tolist()):
        if row >= 0:
            assert coil.table.camera[row] == camera
            assert abs(coil.table.position_m[row] - 40.4) <= 0.5


@pytest.mark.parametrize("phases", [{}, PHASES], ids=["aligned_frames", "frames_begin_anywhere"])
def test_two_defects_two_frames_apart_stay_two(phases: dict[str, float]) -> None:
    strip = Strip(a_line(), phase_m=phases)
    strip.see(40.45, "rolled_pit", "cam-1", "cam-2", "cam-3").see(42.45, "oil_spot", "cam-1", "cam-2", "cam-3")
    coil = registered(strip.table())
    assert coil.labels.tolist() == [[PIT] * 3, [OIL] * 3]


@pytest.mark.parametrize("other", ["rolled_pit", "oil_spot"])
def test_two_defects_on_neighbouring_frames_stay_two(other: str) -> None:
    """On aligned frames, where every camera shows each of them on a frame of its own."""
    strip = Strip(a_line())
    strip.see(40.5, "rolled_pit", "cam-1", "cam-2", "cam-3").see(41.5, other, "cam-1", "cam-2", "cam-3")
    coil = registered(strip.table())
    assert coil.labels.tolist() == [[PIT] * 3, [STEEL.index(other)] * 3]
    assert coil.place_m.tolist() == [40.5, 41.5]


def test_neighbouring_defects_seen_by_different_cameras_are_not_joined() -> None:
    strip = Strip(a_line()).see(40.5, "rolled_pit", "cam-1").see(41.5, "rolled_pit", "cam-2", "cam-3")
    assert registered(strip.table()).labels.tolist() == [[PIT, NOT_SEEN, NOT_SEEN], [NOT_SEEN, PIT, PIT]]


def test_each_defect_takes_one_sighting_of_a_camera_the_nearest_first() -> None:
    """10.7 is nearer to 10.9 than to 10.0; 11.4 then finds 10.9 taken, does not reach 10.0, and is new."""
    first = CameraSightings(np.array([10.0, 10.9]), 0.5)
    second = CameraSightings(np.array([10.7, 11.4]), 0.5)
    assert match_sightings([first, second]).sighting.tolist() == [[0, -1], [1, 0], [-1, 1]]


def test_a_sighting_that_loses_the_nearest_defect_takes_the_next_it_overlaps() -> None:
    upstream = CameraSightings(np.array([10.0, 10.8]), 0.5)
    camera = CameraSightings(np.array([10.5, 10.75]), 0.5)
    assert match_sightings([upstream, camera]).sighting.tolist() == [[0, 0], [1, 1]]


def test_the_place_of_a_defect_is_what_all_its_frames_have_in_common() -> None:
    matches = match_sightings([CameraSightings(np.array([x]), 0.5) for x in (10.0, 10.4, 9.8)])
    assert matches.sighting.tolist() == [[0, 0, 0]]
    # Frames show 9.5-10.5, 9.9-10.9 and 9.3-10.3: all three 9.9 to 10.3.
    assert matches.place_m[0] == pytest.approx(10.1)
    assert matches.half_m[0] == pytest.approx(0.2)


def test_nothing_seen_is_no_defect() -> None:
    coil = registered(Strip(a_line()).table())
    assert coil.labels.shape == (0, 3)
    assert coil.frames.tolist() == [100, 100, 100]
    assert match_sightings([CameraSightings(np.empty(0), 0.5)] * 3).sighting.shape == (0, 3)


def test_a_camera_that_did_not_look_there_is_told_from_one_that_saw_nothing() -> None:
    strip = Strip(a_line(), looks={"cam-2": (0.0, 30.0)})
    strip.see(10.5, "rolled_pit", "cam-1").see(60.5, "rolled_pit", "cam-1")
    assert registered(strip.table()).labels.tolist() == [[PIT, NOT_SEEN, NOT_SEEN], [PIT, NOT_LOOKED, NOT_SEEN]]


def test_a_camera_without_a_frame_on_the_coil_did_not_look() -> None:
    strip = Strip(a_line(), looks={"cam-2": (1e6, 2e6)}).see(10.5, "oil_spot", "cam-3")
    coil = registered(strip.table())
    assert coil.labels.tolist() == [[NOT_SEEN, NOT_LOOKED, OIL]]
    assert (coil.frames[1], coil.inspected_m[1], coil.pitch_m[1]) == (0, 0.0, 0.0)


def test_metres_looked_at_are_those_of_the_frames() -> None:
    coil = registered(Strip(a_line(), looks={"cam-2": (0.0, 30.0), "cam-3": (20.0, 100.0)}).table())
    np.testing.assert_allclose(coil.inspected_m, [100.0, 30.0, 80.0])
    metres = {tuple(looked): length for looked, length in zip(coil.looked.tolist(), coil.looked_m, strict=True)}
    assert metres == pytest.approx({(True, True, False): 20, (True, True, True): 10, (True, False, True): 70})
    assert (coil.start_m, coil.length_m) == pytest.approx((0.0, 100.0))


def test_a_gap_in_a_cameras_frames_is_not_looked_at() -> None:
    table = Strip(a_line()).see(52.5, "oil_spot", "cam-1").table()
    blind = (table.camera == 1) & (table.position_m > 50) & (table.position_m < 60)
    coil = registered(table.take(~blind))
    assert coil.labels.tolist() == [[OIL, NOT_LOOKED, NOT_SEEN]]
    assert coil.inspected_m[1] == pytest.approx(90.0, abs=0.3)


def test_sightings_of_each_camera_are_counted() -> None:
    strip = Strip(a_line()).see(10.5, "rolled_pit", "cam-1", "cam-3").see(20.5, "oil_spot", "cam-3")
    assert registered(strip.table()).sightings.tolist() == [1, 0, 2]


def facts(coil: RegisteredCoil) -> tuple[object, ...]:
    ids = np.where(coil.rows >= 0, coil.table.frame_id[coil.rows], "")
    return (
        ids.tolist(), coil.labels.tolist(), coil.place_m.tolist(), coil.half_m.tolist(), coil.landmark.tolist(),
        coil.looked.tolist(), coil.looked_m.tolist(), coil.frames.tolist(), coil.inspected_m.tolist(),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["elongation", "welds", "partial_coverage", "time_and_coils"])
def test_the_order_of_rows_is_no_matter(name: str) -> None:
    scenario = scenario_named(name)
    table = simulate_coils(SimulatedLine(scenario, 900_200), 0, 1).table
    line = scenario.line
    orders = [registered(each, line) for each in (table, shuffled(table, 1), shuffled(table, 2))]
    assert facts(orders[0]) == facts(orders[1]) == facts(orders[2])
    assert len(orders[0].labels) > 5


@pytest.mark.parametrize(
    ("random_phase", "jitter_m", "least"),
    [
        pytest.param(False, 0.0, 1.0, id="aligned"),
        pytest.param(False, 0.05, 1.0, id="aligned_with_jitter"),
        pytest.param(True, 0.0, 0.99, id="frames_begin_anywhere"),
        pytest.param(True, 0.02, 0.97, id="frames_begin_anywhere_with_jitter"),
    ],
)
def test_a_defect_with_a_metre_to_itself_is_registered_as_one(
    random_phase: bool, jitter_m: float, least: float
) -> None:
    """Against the simulator's truth: all sightings of a birth come to one defect, and no other birth joins it."""
    scenario = scenario_named("baseline")
    scenario = replace(
        scenario,
        strip=replace(scenario.strip, random_phase=random_phase),
        tracking=replace(scenario.tracking, jitter_m=jitter_m),
    )
    alone = [_lone_births(scenario, coil) for coil in range(20)]
    counts = np.array([len(defects) for births in alone for defects in births])
    assert len(counts) > 150
    assert (counts == 1).mean() >= least


def _lone_births(scenario: Scenario, coil: int) -> list[set[int]]:
    """Return the registered defects of each birth that has no other birth or false call within a metre."""
    run = simulate_coils(SimulatedLine(scenario, 900_201), coil, 1)
    found = registered(run.table, scenario.line)
    false = run.table.position_m[(run.origin < 0) & (run.table.label != UNKNOWN)]
    others = np.concatenate((run.births.place_m, false))
    defects: dict[int, set[int]] = {}
    for defect, rows in enumerate(found.rows):
        origins = run.origin[rows[rows >= 0]]
        for birth in origins[origins >= 0].tolist():
            defects.setdefault(birth, set()).add(defect)
    near = {birth: (np.abs(others - run.births.place_m[birth]) < 1.0).sum() for birth in defects}
    return [defects[birth] for birth in defects if near[birth] == 1]
