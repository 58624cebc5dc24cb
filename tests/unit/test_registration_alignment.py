"""Cameras on one scale: elongation, slipping encoders, wrong clocks, frames without a position."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.domain.registration.coil import register_coil
from services.domain.registration.layout import LineLayout
from services.domain.registration.places import frame_pitch_m, places_m
from services.domain.registration.table import InspectionTable
from services.domain.topology import Line
from tests.fakes.simulated_coils import NO_LANDMARKS, Strip, a_line, shuffled

MARKS = (12.3, 55.7, 118.2, 140.9, 203.4, 260.1, 287.6, 333.3, 390.8)
"""Places with nothing regular about them."""
EVERYBODY = ("cam-1", "cam-2", "cam-3")


def a_long_coil(line: Line, **changes: Any) -> Strip:
    strip = Strip(line, frames=400, **changes)
    for mark in MARKS:
        strip.see(mark, "rolled_pit", *EVERYBODY)
    return strip


def seen_by(table: InspectionTable, line: Line) -> list[int]:
    """How many cameras each registered defect was seen by."""
    coil = register_coil(table, LineLayout.of(line), NO_LANDMARKS)
    return [int(cameras) for cameras in (coil.labels >= 0).sum(axis=1)]


def test_known_elongation_is_taken_out() -> None:
    """6 % at machine 2 and 25 % more at machine 3, as line.yaml says: more than alignment could ever find."""
    line = a_line(elongation={2: 0.06, 3: 0.25})
    strip = a_long_coil(line, stretch={"cam-2": 1.06, "cam-3": 1.06 * 1.25})
    assert seen_by(strip.table(), line) == [3] * len(MARKS)
    assert seen_by(strip.table(), a_line()) != [3] * len(MARKS)


def test_places_are_on_the_scale_of_the_first_camera() -> None:
    line = a_line(elongation={1: 0.5, 2: 0.06})
    strip = a_long_coil(line, stretch={"cam-1": 1.0, "cam-2": 1.06, "cam-3": 1.06})
    coil = register_coil(strip.table(), LineLayout.of(line), NO_LANDMARKS)
    np.testing.assert_allclose(coil.place_m, MARKS, atol=0.6)


@pytest.mark.parametrize("stretch", [0.98, 0.99, 1.005, 1.01, 1.02])
def test_unknown_elongation_up_to_two_percent_is_found_in_the_sightings(stretch: float) -> None:
    line = a_line()
    table = a_long_coil(line, stretch={"cam-2": stretch, "cam-3": stretch}).table()
    assert seen_by(table, line) == [3] * len(MARKS)


@pytest.mark.parametrize("shift_m", [-8.0, -3.4, 0.3, 2.2, 9.0])
def test_a_shift_of_up_to_ten_metres_is_found_in_the_sightings(shift_m: float) -> None:
    line = a_line()
    table = a_long_coil(line).table()
    late = replace(table, position_m=table.position_m + np.where(table.camera == 1, shift_m, 0.0))
    assert seen_by(late, line) == [3] * len(MARKS)


def test_shift_and_stretch_together_are_found() -> None:
    line = a_line()
    table = a_long_coil(line, stretch={"cam-3": 1.012}).table()
    late = replace(table, position_m=table.position_m - np.where(table.camera == 2, 4.0, 0.0))
    assert seen_by(late, line) == [3] * len(MARKS)


def test_two_defects_by_chance_in_step_do_not_shift_a_camera() -> None:
    """Two defects that one camera alone saw, 3 m beside two of another: no reason to think them the same."""
    line = a_line()
    strip = Strip(line, frames=400)
    strip.see(100.5, "rolled_pit", "cam-1").see(300.5, "rolled_pit", "cam-1")
    strip.see(103.5, "oil_spot", "cam-2").see(303.5, "oil_spot", "cam-2")
    assert seen_by(strip.table(), line) == [1, 1, 1, 1]


def test_a_coil_that_is_in_step_is_left_as_it_is() -> None:
    line = a_line()
    coil = register_coil(a_long_coil(line).table(), LineLayout.of(line), NO_LANDMARKS)
    np.testing.assert_allclose(coil.place_m, np.floor(MARKS) + 0.5)
    assert (coil.start_m, coil.length_m) == pytest.approx((0.0, 400.0))


def test_frames_without_a_position_are_placed_by_time_and_speed() -> None:
    line = a_line()
    table = a_long_coil(line).table(positions=False)
    assert seen_by(table, line) == [3] * len(MARKS)
    coil = register_coil(table, LineLayout.of(line), NO_LANDMARKS)
    np.testing.assert_allclose(np.diff(coil.place_m), np.diff(np.floor(MARKS)), atol=1e-3)


def test_a_clock_that_is_off_is_found_in_the_sightings() -> None:
    """1.5 s at 2 m/s are 3 m."""
    line = a_line()
    table = a_long_coil(line, skew_s={"cam-2": 1.5}).table(positions=False)
    assert seen_by(table, line) == [3] * len(MARKS)


def test_frames_without_a_position_fall_in_with_those_that_have_one() -> None:
    line = a_line()
    table = a_long_coil(line, head_m=7000.0, coil="later").table()
    some = replace(table, position_m=np.where(table.camera == 1, np.nan, table.position_m))
    camera = np.asarray(table.camera)
    found = places_m(some, camera, LineLayout.of(line))
    np.testing.assert_allclose(found, table.position_m, atol=1e-6)


def test_given_positions_are_left_alone() -> None:
    line = a_line()
    table = a_long_coil(line).table()
    np.testing.assert_array_equal(places_m(table, table.camera, LineLayout.of(line)), table.position_m)


def test_jitter_of_the_encoder_does_not_split_defects() -> None:
    line = a_line()
    table = a_long_coil(line).table()
    noise = np.random.default_rng(900_300).normal(0.0, 0.1, len(table))
    assert seen_by(replace(table, position_m=table.position_m + noise), line) == [3] * len(MARKS)


def test_alignment_does_not_depend_on_the_order_of_rows() -> None:
    line = a_line()
    table = a_long_coil(line, stretch={"cam-2": 1.013}, phase_m={"cam-3": 0.4}).table()
    one, two = (register_coil(each, LineLayout.of(line), NO_LANDMARKS) for each in (table, shuffled(table)))
    np.testing.assert_array_equal(one.place_m, two.place_m)
    np.testing.assert_array_equal(one.labels, two.labels)


@pytest.mark.parametrize(
    ("places", "pitch"),
    [
        ([], 0.0),
        ([4.0], 0.0),
        ([1.0, 1.5, 2.0, 9.0, 9.5], 0.5),
        ([1.0, 1.0, 1.0], 0.0),
        ([0.0, 0.0, 2.0, 4.0], 2.0),
    ],
)
def test_the_pitch_of_frames_is_their_usual_distance(places: list[float], pitch: float) -> None:
    assert frame_pitch_m(np.array(places)) == pitch


def test_stretch_of_each_camera_counts_from_the_first() -> None:
    layout = LineLayout.of(a_line((1, 2, 4), machines=4, elongation={1: 0.5, 2: 0.1, 3: 0.2, 4: 0.25}))
    np.testing.assert_allclose(layout.stretch, [1.0, 1.1, 1.1 * 1.2 * 1.25])
    assert layout.stages.tolist() == [1, 1, 2]
    assert layout.first_camera.tolist() == [0, 1, 2]


def test_a_camera_that_calls_every_third_frame_shifts_nobody() -> None:
    """Dirt on a lens agrees with everything somewhere; what the next camera sees alone stays where it is."""
    line = a_line()
    rng = np.random.default_rng(900_920)
    strip = Strip(line, frames=400)
    for frame in rng.choice(400, 120, replace=False).tolist():
        strip.see(frame + 0.5, "oil_spot", "cam-1")
    for mark in MARKS:
        strip.see(mark, "rolled_pit", "cam-2")
    coil = register_coil(strip.table(), LineLayout.of(line), NO_LANDMARKS)
    places = {round(float(place), 1) for place in coil.place_m[coil.labels[:, 1] >= 0]}
    assert places == {np.floor(mark) + 0.5 for mark in MARKS}
