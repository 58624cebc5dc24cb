"""What goes wrong goes wrong as the scenario says: machines, rolls, cameras, coil changes."""

from dataclasses import replace
from math import pi
from typing import Any

import numpy as np
import pytest

from services.domain.simulation.births import Origin, rates_per_frame
from services.domain.simulation.faults import CameraFault, CameraFaultKind, Fault, FaultShape, RollFault, Welds
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.run import Output, SimulatedCoils, simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.sightings import FALSE_CALL, LENS
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import Roll

M3, CLASS_4 = 2, 4
FRAMES = 200
NAMELESS = Output(frame_ids=False)


def with_fault(**fault: Any) -> Scenario:
    return replace(protocol_scenario(), faults=(Fault("m3", "class_4", **fault),))


def rates(scenario: Scenario, *coils: int) -> list[float]:
    line = SimulatedLine(scenario, 1)
    return [float(rate) for rate in rates_per_frame(line, np.array(coils))[:, M3, CLASS_4] / 1e-3]


def run_of(scenario: Scenario, coils: int, output: Output = NAMELESS) -> SimulatedCoils:
    longer = replace(scenario, strip=replace(scenario.strip, coils=coils))
    return simulate_coils(SimulatedLine(longer, 4), 0, coils, output)


def test_a_step_holds_from_onset_to_repair() -> None:
    scenario = with_fault(factor=5, onset_coil=60, until_coil=80)
    assert rates(scenario, 0, 59, 60, 79, 80) == [1, 1, 5, 5, 1]


def test_a_step_to_an_absolute_rate_needs_no_baseline() -> None:
    scenario = with_fault(per_frame=0.02, onset_coil=60)
    scenario.baseline[M3, CLASS_4] = 0.0
    assert rates(scenario, 59, 60) == pytest.approx([0, 20])


def test_a_ramp_is_log_linear_and_then_stays() -> None:
    scenario = with_fault(shape=FaultShape.RAMP, factor=5, ramp_coils=50, onset_coil=60)
    assert rates(scenario, 59, 84, 109, 300) == pytest.approx([1, 5**0.5, 5, 5])
    assert np.allclose(np.diff(np.log(rates(scenario, *range(59, 110)))), np.log(5) / 50)


def test_an_intermittent_fault_comes_in_bursts_that_fill_its_duty() -> None:
    scenario = with_fault(shape=FaultShape.INTERMITTENT, factor=5, duty=0.3, burst_coils=3, onset_coil=60)
    on = np.array(rates(scenario, *range(60, 10_060))) > 1
    assert on.mean() == pytest.approx(0.3)
    assert on[:3].all()
    assert not on[3:10].any()
    edges = np.flatnonzero(np.diff(np.concatenate(([0], on.astype(int), [0]))))
    lengths = edges[1::2] - edges[::2]
    assert set(lengths) <= {3, 6}
    assert len({place % 10 for place in edges[::2]}) > 5


def test_a_fault_touches_no_other_machine_or_class() -> None:
    line = SimulatedLine(with_fault(factor=5), 1)
    others = rates_per_frame(line, np.array([70]))[0]
    others[M3, CLASS_4] = 1e-3
    assert (others == 1e-3).all()


def test_two_faults_and_a_later_one_of_the_same_machine_all_hold() -> None:
    scenario = replace(
        protocol_scenario(),
        faults=(
            Fault("m3", "class_4", factor=5, onset_coil=60, until_coil=70),
            Fault("m1", "class_0", factor=3, onset_coil=60),
            Fault("m3", "class_4", factor=2, onset_coil=90),
        ),
    )
    assert rates(scenario, 65, 80, 95) == [5, 1, 2]
    assert rates_per_frame(SimulatedLine(scenario, 1), np.array([65]))[0, 0, 0] == pytest.approx(3e-3)


def test_a_faulty_machine_really_makes_more() -> None:
    births = run_of(with_fault(factor=10, onset_coil=60), 1060).births
    own = (births.machine == M3) & (births.label == CLASS_4)
    assert own[births.coil >= 60].sum() == pytest.approx(1000 * FRAMES * 0.01, rel=0.1)
    assert own[births.coil < 60].sum() < 30


def with_roll(elongation: float = 0.0, **mark: Any) -> Scenario:
    scenario = protocol_scenario()
    machines = list(scenario.line.machines)
    machines[3] = replace(machines[3], rolls=(Roll("top", 500.0),))
    machines[4] = replace(machines[4], elongation=elongation)
    fault = RollFault("m4", "top", "class_7", **({"forward_slip": 0.03, "onset_coil": 20} | mark))
    line = replace(scenario.line, machines=tuple(machines))
    return replace(scenario, line=line, roll_faults=(fault,))


def test_a_roll_leaves_a_mark_each_turn_across_coils() -> None:
    births = run_of(with_roll(jitter_m=0.0), 100).births
    marks = births.take(births.origin == Origin.ROLL)
    at_m = marks.coil * 100.0 + marks.place_m
    period_m = pi * 0.5 * 1.03
    assert period_m == pytest.approx(1.61792, abs=1e-5)
    np.testing.assert_allclose(np.diff(at_m), period_m, atol=1e-6)
    assert marks.coil.min() == 20
    assert len(marks) == pytest.approx(8000 / period_m, abs=1)
    assert set(marks.lane) == {0.5}


def test_marks_jitter_by_what_they_are_told() -> None:
    births = run_of(with_roll(jitter_m=0.005), 100).births
    marks = births.take(births.origin == Origin.ROLL)
    steps = np.diff(marks.coil * 100.0 + marks.place_m)
    assert np.std(steps) == pytest.approx(0.005 * 2**0.5, rel=0.05)


def test_marks_end_with_the_roll_change() -> None:
    births = run_of(with_roll(until_coil=50), 100).births
    marks = births.take(births.origin == Origin.ROLL)
    assert (marks.coil.min(), marks.coil.max()) == (20, 49)


@pytest.mark.parametrize("camera", [3, 4, 5])
def test_a_camera_sees_half_of_the_marks_that_reach_it(camera: int) -> None:
    result = run_of(replace(with_roll(), baseline=np.zeros((6, 10))), 200, Output(False, False))
    marks = int((result.births.origin == Origin.ROLL).sum())
    hits = int(((result.origin >= 0) & (result.table.camera == camera)).sum())
    assert hits / marks == pytest.approx(0.5 * 0.98 ** (camera - 3), abs=0.03)


def test_a_later_machine_that_lengthens_the_strip_stretches_the_spacing_at_cameras_behind_it() -> None:
    scenario = replace(with_roll(elongation=0.05, jitter_m=0.0, detection=1.0), baseline=np.zeros((6, 10)))
    result = run_of(scenario, 60, Output(clean_rows=False))
    for camera, stretch in ((3, 1.0), (4, 1.05)):
        own = (result.table.camera == camera) & (result.origin >= 0) & (result.table.coil == 30)
        row_m = (result.table.spot[own, 1] - 0.5) * 0.5 * stretch
        at_m = np.sort(result.table.position_m[own] + row_m)
        assert np.median(np.diff(at_m)) == pytest.approx(pi * 0.5 * 1.03 * stretch, rel=0.01)


def with_camera_fault(kind: CameraFaultKind, **fault: Any) -> Scenario:
    return replace(
        protocol_scenario(), camera_faults=(CameraFault("cam-3", kind, **({"onset_coil": 30} | fault)),)
    )


def test_a_dead_camera_delivers_no_rows_while_it_is_dead() -> None:
    result = run_of(with_camera_fault(CameraFaultKind.DEAD, until_coil=50), 60)
    own = result.table.coil[result.table.camera == 2]
    assert set(own) == {*range(30), *range(50, 60)}
    assert result.frames_inspected[29:31, 2].tolist() == [200, 0]
    assert len(result.table) == 60 * 1200 - 20 * 200


def test_a_blind_camera_delivers_rows_without_a_defect() -> None:
    table = run_of(with_camera_fault(CameraFaultKind.BLIND), 100).table
    own = table.camera == 2
    assert own.sum() == 100 * 200
    reported = set(table.coil[own & (table.label >= 0)])
    assert reported == set(range(30))


def test_other_cameras_see_the_same_whatever_is_wrong_with_one() -> None:
    sound = run_of(protocol_scenario(), 100)
    for kind in (CameraFaultKind.BLIND, CameraFaultKind.DEAD, CameraFaultKind.FALSE_POSITIVES):
        faulty = run_of(with_camera_fault(kind), 100)
        one, two = (
            each.table.label[(each.table.camera != 2) & (each.origin != FALSE_CALL)] >= 0
            for each in (sound, faulty)
        )
        assert abs(int(one.sum()) - int(two.sum())) <= 5, kind  # a false call may stand where none stood


def test_false_calls_rise_twentyfold() -> None:
    result = run_of(with_camera_fault(CameraFaultKind.FALSE_POSITIVES), 530)
    false = (result.origin == FALSE_CALL) & (result.table.camera == 2)
    late = int((false & (result.table.coil >= 30)).sum())
    assert late == pytest.approx(500 * FRAMES * 0.01 * 0.96, rel=0.08)
    assert int((false & (result.table.coil < 30)).sum()) < 12


def test_a_blemish_shows_in_its_share_of_frames_at_one_spot_and_under_one_name() -> None:
    result = run_of(with_camera_fault(CameraFaultKind.DIRTY_LENS, defect_class="class_4", share=0.3), 530)
    lens = result.origin == LENS
    assert lens.sum() == pytest.approx(500 * FRAMES * 0.3, rel=0.02)
    assert set(result.table.label[lens]) == {CLASS_4}
    assert set(result.table.camera[lens]) == {2}
    np.testing.assert_allclose(result.table.spot[lens].mean(axis=0), (0.7, 0.4), atol=0.001)
    assert result.table.spot[lens].std(axis=0).max() < 0.03


def test_a_camera_that_lost_sensitivity_sees_less() -> None:
    scenario = with_camera_fault(CameraFaultKind.SENSITIVITY, factor=0.8, onset_coil=500)
    result = run_of(scenario, 1000, Output(False, False))
    own = (result.origin >= 0) & (result.table.camera == 2)
    early, late = int((own & (result.table.coil < 500)).sum()), int((own & (result.table.coil >= 500)).sum())
    assert late / early == pytest.approx(0.8, abs=0.05)


def with_welds(**welds: Any) -> Scenario:
    scenario = protocol_scenario()
    classes = ("welding_line", "punching_hole", "crescent_gap", *scenario.classes[3:])
    return replace(
        scenario, classes=classes, welds=Welds("m2", **welds), survival=np.ones((6, 10)), confusion=np.eye(10)
    )


def test_every_joint_has_a_weld_a_notch_and_a_hole() -> None:
    births = run_of(with_welds(), 50).births
    marks = births.take(births.origin == Origin.COIL_CHANGE)
    assert marks.coil.tolist() == [coil for coil in range(50) for _ in range(3)]
    assert marks.label.tolist() == [0, 2, 1] * 50
    assert marks.place_m.tolist() == [0.0, 0.6, 1.2] * 50
    assert set(marks.machine) == {1}


def test_all_cameras_behind_the_welder_see_the_welds() -> None:
    result = run_of(with_welds(detection=0.98), 200)
    welds = (result.births.origin == Origin.COIL_CHANGE) & (result.births.label == 0)
    real = result.origin >= 0
    from_weld = np.zeros(len(result.origin), dtype=bool)
    from_weld[real] = welds[result.origin[real]]
    counts = np.bincount(result.table.camera[from_weld], minlength=6)
    assert counts[0] == 0
    assert (counts[1:] >= 188).all()
    assert set(result.table.label[from_weld]) == {0}


def test_a_weld_may_be_missing_or_one_too_many() -> None:
    births = run_of(with_welds(missing=(7,), surplus=((9, 50.0),)), 20).births
    welds = births.take((births.origin == Origin.COIL_CHANGE) & (births.label == 0))
    assert 7 not in welds.coil
    assert [(c, p) for c, p in zip(welds.coil, welds.place_m, strict=True) if c == 9] == [(9, 0.0), (9, 50.0)]


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        pytest.param(
            replace(protocol_scenario(), faults=(Fault("m9", "class_0"),)),
            "fault 1: machine 'm9' is not known here; known are m1, m2, m3, m4, m5, m6",
            id="fault_of_unknown_machine",
        ),
        pytest.param(
            replace(protocol_scenario(), faults=(Fault("m1", "rust"),)),
            "fault 1: class 'rust'",
            id="unknown_class",
        ),
        pytest.param(
            replace(
                protocol_scenario(),
                baseline=np.zeros((6, 10)),
                faults=(Fault("m1", "class_0", shape=FaultShape.RAMP),),
            ),
            "fault 1: a ramp is log-linear",
            id="ramp_from_nothing",
        ),
        pytest.param(
            with_camera_fault(CameraFaultKind.DIRTY_LENS), "say with `class`", id="blemish_without_class"
        ),
        pytest.param(
            replace(protocol_scenario(), camera_faults=(CameraFault("cam-9", CameraFaultKind.DEAD),)),
            "camera fault 1: camera 'cam-9'",
            id="unknown_camera",
        ),
        pytest.param(
            replace(protocol_scenario(), roll_faults=(RollFault("m1", "top", "class_0"),)),
            "roll mark 1: roll 'top' is not known here; known are none",
            id="unknown_roll",
        ),
        pytest.param(
            with_welds(surplus=((3, 99.5),)), "does not fit into 100 m", id="surplus_weld_beyond_the_coil"
        ),
        pytest.param(replace(protocol_scenario(), welds=Welds("m2")), "class 'welding_line'", id="no_weld_class"),
        pytest.param(
            replace(protocol_scenario(), confusion=np.full((10, 10), 0.2)),
            "not sum to more than 1",
            id="confusion_sum",
        ),
        pytest.param(replace(protocol_scenario(), confusion=np.eye(9)), "a row and a column", id="confusion_size"),
        pytest.param(
            replace(protocol_scenario(), baseline=np.zeros((5, 10))), "baseline has shape", id="baseline"
        ),
    ],
)
def test_a_scenario_that_contradicts_itself_is_refused(scenario: Scenario, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]*$") as refused:
        SimulatedLine(scenario, 1)
    assert sentence in str(refused.value)
