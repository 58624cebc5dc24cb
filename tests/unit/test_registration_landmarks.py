"""Welds, the hole beside a weld and notches are events: they mark coil changes and accuse nobody."""

from dataclasses import replace

import pytest

from services.domain.monitoring.facts import LandmarkEvent
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.landmark_events import WeldBook, landmark_events, landmark_sentences
from services.domain.monitoring.setup import monitor_frame
from services.domain.registration.coil import LandmarkRule, RegisteredCoil, register_coil
from services.domain.registration.layout import LineLayout
from tests.fakes.simulated_coils import NO_LANDMARKS, STEEL, STEEL_LANDMARKS, Strip, a_line, pack_named

EVERYBODY = ("cam-1", "cam-2", "cam-3")


def registered(strip: Strip, rule: LandmarkRule = STEEL_LANDMARKS) -> RegisteredCoil:
    return register_coil(strip.table(), LineLayout.of(strip.line), rule)


def landmarks_of(strip: Strip) -> list[bool]:
    return [bool(landmark) for landmark in registered(strip).landmark]


def see_at(strip: Strip, place_m: float, *labels: str | None) -> Strip:
    """Put a label of each camera at a place; None: it missed it."""
    for camera, label in zip(EVERYBODY, labels, strict=True):
        if label is not None:
            strip.see(place_m, label, camera)
    return strip


@pytest.mark.parametrize(
    ("labels", "is_landmark"),
    [
        pytest.param(("welding_line",) * 3, True, id="all_call_it_a_weld"),
        pytest.param(("welding_line", "welding_line", "rolled_pit"), True, id="two_of_three"),
        pytest.param(("welding_line", "rolled_pit", None), True, id="half_of_those_who_saw_it"),
        pytest.param(("welding_line", "rolled_pit", "rolled_pit"), False, id="one_of_three"),
        pytest.param((None, None, "welding_line"), True, id="the_only_one_who_saw_it"),
        pytest.param(("rolled_pit",) * 3, False, id="nobody"),
        pytest.param(("punching_hole",) * 3, False, id="a_hole_away_from_a_weld"),
        pytest.param(("crescent_gap",) * 3, False, id="a_notch_away_from_a_weld"),
    ],
)
def test_a_weld_is_told_by_the_vote_of_the_cameras(labels: tuple[str | None, ...], *, is_landmark: bool) -> None:
    assert landmarks_of(see_at(Strip(a_line()), 50.5, *labels)) == [is_landmark]


@pytest.mark.parametrize(
    ("label", "at_m", "is_landmark"),
    [
        pytest.param("punching_hole", 1.2 + 1, True, id="hole_beside_the_weld"),
        pytest.param("punching_hole", -2.8, True, id="hole_before_the_weld"),
        pytest.param("crescent_gap", 2.6, True, id="notch_beside_the_weld"),
        pytest.param("punching_hole", 6.0, False, id="hole_six_metres_away"),
        pytest.param("crescent_gap", -6.0, False, id="notch_six_metres_away"),
        pytest.param("rolled_pit", 3.0, False, id="a_pit_beside_the_weld_is_a_defect"),
        pytest.param("rolled_pit", 1.0, True, id="on_the_frame_next_to_it_it_is_the_weld_misread"),
    ],
)
def test_what_stands_beside_a_weld(label: str, at_m: float, *, is_landmark: bool) -> None:
    strip = Strip(a_line()).see(50.5, "welding_line", *EVERYBODY).see(50.5 + at_m, label, *EVERYBODY)
    expected = [True, is_landmark] if at_m > 0 else [is_landmark, True]
    assert landmarks_of(strip) == expected


def test_sightings_of_landmarks_are_not_counted_as_defects() -> None:
    strip = Strip(a_line()).see(0.5, "welding_line", *EVERYBODY).see(50.5, "rolled_pit", "cam-2")
    assert registered(strip).sightings.tolist() == [0, 1, 0]


def test_on_a_material_without_welds_nothing_is_a_landmark() -> None:
    strip = Strip(a_line()).see(0.5, "welding_line", *EVERYBODY).see(1.5, "punching_hole", *EVERYBODY)
    assert registered(strip, NO_LANDMARKS).landmark.tolist() == [False, False]


@pytest.fixture
def frame() -> MonitorFrame:
    """The monitor of a steel line."""
    made = monitor_frame(a_line(), STEEL, pack_named("steel_strip"))
    assert made.landmarks == STEEL_LANDMARKS
    assert made.watched.tolist() == [False, True, True, True, True]
    return made


USUAL = WeldBook(with_weld=20.0, coils=20.0)


def events(strip: Strip, frame: MonitorFrame, book: WeldBook = USUAL) -> tuple[LandmarkEvent, ...]:
    return landmark_events(registered(strip), frame, replace(book))


def kinds(found: tuple[LandmarkEvent, ...]) -> list[tuple[str, str]]:
    return [(event.kind, event.defect_class) for event in found]


def test_marks_at_the_joint_are_seen(frame: MonitorFrame) -> None:
    strip = Strip(a_line()).see(0.5, "welding_line", *EVERYBODY).see(2.5, "punching_hole", "cam-1", "cam-2")
    found = events(strip, frame)
    assert kinds(found) == [("seen", "welding_line"), ("seen", "punching_hole")]
    assert found[1].cameras == ("cam-1", "cam-2")
    assert found[0].position_m == pytest.approx(0.5)


def test_a_weld_at_the_tail_is_at_a_joint_too(frame: MonitorFrame) -> None:
    assert kinds(events(Strip(a_line()).see(99.5, "welding_line", *EVERYBODY), frame)) == [
        ("seen", "welding_line")
    ]


def test_a_joint_without_a_weld_is_reported_on_a_line_that_usually_shows_one(frame: MonitorFrame) -> None:
    found = events(Strip(a_line()), frame)
    assert kinds(found) == [("missing", "welding_line")]
    assert (found[0].position_m, found[0].cameras) == (None, EVERYBODY)
    assert landmark_sentences("C-7", found) == ["Coil C-7: no welding line at its joint, although cameras looked."]


@pytest.mark.parametrize(
    "book",
    [
        pytest.param(WeldBook(), id="nothing_known"),
        pytest.param(WeldBook(4.0, 4.0), id="four_coils_are_too_few"),
        pytest.param(WeldBook(10.0, 20.0), id="every_second_coil_has_one"),
    ],
)
def test_a_joint_without_a_weld_is_no_news_elsewhere(book: WeldBook, frame: MonitorFrame) -> None:
    assert events(Strip(a_line()), frame, book) == ()


def test_one_camera_that_calls_the_joint_a_weld_is_enough_not_to_miss_it(frame: MonitorFrame) -> None:
    strip = see_at(Strip(a_line()), 0.5, "welding_line", "rolled_pit", "rolled_pit")
    assert "missing" not in [kind for kind, _ in kinds(events(strip, frame))]


def test_a_weld_within_the_coil_is_surplus(frame: MonitorFrame) -> None:
    strip = Strip(a_line()).see(0.5, "welding_line", *EVERYBODY).see(60.5, "welding_line", *EVERYBODY)
    found = events(strip, frame)
    assert kinds(found) == [("seen", "welding_line"), ("surplus", "welding_line")]
    assert found[1].position_m == pytest.approx(60.5)
    assert landmark_sentences("C-7", found) == ["Coil C-7: a welding line at 60.5 m, away from its joints."]


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(("welding_line", None, None), id="one_of_three_who_looked"),
        pytest.param(("welding_line", "rolled_pit", "rolled_pit"), id="the_others_say_pit"),
    ],
)
def test_a_doubtful_weld_within_the_coil_is_not_reported_as_surplus(
    labels: tuple[str | None, ...], frame: MonitorFrame
) -> None:
    strip = Strip(a_line()).see(0.5, "welding_line", *EVERYBODY)
    assert "surplus" not in [kind for kind, _ in kinds(events(see_at(strip, 60.5, *labels), frame))]


def test_two_of_five_cameras_are_too_few_for_a_surplus_weld() -> None:
    strip = Strip(a_line(range(1, 6), machines=5)).see(0.5, "welding_line", "cam-1", "cam-2", "cam-3")
    strip.see(60.5, "welding_line", "cam-1", "cam-2").see(60.5, "rolled_pit", "cam-3", "cam-4", "cam-5")
    frame = monitor_frame(strip.line, STEEL, pack_named("steel_strip"))
    assert "surplus" not in [kind for kind, _ in kinds(events(strip, frame))]


def test_a_material_without_welds_has_no_landmark_events() -> None:
    frame = monitor_frame(a_line(), STEEL, pack_named("generic"))
    strip = Strip(a_line()).see(60.5, "welding_line", *EVERYBODY)
    coil = register_coil(strip.table(), frame.layout, frame.landmarks)
    assert landmark_events(coil, frame, WeldBook(20.0, 20.0)) == ()
    assert frame.watched.all()


def test_the_book_learns_and_forgets() -> None:
    book = WeldBook()
    expected = []
    for number in range(60):
        book.note(seen=number < 30)
        expected.append(book.expects_welds)
    assert expected[4:6] == [False, True]
    assert expected[29:33] == [True] * 4
    assert not expected[-1]
    assert book.coils == pytest.approx((1 - 0.99**60) * 100)
    assert book.with_weld == pytest.approx((1 - 0.99**30) * 100 * 0.99**30)
