"""The simulated strip: pure, seen alike by all cameras, faults where they were put."""

from itertools import pairwise

import numpy as np
import pytest

from services.domain.machine_faults import MachineFault, weak_spots
from services.domain.strip import WELD_HOLE_DISTANCE_M, StripWorld, strip_position
from services.domain.topology import Machine

MACHINES = (
    Machine("uncoiler-1", "Pay-off reel", "uncoiler", 2.0),
    Machine("welder-1", "Welder", "welder", 12.0),
    Machine("skinpass-1", "Skin-pass mill", "skin_pass_mill", 85.0),
)


def world(*faults: MachineFault, seed: int = 7) -> StripWorld:
    return StripWorld(seed, MACHINES, faults)


def test_defects_do_not_depend_on_how_the_strip_is_cut_into_frames() -> None:
    busy = world(*weak_spots(MACHINES, scale=20), MachineFault("skinpass-1", "rolled_pit", pitch_m=1.57))
    whole = busy.defects_between(-60.0, 900.0)
    pieces = [d for start in np.arange(-60.0, 900.0, 0.5) for d in busy.defects_between(start, start + 0.5)]
    assert len(whole) > 500
    assert tuple(pieces) == whole


def test_two_worlds_of_one_seed_agree_and_of_another_seed_differ() -> None:
    faults = weak_spots(MACHINES, scale=10)
    assert world(*faults).defects_between(0, 500) == world(*faults).defects_between(0, 500)
    assert world(*faults).defects_between(0, 500) != world(*faults, seed=8).defects_between(0, 500)


def test_a_defect_is_seen_downstream_of_its_machine_only() -> None:
    faulty = world(MachineFault("skinpass-1", "silk_spot", rate_per_100m=50))
    before = faulty.defects_visible(46.0, 30.0, 200.0)
    after = faulty.defects_visible(90.0, 30.0, 200.0)
    assert {d.defect_class for d in before} <= {"welding_line", "punching_hole"}
    assert sum(d.defect_class == "silk_spot" for d in after) > 40


def test_one_mark_on_the_strip_passes_the_cameras_one_after_the_other() -> None:
    at_first_camera = strip_position(3.0, 100.0, 15.0)
    assert strip_position(3.0, 125.0, 90.0) == pytest.approx(at_first_camera)


def test_a_roll_fault_repeats_at_its_pitch_in_one_lane_while_it_lasts() -> None:
    fault = MachineFault("skinpass-1", "rolled_pit", pitch_m=1.57, from_m=100.0, until_m=130.0)
    pits = [d for d in world(fault).defects_between(0, 240) if d.defect_class == "rolled_pit"]
    assert len({d.lateral for d in pits}) == 1
    assert 100 <= pits[0].position_m <= pits[-1].position_m < 130
    gaps = [b.position_m - a.position_m for a, b in pairwise(pits)]
    assert len(pits) in {19, 20}
    assert gaps == pytest.approx([1.57] * len(gaps))


def test_the_rate_of_a_random_fault_is_the_one_asked_for() -> None:
    fault = MachineFault("skinpass-1", "oil_spot", rate_per_100m=2.0)
    spots = [d for d in world(fault).defects_between(0, 50_000) if d.defect_class == "oil_spot"]
    assert 1000 - 4 * 32 < len(spots) < 1000 + 4 * 32


def test_every_coil_begins_with_a_weld_and_a_hole_behind_it_from_the_welder() -> None:
    strip = world()
    coil = strip.coil_at(1000.0)
    assert coil.start_m <= 1000.0 < coil.end_m
    marks = strip.defects_between(coil.start_m, coil.end_m)
    assert [(d.machine_id, d.defect_class) for d in marks] == [
        ("welder-1", "welding_line"),
        ("welder-1", "punching_hole"),
    ]
    assert marks[0].position_m == coil.start_m
    assert marks[1].position_m == pytest.approx(coil.start_m + WELD_HOLE_DISTANCE_M)


def test_coils_cover_the_strip_without_gaps() -> None:
    strip = world()
    coils = {strip.coil_at(position) for position in np.arange(-500.0, 2000.0, 3.0)}
    ordered = sorted(coils, key=lambda coil: coil.start_m)
    assert [a.end_m for a in ordered[:-1]] == [b.start_m for b in ordered[1:]]
    assert [a.number + 1 for a in ordered[:-1]] == [b.number for b in ordered[1:]]


def test_the_weld_dominates_a_frame_with_other_defects() -> None:
    crowded = world(MachineFault("uncoiler-1", "crease", pitch_m=0.1))
    weld_m = crowded.coil_at(1000.0).start_m
    dominant = crowded.defect_at(90.0, weld_m - 0.3, weld_m + 0.3)
    assert dominant is not None
    assert dominant.defect_class == "welding_line"


def test_clean_strip_shows_no_defect() -> None:
    strip = world()
    middle = strip.coil_at(1000.0).start_m + 50
    assert strip.defect_at(90.0, middle, middle + 0.5) is None


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(MachineFault("nobody", "crease", rate_per_100m=1), id="machine not on the line"),
        pytest.param(MachineFault("welder-1", "crease", rate_per_100m=-1), id="negative rate"),
        pytest.param(MachineFault("welder-1", "crease", pitch_m=0.0), id="no pitch"),
    ],
)
def test_an_impossible_fault_is_refused(fault: MachineFault) -> None:
    with pytest.raises(ValueError, match="fault"):
        world(fault)
