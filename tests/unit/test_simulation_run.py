"""A run is a function of scenario and seed: however it is divided, and whatever of it is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from services.domain.registration.table import ROW_COLUMNS, UNKNOWN, InspectionTable
from services.domain.simulation.faults import CameraFault, CameraFaultKind, Fault, FaultShape, RollFault, Welds
from services.domain.simulation.protocol import at_cell, protocol_scenario
from services.domain.simulation.run import Output, SimulatedCoils, simulate_coils
from services.domain.simulation.scenario import Overdispersion, Scenario, Tracking
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import Machine, Roll


def everything(coils: int = 90) -> Scenario:
    """A scenario that uses every part of the simulator."""
    scenario = protocol_scenario()
    names = ("welding_line", "punching_hole", "crescent_gap", *scenario.classes[3:])
    machines = list(scenario.line.machines)
    machines[3] = Machine("m4", "m4", "mill", 40.0, (Roll("roll", 500.0),), elongation=0.01)
    eyes = (*scenario.eyes[:4], replace(scenario.eyes[4], coverage=0.5, clock_skew_s=1.5), scenario.eyes[5])
    return replace(
        scenario,
        classes=names,
        line=replace(scenario.line, machines=tuple(machines)),
        eyes=eyes,
        strip=replace(scenario.strip, coils=coils, random_phase=True),
        tracking=Tracking(jitter_m=0.01),
        faults=(
            Fault("m1", "class_5", onset_coil=15),
            Fault("m2", "class_6", shape=FaultShape.INTERMITTENT, onset_coil=5),
        ),
        roll_faults=(RollFault("m4", "roll", "class_7", 0.03, onset_coil=33),),
        camera_faults=(
            CameraFault("cam-2", CameraFaultKind.FALSE_POSITIVES, 10),
            CameraFault("cam-3", CameraFaultKind.DIRTY_LENS, 20, defect_class="class_4"),
            CameraFault("cam-4", CameraFaultKind.DEAD, 30, 35),
            CameraFault("cam-6", CameraFaultKind.BLIND, 47),
        ),
        welds=Welds("m2", missing=(7,), surplus=((9, 50.0),)),
        overdispersion=Overdispersion(2.0, common=False),
    )


def assert_same_rows(one: InspectionTable, two: InspectionTable) -> None:
    for name in ROW_COLUMNS:
        if name != "coil":
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    assert [one.coils[code] for code in one.coil] == [two.coils[code] for code in two.coil]


def assert_same(one: SimulatedCoils, two: SimulatedCoils) -> None:
    assert_same_rows(one.table, two.table)
    np.testing.assert_array_equal(one.origin, two.origin)
    np.testing.assert_array_equal(one.births.place_m, two.births.place_m)
    np.testing.assert_array_equal(one.frames_inspected, two.frames_inspected)


def test_the_same_seed_gives_the_same_run() -> None:
    one, two = (simulate_coils(SimulatedLine(everything(), 5), 0, 90) for _ in range(2))
    assert_same(one, two)


def test_another_seed_gives_another_run() -> None:
    one, two = (simulate_coils(SimulatedLine(everything(), seed), 0, 90) for seed in (5, 6))
    assert len(one.births) != len(two.births) or not np.array_equal(one.births.place_m, two.births.place_m)


@pytest.mark.parametrize("step", [1, 7, 20, 64], ids=lambda step: f"{step}_coils_at_a_time")
def test_pieces_of_a_run_are_the_run(step: int) -> None:
    line = SimulatedLine(everything(), 5)
    whole = simulate_coils(line, 0, 90)
    pieces = [simulate_coils(line, first, step) for first in range(0, 90, step)]
    names = whole.table.coils
    rows = [piece.table.recoded(whole.table.cameras, names, whole.table.classes) for piece in pieces]
    joined = rows[0]
    for row in rows[1:]:
        joined = joined.joined(row)
    assert_same_rows(whole.table, joined)
    assert sum(len(piece.births) for piece in pieces) == len(whole.births)
    before = np.cumsum([0] + [len(piece.births) for piece in pieces[:-1]])
    origin = np.concatenate(
        [np.where(p.origin >= 0, p.origin + n, p.origin) for p, n in zip(pieces, before, strict=True)]
    )
    np.testing.assert_array_equal(whole.origin, origin)
    np.testing.assert_array_equal(
        whole.frames_inspected, np.concatenate([piece.frames_inspected for piece in pieces])
    )


def test_leaving_out_clean_rows_changes_no_other_row() -> None:
    line = SimulatedLine(everything(), 5)
    whole = simulate_coils(line, 0, 90)
    sparse = simulate_coils(line, 0, 90, Output(clean_rows=False))
    rows = whole.table.label != UNKNOWN
    assert_same_rows(whole.table.take(rows), sparse.table)
    np.testing.assert_array_equal(whole.origin[rows], sparse.origin)
    np.testing.assert_array_equal(whole.frames_inspected, sparse.frames_inspected)


def test_leaving_out_frame_ids_changes_nothing_else() -> None:
    line = SimulatedLine(everything(), 5)
    whole = simulate_coils(line, 0, 40)
    nameless = simulate_coils(line, 0, 40, Output(frame_ids=False))
    assert set(nameless.table.frame_id) == {""}
    assert_same_rows(replace(whole.table, frame_id=nameless.table.frame_id), nameless.table)


def test_a_run_ends_with_the_scenarios_last_coil() -> None:
    line = SimulatedLine(everything(coils=33), 5)
    assert simulate_coils(line, 20, 500).table.coils == tuple(f"coil-{number:06d}" for number in range(20, 33))
    with pytest.raises(ValueError, match="coils 33 to 42 are not in the scenario"):
        simulate_coils(line, 33, 10)


def test_frames_have_names_of_their_own_and_one_row_each() -> None:
    table = simulate_coils(SimulatedLine(protocol_scenario(), 1), 0, 40).table
    assert len(set(table.frame_id)) == len(table) == 40 * 200 * 6


def test_a_place_has_the_same_position_at_every_camera_and_passes_them_one_after_the_other() -> None:
    table = simulate_coils(SimulatedLine(protocol_scenario(), 1), 0, 3).table
    here = table.position_m == 150.25
    assert here.sum() == 6
    assert np.allclose(np.diff(table.captured_s[here]), 10 / 3.0, atol=2e-3)
    assert table.captured_s[here][0] == pytest.approx(1_767_592_800 + (150.25 + 15) / 3.0, abs=1e-3)


def test_lengths_within_a_coil_grow_behind_a_machine_that_lengthens_the_strip() -> None:
    scenario = protocol_scenario()
    machines = tuple(replace(m, elongation=0.01 if m.id == "m4" else 0.0) for m in scenario.line.machines)
    scenario = replace(scenario, line=replace(scenario.line, machines=machines))
    table = simulate_coils(SimulatedLine(scenario, 1), 2, 1).table
    first = table.position_m[table.camera == 2] - 200
    fourth = table.position_m[table.camera == 3] - 200
    np.testing.assert_allclose(fourth, first * 1.01, atol=1e-4)


@pytest.mark.parametrize(
    ("tracking", "positions"),
    [
        pytest.param(Tracking(), (100.25, 199.75), id="one_scale_for_the_strip"),
        pytest.param(Tracking(from_coil_start=True), (0.25, 99.75), id="anew_with_each_coil"),
    ],
)
def test_positions_run_on_or_begin_anew(tracking: Tracking, positions: tuple[float, float]) -> None:
    table = simulate_coils(SimulatedLine(replace(protocol_scenario(), tracking=tracking), 1), 1, 1).table
    assert (table.position_m.min(), table.position_m.max()) == positions


def test_positions_and_coils_may_be_missing() -> None:
    scenario = replace(protocol_scenario(), tracking=Tracking(positions=False, coil_ids=False))
    table = simulate_coils(SimulatedLine(scenario, 1), 0, 3).table
    assert np.isnan(table.position_m).all()
    assert (table.coil == UNKNOWN).all()
    assert np.isfinite(table.captured_s).all()


def test_an_encoder_trembles_by_what_it_is_told() -> None:
    steady = protocol_scenario()
    trembling = replace(steady, tracking=Tracking(jitter_m=0.02))
    one, two = (simulate_coils(SimulatedLine(each, 1), 0, 40).table.position_m for each in (steady, trembling))
    assert np.std(two - one) == pytest.approx(0.02, rel=0.02)


def test_cameras_with_a_phase_of_their_own_divide_the_strip_differently() -> None:
    scenario = protocol_scenario()
    scenario = replace(scenario, strip=replace(scenario.strip, random_phase=True))
    table = simulate_coils(SimulatedLine(scenario, 1), 0, 1).table
    begins = [table.position_m[table.camera == camera].min() for camera in range(6)]
    assert len(set(begins)) == 6
    assert all(0 <= begin <= 0.5 for begin in begins)


def test_a_clock_that_is_ahead_shifts_the_times_of_its_camera_alone() -> None:
    scenario = protocol_scenario()
    skewed = replace(scenario, eyes=(replace(scenario.eyes[0], clock_skew_s=2.5), *scenario.eyes[1:]))
    one, two = (simulate_coils(SimulatedLine(each, 1), 0, 1).table for each in (scenario, skewed))
    assert set(np.round(two.captured_s - one.captured_s, 3)[one.camera == 0]) == {2.5}
    assert set((two.captured_s - one.captured_s)[one.camera > 0]) == {0.0}


def test_cells_move_all_faults_on_together() -> None:
    scenario = replace(protocol_scenario(), faults=(Fault("m1", "class_0"), Fault("m3", "class_5")))
    assert [(f.machine_id, f.defect_class) for f in at_cell(scenario, 8).faults] == [
        ("m1", "class_8"),
        ("m4", "class_3"),
    ]
    cells = {(f.machine_id, f.defect_class) for cell in range(60) for f in at_cell(scenario, cell).faults[:1]}
    assert len(cells) == 60
    assert at_cell(scenario, 60) is not scenario
    assert at_cell(scenario, 60).faults == scenario.faults
