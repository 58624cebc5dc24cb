"""Who did it and since when: Bayes' rule over machine groups, cameras and 'false alarm'."""

from dataclasses import replace

import numpy as np
import pytest

from services.domain.monitoring import causes
from services.domain.monitoring.beginning import Beginning
from services.domain.monitoring.facts import FALSE_ALARM
from services.domain.monitoring.frame import RATIO_GRID
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import OpenFault, is_leak
from services.domain.monitoring.state import HISTORY_COILS
from tests.fakes.remembered_coils import FALSE, METRES, NORMAL, Past, a_failing, a_frame
from tests.fakes.simulated_coils import STEEL


def only(group: int, label: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    mask = np.zeros((3, len(STEEL)), dtype=np.bool_)
    mask[group, label] = True
    return mask


def test_with_nothing_unusual_it_is_a_false_alarm() -> None:
    found = Past().attribute()
    assert max(found.probabilities, key=lambda cause: found.probabilities[cause]) == FALSE_ALARM
    assert found.camera is None


@pytest.mark.parametrize(("group", "label"), [(0, 0), (1, 3), (2, 4)])
def test_the_group_and_class_whose_rate_rose_are_blamed(group: int, label: int) -> None:
    found = a_failing(group, label, 80).attribute()
    assert (found.group, found.defect_class, found.camera) == (group, label, None)
    assert found.probabilities[f"m{group + 1}"] > 0.99


@pytest.mark.parametrize("label", [None, 2], ids=["of_all_classes", "of_one_class"])
@pytest.mark.parametrize("camera", [0, 1, 2])
def test_a_camera_whose_false_calls_rose_is_blamed(camera: int, label: int | None) -> None:
    past = Past()
    for number in range(88, 100):
        past.invent(camera, number, FALSE * 20, label)
    found = past.attribute()
    assert found.camera == camera
    assert found.probabilities[f"camera:cam-{camera + 1}"] > 0.99


def test_probabilities_are_over_all_causes_and_sum_to_one() -> None:
    found = a_failing(1, 3, 92, ratio=4.0).attribute()
    assert set(found.probabilities) == {
        "m1", "m2", "m3", "camera:cam-1", "camera:cam-2", "camera:cam-3", FALSE_ALARM
    }  # fmt: skip
    assert sum(found.probabilities.values()) == pytest.approx(1.0)
    assert 0 < found.probabilities[FALSE_ALARM] < 1


def test_what_is_flagged_already_does_not_compete() -> None:
    past = a_failing(1, 3, 80, ratio=12.0)
    for number in range(95, 100):
        past.show(2, 4, number, NORMAL * 15)
        past.invent(0, number, FALSE * 120)
    assert past.attribute().camera == 0
    assert (past.attribute(flagged=[True, False, False]).group, past.attribute(flagged=True).camera) == (1, None)
    found = past.attribute(explained=only(1, 3), flagged=True)
    assert (found.group, found.defect_class) == (2, 4)
    assert found.probabilities["m3"] > 0.9


def test_a_class_that_points_to_a_machine_helps_it() -> None:
    """The material pack's priors count, but less than what the cameras show."""
    past = Past()
    for group in (0, 2):
        for number in range(80, 100):
            past.show(group, 3, number, NORMAL * 5)
    frame = a_frame()
    weight = frame.cause_weight.copy()
    weight[0, 3] *= 3.0
    none = np.zeros((3, len(STEEL)), dtype=np.bool_)
    even = causes.attribute(past.state, frame, none, none[0, :3])
    helped = causes.attribute(past.state, replace(frame, cause_weight=weight), none, none[0, :3])
    assert even.probabilities["m1"] == pytest.approx(even.probabilities["m3"])
    assert helped.probabilities["m1"] == pytest.approx(3 * helped.probabilities["m3"], rel=1e-3)


def test_a_class_that_is_not_watched_is_never_blamed() -> None:
    past = a_failing(1, 0, 85)
    frame = a_frame("steel_strip")
    assert not frame.watched[0]
    none = np.zeros((3, len(STEEL)), dtype=np.bool_)
    found = causes.attribute(past.state, frame, none, none[0, :3])
    assert found.defect_class != 0
    assert found.probabilities[FALSE_ALARM] > 0.5


@pytest.mark.parametrize("coils", [100, HISTORY_COILS + 77], ids=["a_short_past", "older_coils_are_forgotten"])
@pytest.mark.parametrize("ago", [8, 15, 40])
def test_the_onset_is_where_the_rate_rose(coils: int, ago: int) -> None:
    found = causes.onset_of_stream(a_failing(1, 3, coils - ago, coils=coils).state, 1, 3)
    assert abs(found.best - (coils - ago)) <= 1
    assert found.low <= coils - ago <= found.high
    assert coils - HISTORY_COILS <= found.low


def test_the_interval_of_the_onset_is_narrow_for_a_loud_fault_and_wide_for_a_soft_one() -> None:
    loud = causes.onset_of_stream(a_failing(1, 3, 80, ratio=25.0).state, 1, 3)
    soft = causes.onset_of_stream(a_failing(1, 3, 80, ratio=2.5).state, 1, 3)
    assert (loud.low, loud.best, loud.high) == (80, 80, 80)
    assert soft.high - soft.low > 5


def test_the_onset_of_a_cameras_false_calls() -> None:
    past = Past()
    for number in range(88, 100):
        past.invent(1, number, FALSE * 20)
    found = causes.onset_of_camera(past.state, 1)
    assert (found.low <= 88 <= found.high, found.best) == (True, 88)


def test_nothing_begins_before_its_chart_was_started_anew() -> None:
    """After a repair at coil 60, coils before it are no evidence of when the next fault began."""
    past = a_failing(1, 3, 95)
    monitor = LineMonitor(a_frame(), past.state)
    before = causes.onset_of_stream(past.state, 1, 3)
    past.state.ring_gain[:60, :, 1, 3] = 0.0
    past.state.ring_m[:60, 1, 3] = 0.0
    after = causes.onset_of_stream(past.state, 1, 3)
    assert (after.best, after.high) == (before.best, before.high)
    monitor.restart_chart(1, 3)
    monitor.restart_cameras(np.array([False, True, False]))
    for number in (97, 98, 99):
        past.state.ring_m[number] = METRES
        past.state.ring_camera_expected[number] = FALSE / len(STEEL)
        past.show(1, 3, number, NORMAL)
        past.invent(1, number, FALSE)
    assert causes.onset_of_stream(past.state, 1, 3).low >= 97
    assert causes.onset_of_camera(past.state, 1).low >= 97


def test_a_chart_that_was_started_anew_is_not_blamed_for_having_been() -> None:
    """Coils that are forgotten are no chances to have begun: three normal coils weigh less than a hundred."""
    past = Past()
    monitor = LineMonitor(a_frame(), past.state)
    monitor.restart_chart(1, 3)
    for number in (97, 98, 99):
        past.state.ring_m[number, 1, 3] = METRES
        past.show(1, 3, number, NORMAL)
    others = np.ones((3, len(STEEL)), dtype=np.bool_)
    others[1, 3] = others[2, 3] = False
    found = past.attribute(explained=others, flagged=True)
    assert found.probabilities["m2"] <= found.probabilities["m3"]


A_BEGINNING = Beginning("coil-85", "coil-84", "coil-86", "coil-90", 8500.0, 5100.0, 5400.0)


def a_fault(ratio: float = 5.0) -> OpenFault:
    rate = NORMAL / METRES
    return OpenFault(
        group=1, defect_class=3, alarm=90, onset=85, onset_low=84, onset_high=86, count=ratio * NORMAL * 15,
        metres=1500.0, normal_count=100.0, normal_m=100.0 / rate, peak=9.0, chart=9.0, limit=8.0,
        began=A_BEGINNING,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "share", "leak"),
    [
        pytest.param((2, 3), 0.2, True, id="same_class_a_fifth"),
        pytest.param((2, 3), 0.5, False, id="same_class_half"),
        pytest.param((1, 4), 0.2, True, id="same_group_a_fifth"),
        pytest.param((1, 4), 0.5, False, id="same_group_half"),
        pytest.param((2, 4), 0.02, True, id="unrelated_and_hardly_anything"),
        pytest.param((2, 4), 0.2, False, id="unrelated_a_fifth"),
    ],
)
def test_an_excess_that_an_open_fault_may_have_leaked_raises_no_second_flag(
    place: tuple[int, int], share: float, *, leak: bool
) -> None:
    fault = a_fault()
    excess = (fault.ratio - 1) * fault.normal
    assert is_leak(place, share * excess, [fault]) is leak
    assert is_leak(place, share * excess, []) is False


def test_the_excess_of_a_stream_counts_from_its_onset() -> None:
    past = a_failing(1, 3, 80, ratio=11.0)
    assert causes.excess_rate(past.state, 1, 3) == pytest.approx(10 * NORMAL / METRES, rel=1e-6)


def test_how_clear_a_cause_is_does_not_depend_on_how_likely_a_false_alarm_is() -> None:
    weights = {"m1": 0.3, "m2": 0.1, FALSE_ALARM: 0.6}
    assert causes.Attribution(weights, 0, 0, None).clearness == pytest.approx(0.75)


def test_the_likely_ratio_is_near_the_true_one_and_counts_doubtful_defects_too() -> None:
    assert causes.likely_ratio(a_failing(1, 3, 80, ratio=6.0).state, 1, 3, 80) == pytest.approx(6.0, rel=0.1)
    doubtful = Past()
    odds = np.full(40, 0.05)
    for number in range(90, 100):
        doubtful.state.ring_gain[number, :, 1, 3] = [np.log1p((ratio - 1) * odds).sum() for ratio in RATIO_GRID]
        doubtful.state.ring_count[number, 1, 3] = odds.sum()
    assert causes.likely_ratio(doubtful.state, 1, 3, 90) > 40
