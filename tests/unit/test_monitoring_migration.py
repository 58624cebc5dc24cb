"""A line changes while it runs: a camera comes, goes or moves, a roll is ground. What is known stays known."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from services.domain.monitoring.analysis import LineAnalysis, analyse
from services.domain.monitoring.beginning import Beginning
from services.domain.monitoring.migration import move_to
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import CameraFault, OpenFault
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.simulation.scenario import Scenario
from services.domain.topology import Line, LineVersion, MonitoringPlan, Roll
from tests.fakes.simulated_coils import (
    START_S,
    Run,
    Strip,
    a_line,
    fresh_analysis,
    pack_named,
    rows_of,
    run_of,
    scenario_named,
)

CLASSES = ("rolled_pit", "oil_spot")
BEGAN = Beginning("coil-38", "coil-37", "coil-39", "coil-40", 3800.0, 1000.0, 1100.0)
PLAN = MonitoringPlan(learning_coils=10)


def a_monitor(line: Line) -> LineMonitor:
    """A monitor whose state is all different numbers, with two machine faults and two camera faults."""
    frame = monitor_frame(line, CLASSES, pack_named("generic"))
    state = MonitorState.new(frame)
    rng = np.random.default_rng(900_700)
    for each in fields(MonitorState):
        value = getattr(state, each.name)
        if isinstance(value, np.ndarray):
            value[:] = rng.uniform(1, 2, value.shape)
    state.coils, state.limit, state.limit_coils = 50, 8.0, 210
    state.ring_coils = [f"coil-{number}" for number in range(HISTORY_COILS)]
    monitor = LineMonitor(frame, state)
    monitor.sharpness = np.arange(1.0, len(line.cameras) + 1)
    monitor.faults = [a_fault(0), a_fault(len(frame.layout.groups) - 1)]
    monitor.camera_faults = [a_camera_fault(0), a_camera_fault(len(line.cameras) - 1)]
    return monitor


def a_fault(group: int) -> OpenFault:
    return OpenFault(group, 1, 40, 38, 37, 39, 20.0, 900.0, 50.0, 9000.0, 9.0, 9.0, 8.0, BEGAN)


def a_camera_fault(camera: int) -> CameraFault:
    return CameraFault(camera, "invents", 40, 38, 37, 39, 20.0, 1.0, 9.0, 8.0, "", BEGAN)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda line: replace(line, name="Another name"), id="renamed"),
        pytest.param(
            lambda line: replace(
                line,
                machines=(replace(line.machines[0], rolls=(Roll("roll", 498.2),)), *line.machines[1:]),
            ),
            id="a_roll_was_ground",
        ),
        pytest.param(lambda line: replace(line, speed_m_s=3.5), id="another_speed"),
        pytest.param(
            lambda line: replace(line, cameras=(line.cameras[0], replace(line.cameras[1], position_m=27.5))),
            id="a_camera_moved_between_the_same_machines",
        ),
    ],
)
def test_nothing_is_forgotten_when_cameras_and_groups_stay(change: Callable[[Line], Line]) -> None:
    line = a_line((1, 2), machines=2)
    monitor = a_monitor(line)
    before = monitor.state.copy()
    later = change(line)
    move_to(monitor, monitor_frame(later, CLASSES, pack_named("generic")))
    assert monitor.frame.layout.line is later
    for name, value in monitor.state.as_values().items():
        np.testing.assert_array_equal(value, getattr(before, name), err_msg=name)
    assert len(monitor.faults) == len(monitor.camera_faults) == 2


def moved(behind: tuple[int, ...], later: tuple[int, ...]) -> tuple[MonitorState, LineMonitor]:
    """Return the state before, and the monitor after cameras changed on a line of four machines."""
    monitor = a_monitor(a_line(behind, machines=4))
    before = monitor.state.copy()
    move_to(monitor, monitor_frame(a_line(later, machines=4), CLASSES, pack_named("generic")))
    return before, monitor


def test_a_camera_that_comes_divides_a_group_and_leaves_the_others_alone() -> None:
    before, monitor = moved((1, 4), (1, 2, 4))
    assert [group.group_id for group in monitor.frame.layout.groups] == ["m1", "m2", "m3+m4"]
    state = monitor.state
    np.testing.assert_array_equal(state.baseline_count[0], before.baseline_count[0])
    np.testing.assert_array_equal(state.baseline_m[0], before.baseline_m[0])
    np.testing.assert_array_equal(state.false_calls[[0, 2]], before.false_calls)
    np.testing.assert_array_equal(state.hits[[0, 2]], before.hits)
    np.testing.assert_array_equal(state.confusion, before.confusion)
    assert monitor.sharpness[[0, 2]].tolist() == [1.0, 2.0]
    assert np.isnan(monitor.sharpness[1])
    assert state.false_calls[1] / state.false_frames[1] == pytest.approx(1e-3)


def test_new_groups_are_taken_to_make_what_their_machines_made() -> None:
    """m2+m3+m4 was one group; a third each, until the new camera has told more."""
    before, monitor = moved((1, 4), (1, 2, 4))
    np.testing.assert_allclose(monitor.state.rate[1], before.rate[1] / 3)
    np.testing.assert_allclose(monitor.state.rate[2], before.rate[1] * 2 / 3)
    assert (monitor.state.baseline_count[1:] == 2.0).all()


def test_a_camera_that_goes_joins_groups_and_their_rates() -> None:
    before, monitor = moved((1, 2, 4), (1, 4))
    assert [group.group_id for group in monitor.frame.layout.groups] == ["m1", "m2+m3+m4"]
    np.testing.assert_allclose(monitor.state.rate[1], before.rate[1] + before.rate[2])
    np.testing.assert_array_equal(monitor.state.trials, before.trials[[0, 2]])


def test_machines_that_no_camera_saw_are_taken_for_average_ones() -> None:
    before, monitor = moved((1, 2), (1, 2, 4))
    np.testing.assert_allclose(monitor.state.rate[2], before.rate.sum(axis=0))


def test_faults_of_what_stays_are_kept_and_those_of_what_is_gone_are_closed() -> None:
    _, monitor = moved((1, 2, 4), (2, 4))
    assert [group.group_id for group in monitor.frame.layout.groups] == ["m1+m2", "m3+m4"]
    assert [fault.group for fault in monitor.faults] == [1]
    assert [fault.camera for fault in monitor.camera_faults] == [1]


def test_charts_start_anew_and_coils_are_counted_on() -> None:
    before, monitor = moved((1, 4), (1, 2, 4))
    state = monitor.state
    assert (state.coils, state.limit, state.limit_coils) == (50, 8.0, 51)
    assert state.ring_coils == before.ring_coils
    np.testing.assert_array_equal(state.ring_times, before.ring_times)
    for array in (state.excursion_count, state.ring_gain, state.camera_chart, state.blind_chart, state.ring_m):
        assert not array.any()


def test_a_line_that_changes_while_it_is_learnt_goes_on_learning() -> None:
    monitor = a_monitor(a_line((1, 4), machines=4))
    monitor.state.limit, monitor.state.limit_coils = float("inf"), 60
    move_to(monitor, monitor_frame(a_line((1, 2, 4), machines=4), CLASSES, pack_named("generic")))
    assert (monitor.state.limit, monitor.state.limit_coils) == (float("inf"), 60)


BUSY = 5.0
"""Times the usual defects: five times what the material pack assumes before anything is learnt."""


@cache
def a_busy_scenario() -> Scenario:
    scenario = scenario_named("baseline")
    line = replace(scenario.line, monitoring=PLAN)
    return replace(scenario, baseline=scenario.baseline * BUSY, line=line)


def changed_over(first: Line, second: Line, at_coil: int, seed: int) -> Run:
    """Run a line whose cameras change at the head of a coil."""
    scenario = a_busy_scenario()
    since = datetime.fromtimestamp(scenario.strip.start_s, UTC) + timedelta(
        seconds=at_coil * scenario.strip.coil_m / scenario.line.speed_m_s
    )
    table = rows_of(scenario, seed, 45)
    names = np.array(table.cameras)[table.camera]
    standing = [np.isin(names, [camera.camera_id for camera in line.cameras]) for line in (first, second)]
    table = table.take(np.where(table.coil < at_coil, *standing))
    return run_of(table, fresh_analysis(scenario, [first, replace(second, valid_from=since)]))


@pytest.mark.parametrize("comes", [True, False], ids=["two_cameras_come", "two_cameras_go"])
def test_a_change_of_cameras_flags_no_machine(comes: bool) -> None:
    every = a_busy_scenario().line
    four = replace(
        every, cameras=tuple(each for each in every.cameras if each.camera_id not in ("cam-3", "cam-5"))
    )
    run = changed_over(four, every, 25, 900_701) if comes else changed_over(every, four, 25, 900_701)
    assert len(run.reports) == 45
    assert run.analysis.monitor.frame.layout.line.cameras == (every if comes else four).cameras
    assert run.machine_flags == []


def test_flags_of_what_is_gone_are_reported_as_over() -> None:
    before, after = a_line((1, 2, 4), machines=4), a_line((2, 4), machines=4)
    since = datetime.fromtimestamp(START_S, UTC)
    versions = [LineVersion(before, None, since), LineVersion(after, since, None)]
    analysis = LineAnalysis(versions, CLASSES, pack_named("generic"))
    analysis.monitor = a_monitor(before)
    report = analysis.take("coil-51", Strip(after, classes=CLASSES).table())
    over = {flag.group_id for flag in report.flags if flag.cleared_coil is not None}
    still = {flag.group_id for flag in report.flags if flag.cleared_coil is None}
    assert {"m1", "camera:cam-1"} <= over
    assert "m3+m4" in still


def test_a_camera_that_came_later_is_placed_where_it_stands() -> None:
    before, after = a_line((1, 3)), a_line((1, 2, 3))
    since = datetime.fromtimestamp(START_S, UTC)
    versions = [LineVersion(before, None, since), LineVersion(after, since, None)]
    table = Strip(after, coil=None, classes=CLASSES).see(50.0, CLASSES[0], "cam-2", "cam-3").table(positions=False)
    analysis = LineAnalysis(versions, CLASSES, pack_named("generic"))
    born = [report.outcome.coil.labels for report in analyse(table, analysis)]
    assert [labels.tolist() for labels in born] == [[[-1, 0, 0]]]
