from datetime import UTC, datetime, timedelta

import pytest

from dashboard.states import Rate, Sighting, State, judge_camera, judge_machine

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINDOW_S = 300.0
SILENT_AFTER_S = 10.0


def sighting(captured_ago_s: float, received_ago_s: float, frames: int, *, assigned: bool = True) -> Sighting:
    captured, received = NOW - timedelta(seconds=captured_ago_s), NOW - timedelta(seconds=received_ago_s)
    return Sighting(captured, received, frames, WINDOW_S, assigned)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="81_of_263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15_of_148"),
        pytest.param(0, 20, 0.0, 0.1611, id="0_of_20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1_of_29"),
    ],
)
def test_interval_agrees_with_newcombe_1998_table_1_method_3(
    events: int, trials: int, low: float, high: float
) -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, score method, no continuity correction.
    interval = Rate(trials, events).interval
    assert interval == pytest.approx((low, high), abs=5e-5)


def test_nobody_looked_is_not_a_rate_of_zero() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval is None
    assert Rate(50, 0).share == 0.0


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        pytest.param(sighting(0.5, 0.4, 6000), State.RUNNING, id="frames_of_now"),
        pytest.param(sighting(11, 11, 5800), State.SILENT, id="no_frame_for_longer_than_the_limit"),
        pytest.param(sighting(299.9, 299.9, 2), State.SILENT, id="last_frames_about_to_leave_the_window"),
        pytest.param(sighting(4000, 4000, 0), State.SILENT, id="no_frame_in_the_window"),
        pytest.param(sighting(60, 60, 5), State.RUNNING, id="a_camera_of_one_frame_a_minute"),
        pytest.param(sighting(240, 0.4, 900), State.BEHIND, id="old_frames_arrive_now"),
        pytest.param(sighting(-600, 0.4, 900), State.RUNNING, id="camera_clock_runs_ahead"),
        pytest.param(sighting(0.5, 0.4, 900, assigned=False), State.UNASSIGNED, id="in_no_line_file"),
        pytest.param(sighting(50, 50, 900, assigned=False), State.SILENT, id="in_no_line_file_and_silent"),
        pytest.param(Sighting(None, None, 0, WINDOW_S), State.NO_DATA, id="never_delivered"),
    ],
)
def test_camera_is_called_what_it_does(seen: Sighting, state: State) -> None:
    assert judge_camera(seen, NOW, SILENT_AFTER_S) is state


def test_silence_stays_silence_while_its_last_frames_leave_the_window() -> None:
    frames_per_s = 20
    for silent_s in range(11, 400):
        left = max(0, int((WINDOW_S - silent_s) * frames_per_s))
        assert judge_camera(sighting(silent_s, silent_s, left), NOW, SILENT_AFTER_S) is State.SILENT, silent_s


@pytest.mark.parametrize(
    ("cameras", "state"),
    [
        pytest.param([], State.NO_CAMERA, id="nobody_watches"),
        pytest.param([State.SILENT, State.RUNNING], State.RUNNING, id="one_of_two_runs"),
        pytest.param([State.SILENT, State.NO_DATA], State.SILENT, id="none_runs"),
        pytest.param([State.BEHIND, State.SILENT], State.BEHIND, id="only_old_frames"),
    ],
)
def test_machine_is_known_through_its_best_informed_camera(cameras: list[State], state: State) -> None:
    assert judge_machine(cameras) is state
