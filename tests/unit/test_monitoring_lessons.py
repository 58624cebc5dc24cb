"""The learning coils are read again, all together: false calls end up as false calls, defects as defects."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from services.domain.monitoring import camera_book, lessons
from services.domain.monitoring.engine import take_coil
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import GROWING, MonitorState
from services.domain.registration.coil import register_coil
from services.domain.simulation.scenario import Scenario
from services.domain.topology import MonitoringPlan
from tests.fakes.simulated_coils import coils_of, pack_named, rows_of, scenario_named, watched_of

FALSE_PER_FRAME = 0.05
LEARNING = 4


@cache
def a_noisy_line() -> Scenario:
    """Every camera calls one clean frame in twenty a defect, a hundred times the usual."""
    scenario = scenario_named("baseline")
    eyes = tuple(replace(eye, false_per_frame=FALSE_PER_FRAME) for eye in scenario.eyes)
    line = replace(scenario.line, monitoring=MonitoringPlan(learning_coils=LEARNING))
    return replace(scenario, eyes=eyes, line=line)


def new_to(scenario: Scenario) -> LineMonitor:
    """Return a monitor that has seen nothing yet."""
    frame = monitor_frame(scenario.line, watched_of(scenario), pack_named(scenario.line.cameras[0].material))
    return LineMonitor(frame, MonitorState.new(frame))


def learnt_by(scenario: Scenario, coils: int) -> LineMonitor:
    """Return the monitor after some coils."""
    monitor = new_to(scenario)
    frame = monitor.frame
    for name, rows in coils_of(rows_of(scenario, 900_910, coils)):
        take_coil(monitor, name, register_coil(rows, frame.layout, frame.landmarks))
    return monitor


def false_rates(monitor: LineMonitor) -> np.ndarray:
    return camera_book.learnt(monitor.state, monitor.frame).false_per_frame


def test_a_few_coils_show_how_many_false_calls_there_are() -> None:
    before, after = learnt_by(a_noisy_line(), LEARNING - 1), learnt_by(a_noisy_line(), LEARNING)
    assert false_rates(before).min() < 0.6 * FALSE_PER_FRAME
    np.testing.assert_allclose(false_rates(after), FALSE_PER_FRAME, rtol=0.4)


def test_the_normal_rates_are_those_of_defects_and_not_of_false_calls() -> None:
    scenario, monitor = a_noisy_line(), learnt_by(a_noisy_line(), LEARNING)
    true_per_m = scenario.baseline.sum() / scenario.strip.frame_pitch_m
    assert monitor.state.rate.sum() == pytest.approx(true_per_m, rel=0.35)


def test_the_last_camera_is_taken_for_a_usual_one_since_nobody_can_contradict_it() -> None:
    rates = false_rates(learnt_by(a_noisy_line(), LEARNING))
    assert rates[-1] == pytest.approx(rates[:-1].mean(), rel=0.05)


def test_on_a_quiet_line_the_last_machine_is_not_taken_for_a_camera_that_invents() -> None:
    scenario = replace(scenario_named("baseline"), line=a_noisy_line().line)
    monitor = learnt_by(scenario, LEARNING)
    assert false_rates(monitor)[-1] < 0.005


def test_when_the_learning_ends_its_coils_are_forgotten_and_held_against_nobody() -> None:
    during, after = learnt_by(a_noisy_line(), LEARNING - 1).state, learnt_by(a_noisy_line(), LEARNING).state
    for name in GROWING:
        assert len(getattr(during, name)) > 0, name
        assert len(getattr(after, name)) == 0, name
    assert during.lesson_frames.any()
    assert not after.lesson_frames.any()
    for evidence in (after.ring_gain, after.ring_m, after.ring_camera, after.ring_camera_expected):
        assert not evidence.any()


def test_a_line_that_shows_very_much_is_learnt_from_its_first_coils_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels, frames and metres stay those of the same coils, so that rates stay what they are."""
    monkeypatch.setattr(lessons, "_MOST_LABELS", 60)
    first, later = learnt_by(a_noisy_line(), 1).state, learnt_by(a_noisy_line(), LEARNING - 1).state
    assert first.lesson_labels.size >= 60
    for name in (*sorted(GROWING), "lesson_frames"):
        np.testing.assert_array_equal(getattr(first, name), getattr(later, name), err_msg=name)
    monitor = learnt_by(a_noisy_line(), LEARNING)
    np.testing.assert_allclose(false_rates(monitor).mean(), FALSE_PER_FRAME, rtol=0.4)


def test_a_label_of_false_calls_is_learnt_from_all_cameras_but_one_camera_does_not_decide() -> None:
    monitor = new_to(a_noisy_line())
    calls = monitor.state.false_labels
    assert not calls.any()
    np.testing.assert_allclose(camera_book.false_label_shares(monitor.state), 1 / calls.shape[1])
    calls[:5, 3] = 8.0
    assert camera_book.false_label_shares(monitor.state)[5, 3] > 0.7
    calls[:] = 0.0
    calls[0, 3] = 5000.0
    shares = camera_book.false_label_shares(monitor.state)
    assert shares[0, 3] > 0.99
    assert shares[5, 3] < 0.6
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_a_label_that_a_camera_invents_today_is_expected_of_it_today() -> None:
    monitor = new_to(a_noisy_line())
    cameras, classes = monitor.state.false_labels.shape
    calls = np.zeros((cameras, classes))
    calls[2, 4] = 60.0
    frames, nobody = np.full(cameras, 200.0), np.zeros(cameras, dtype=np.bool_)
    now = camera_book.present(monitor.state, monitor.frame, calls, frames, nobody)
    assert now.false_labels[2, 4] > 0.8
    assert now.false_per_frame[2] > 10 * now.false_per_frame[1]
    np.testing.assert_allclose(now.false_labels[1], 1 / classes)
