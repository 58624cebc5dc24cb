"""A long run has the rates its scenario promises, within 4.5 standard deviations of the binomial."""

from dataclasses import replace
from math import sqrt
from typing import Any

import numpy as np
import pytest

from services.domain.simulation.births import Births, Origin
from services.domain.simulation.protocol import PROTOCOL_SENSITIVITY, protocol_scenario
from services.domain.simulation.run import Output, SimulatedCoils, simulate_coils
from services.domain.simulation.scenario import PROTOCOL_DIAGONAL, Overdispersion, Scenario, spread_confusion
from services.domain.simulation.sightings import FALSE_CALL
from services.domain.simulation.world import SimulatedLine

COILS = 4000
FRAMES = 200
SPARSE = Output(clean_rows=False, frame_ids=False)


def run_of(scenario: Scenario, coils: int = COILS, seed: int = 20) -> SimulatedCoils:
    longer = replace(scenario, strip=replace(scenario.strip, coils=coils))
    return simulate_coils(SimulatedLine(longer, seed), 0, coils, SPARSE)


def rarely_two_in_a_frame(**changes: Any) -> Scenario:
    """The protocol with so few defects that hardly one hides another."""
    scenario = protocol_scenario()
    return replace(scenario, baseline=np.full_like(scenario.baseline, 5e-5), **changes)


def assert_share(hits: int, of: int, expected: float) -> None:
    assert abs(hits - of * expected) <= 4.5 * sqrt(of * expected * (1 - expected)) + 0.5, (hits / of, expected)


@pytest.fixture(scope="module")
def sparse_run() -> SimulatedCoils:
    return run_of(rarely_two_in_a_frame(), coils=60_000)


def seen(result: SimulatedCoils) -> np.ndarray:
    """(births, cameras): whether a camera reported the defect under any name."""
    table = np.zeros((len(result.births), len(result.table.cameras)), dtype=bool)
    real = result.origin >= 0
    table[result.origin[real], result.table.camera[real]] = True
    return table


def test_every_machine_makes_each_class_at_its_rate() -> None:
    scenario = protocol_scenario()
    scenario.baseline[2, 4] = 4e-3
    births = run_of(scenario).births
    counts = np.zeros_like(scenario.baseline)
    np.add.at(counts, (births.machine, births.label), 1)
    for count, rate in zip(counts.ravel(), scenario.baseline.ravel(), strict=True):
        assert abs(count - COILS * FRAMES * rate) < 4.5 * sqrt(COILS * FRAMES * rate)


def test_defects_lie_evenly_along_the_coil() -> None:
    births = run_of(protocol_scenario()).births
    counts, _ = np.histogram(births.place_m, bins=20, range=(0, 100))
    for count in counts:
        assert_share(int(count), len(births), 1 / 20)


@pytest.mark.parametrize("camera", range(6), ids=lambda number: f"camera_{number + 1}")
def test_a_camera_sees_its_share_of_what_the_machine_before_it_makes(
    sparse_run: SimulatedCoils, camera: int
) -> None:
    own = sparse_run.births.machine == camera
    hits = seen(sparse_run)[own, camera]
    assert_share(int(hits.sum()), int(own.sum()), PROTOCOL_SENSITIVITY[camera])


@pytest.mark.parametrize("behind", range(1, 6))
def test_what_an_older_machine_made_has_survived_each_stage_with_its_share(
    sparse_run: SimulatedCoils, behind: int
) -> None:
    first = sparse_run.births.machine == 0
    hits = seen(sparse_run)[first, behind]
    assert_share(int(hits.sum()), int(first.sum()), PROTOCOL_SENSITIVITY[behind] * 0.98**behind)


def test_a_defect_that_was_wiped_off_stays_off() -> None:
    scenario = rarely_two_in_a_frame(
        confusion=spread_confusion((1.0,) * 10),
        eyes=tuple(replace(eye, sensitivity=np.ones(10)) for eye in protocol_scenario().eyes),
        survival=np.full((6, 10), 0.5),
    )
    result = run_of(scenario, coils=20_000)
    pattern = seen(result)[result.births.machine == 0].astype(int)
    assert (np.diff(pattern, axis=1) == 1).mean() < 0.002  # the rest are defects hidden by a larger one
    assert_share(int(pattern[:, 1].sum()), len(pattern), 0.5)


def test_no_camera_sees_what_is_made_behind_it(sparse_run: SimulatedCoils) -> None:
    last = sparse_run.births.machine == 5
    assert not seen(sparse_run)[last, :5].any()


def test_labels_are_mixed_up_as_the_confusion_says(sparse_run: SimulatedCoils) -> None:
    real = sparse_run.origin >= 0
    true = sparse_run.births.label[sparse_run.origin[real]]
    given = sparse_run.table.label[real]
    for label, right in enumerate(PROTOCOL_DIAGONAL):
        of_class = given[true == label]
        assert_share(int((of_class == label).sum()), len(of_class), right)
        other = (label + 1) % 10
        assert_share(int((of_class == other).sum()), len(of_class), (1 - right) / 9)


def test_the_mean_share_of_right_labels_is_that_of_the_protocol() -> None:
    assert np.mean(PROTOCOL_DIAGONAL) == pytest.approx(0.804)


def test_what_a_row_of_the_confusion_lacks_is_called_no_defect() -> None:
    confusion = np.eye(10)
    confusion[3, 3] = 0.4
    result = run_of(rarely_two_in_a_frame(confusion=confusion), coils=20_000)
    own = (result.births.machine == 5) & (result.births.label == 3)
    assert_share(int(seen(result)[own, 5].sum()), int(own.sum()), 0.95 * 0.4)


def test_clean_frames_are_called_a_defect_at_the_false_rate(sparse_run: SimulatedCoils) -> None:
    false = sparse_run.origin == FALSE_CALL
    for camera in range(6):
        count = int((false & (sparse_run.table.camera == camera)).sum())
        assert_share(count, 60_000 * FRAMES, 5e-4)
    for label in range(10):
        assert_share(int((sparse_run.table.label[false] == label).sum()), int(false.sum()), 0.1)


def test_the_largest_defect_of_a_frame_is_the_one_that_is_named() -> None:
    scenario = replace(
        protocol_scenario(),
        baseline=np.full((6, 10), 0.02),
        confusion=np.eye(10),
        eyes=tuple(replace(eye, sensitivity=np.ones(10), false_per_frame=0) for eye in protocol_scenario().eyes),
        survival=np.ones((6, 10)),
    )
    result = run_of(scenario, coils=20)
    births = result.births
    at_last = result.table.camera == 5
    frame = births.coil * FRAMES + np.floor(births.place_m / 0.5).astype(int)
    largest = np.zeros(20 * FRAMES)
    np.maximum.at(largest, frame, births.size)
    assert set(births.size[result.origin[at_last]]) == set(largest[largest > 0])


def moments(births: Births, coils: int) -> tuple[float, float, float]:
    """Mean and variance of a coil's defects, and the correlation of two machines."""
    total = np.bincount(births.coil, minlength=coils)
    one, two = (np.bincount(births.coil[births.machine == m], minlength=coils) for m in (0, 1))
    return float(total.mean()), float(total.var()), float(np.corrcoef(one, two)[0, 1])


def test_common_overdispersion_moves_all_streams_of_a_coil_together() -> None:
    mean, variance, correlation = moments(
        run_of(replace(protocol_scenario(), overdispersion=Overdispersion(2.0, common=True))).births, COILS
    )
    assert mean == pytest.approx(12, rel=0.06)
    assert variance == pytest.approx(12 + 12**2 / 2, rel=0.15)
    assert correlation == pytest.approx(0.5, abs=0.08)


def test_separate_overdispersion_leaves_streams_independent() -> None:
    mean, variance, correlation = moments(
        run_of(replace(protocol_scenario(), overdispersion=Overdispersion(2.0, common=False))).births, COILS
    )
    assert mean == pytest.approx(12, rel=0.03)
    assert variance == pytest.approx(12 + 60 * 0.2**2 / 2, rel=0.1)
    assert abs(correlation) < 0.08


def test_partial_coverage_leaves_out_whole_blocks_of_frames() -> None:
    scenario = protocol_scenario()
    eyes = (replace(scenario.eyes[0], coverage=0.4, block_frames=20), *scenario.eyes[1:])
    scenario = replace(scenario, eyes=eyes, strip=replace(scenario.strip, coils=1000))
    result = simulate_coils(SimulatedLine(scenario, 3), 0, 1000, Output(frame_ids=False))
    own = result.table.camera == 0
    assert_share(int(own.sum() / 20), 1000 * 10, 0.4)
    frame = np.round((result.table.position_m[own] - 0.25) / 0.5).astype(int)
    assert set(np.bincount(frame // 20)) == {0, 20}
    assert np.array_equal(np.bincount(result.table.coil[own], minlength=1000), result.frames_inspected[:, 0])
    assert (result.frames_inspected[:, 1:] == FRAMES).all()


def test_evidence_peaks_where_the_defect_is() -> None:
    result = run_of(rarely_two_in_a_frame(), coils=2000)
    real = result.origin >= 0
    births = result.births.take(result.origin[real])
    assert np.abs(result.table.spot[real, 0] - births.lane).max() < 0.15
    head = births.coil * 100.0 + births.place_m
    assert np.abs(result.table.position_m[real] + (result.table.spot[real, 1] - 0.5) * 0.5 - head).max() < 0.06


def test_only_processes_make_defects_where_nothing_else_is_asked_for(sparse_run: SimulatedCoils) -> None:
    assert set(sparse_run.births.origin) == {Origin.PROCESS}
