"""What the monitor learns of its cameras, and how it keeps cameras in trouble from accusing machines."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.domain.attribution.likelihood import NOT_LOOKED, NOT_SEEN, Labels
from services.domain.attribution.posterior import Posterior
from services.domain.monitoring import camera_book
from services.domain.monitoring.analysis import LineAnalysis
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.masking import without_cameras, without_sightings
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import MonitorState
from services.domain.registration.coil import RegisteredCoil, register_coil
from services.domain.simulation.faults import CameraFault, CameraFaultKind
from services.domain.simulation.scenario import Eye
from tests.fakes.simulated_coils import (
    NO_LANDMARKS,
    STEEL,
    Run,
    Strip,
    a_line,
    pack_named,
    scenario_named,
    watch,
)

PIT, OIL = STEEL.index("rolled_pit"), STEEL.index("oil_spot")
EVERYBODY = ("cam-1", "cam-2", "cam-3")
NOBODY = np.zeros(3, dtype=np.bool_)


def a_frame() -> MonitorFrame:
    return monitor_frame(a_line(), STEEL, pack_named("generic"))


def labels_of(*patterns: str) -> Labels:
    """Read '1.0' as: seen, did not look, looked and saw nothing; labels are pits."""
    codes = {"1": PIT, "0": NOT_SEEN, ".": NOT_LOOKED}
    return np.array([[codes[each] for each in pattern] for pattern in patterns], dtype=np.int16)


def surely_born(defects: int, false: float = 0.0) -> Posterior:
    born = np.zeros((defects, 3, len(STEEL)))
    born[:, 0, PIT] = 1 - false
    return Posterior(born, np.full(defects, false))


def learnt_from(
    labels: Labels, where: Posterior, frames: int = 1000, doubtful: npt.NDArray[np.bool_] = NOBODY
) -> MonitorState:
    state = MonitorState.new(a_frame())
    camera_book.learn(state, labels, where, np.full(3, frames), doubtful)
    return state


@pytest.mark.parametrize(
    ("pattern", "trials", "hits"),
    [
        pytest.param("111", [0, 1, 0], [0, 1, 0], id="seen_on_both_sides_and_here"),
        pytest.param("101", [0, 1, 0], [0, 0, 0], id="seen_on_both_sides_and_missed_here"),
        pytest.param("1.1", [0, 0, 0], [0, 0, 0], id="it_did_not_look"),
        pytest.param("011", [0, 0, 0], [0, 0, 0], id="born_perhaps_behind_the_first"),
        pytest.param("110", [0, 0, 0], [0, 0, 0], id="perhaps_worn_off"),
    ],
)
def test_a_camera_is_tried_by_defects_seen_before_and_behind_it(
    pattern: str, trials: list[int], hits: list[int]
) -> None:
    state = learnt_from(labels_of(pattern), surely_born(1))
    assert state.trials[:, PIT].tolist() == trials
    assert state.hits[:, PIT].tolist() == hits


def test_false_calls_are_counted_by_their_chance_and_by_label() -> None:
    state = learnt_from(labels_of("100", "001", "011"), surely_born(3, false=0.25))
    before = MonitorState.new(a_frame())
    fade = 1 - 1 / camera_book.MEMORY_COILS
    np.testing.assert_allclose(state.false_calls - fade * before.false_calls, [0.25, 0.25, 0.5])
    np.testing.assert_allclose((state.false_labels - fade * before.false_labels)[:, PIT], [0.25, 0.25, 0.5])
    np.testing.assert_allclose(state.false_frames - fade * before.false_frames, 1000.0)


def test_a_camera_in_doubt_is_not_learnt_from() -> None:
    doubtful = np.array([False, False, True])
    state = learnt_from(labels_of("001", "001"), surely_born(2, false=0.9), doubtful=doubtful)
    before = MonitorState.new(a_frame())
    assert state.false_calls[2] == before.false_calls[2]
    assert state.false_frames[2] == before.false_frames[2]
    assert state.recent_false[2] == pytest.approx(1.8)


def test_labels_are_learnt_against_the_class_they_most_likely_are() -> None:
    labels = labels_of("111")
    labels[0, 2] = OIL
    state = learnt_from(labels, surely_born(1))
    before = MonitorState.new(a_frame())
    fade = 1 - 1 / camera_book.MEMORY_COILS
    gained = state.confusion - fade * before.confusion
    np.testing.assert_allclose(gained[PIT, [PIT, OIL]], [2.0, 1.0])
    assert gained[OIL].sum() == pytest.approx(0.0, abs=1e-12)


def test_without_any_trial_every_camera_is_taken_for_typical() -> None:
    sensitivity = camera_book.sensitivities(MonitorState.new(a_frame()))
    np.testing.assert_allclose(sensitivity, 0.85)


def test_the_first_and_last_camera_are_taken_to_be_as_good_as_the_others() -> None:
    state = MonitorState.new(a_frame())
    state.trials[1], state.hits[1] = 1e6, 0.6e6
    np.testing.assert_allclose(camera_book.sensitivities(state), 0.6, rtol=0.01)


def test_a_class_that_is_hard_to_see_is_hard_for_the_first_and_last_camera_too() -> None:
    state = MonitorState.new(a_frame())
    state.trials[1], state.hits[1] = 1e6, 0.9e6
    state.hits[1, OIL] = 0.3e6
    sensitivity = camera_book.sensitivities(state)
    assert sensitivity[1, OIL] == pytest.approx(0.3, abs=0.01)
    assert (sensitivity[[0, 2], OIL] < 0.4).all()
    assert (sensitivity[[0, 2], PIT] > 0.8).all()


@cache
def after_a_hundred_coils() -> LineAnalysis:
    """Cameras that differ in what they see and invent; nothing breaks."""
    scenario = scenario_named("baseline")
    sees, invents = (0.9, 0.95, 0.6, 0.8, 0.7, 0.9), (5e-4, 5e-4, 8e-3, 5e-4, 5e-4, 5e-4)
    eyes = tuple(Eye(np.full(10, share), false) for share, false in zip(sees, invents, strict=True))
    scenario = replace(
        scenario, eyes=eyes, baseline=scenario.baseline * 3, strip=replace(scenario.strip, coils=100)
    )
    return watch(scenario, 900_500, 100).analysis


def test_capture_recapture_finds_the_sensitivity_of_the_inner_cameras() -> None:
    monitor = after_a_hundred_coils().monitor
    found = camera_book.sensitivities(monitor.state).mean(axis=1)
    np.testing.assert_allclose(found[1:5], [0.95, 0.6, 0.8, 0.7], atol=0.04)


def test_false_calls_of_each_camera_are_found() -> None:
    monitor = after_a_hundred_coils().monitor
    found = camera_book.learnt(monitor.state, monitor.frame).false_per_frame
    assert found[2] == pytest.approx(8e-3, rel=0.35)
    assert (found[[0, 1, 3, 4]] < 2e-3).all()  # nobody confirms the last camera: it is not identifiable


def test_the_confusion_of_classes_is_found() -> None:
    """The protocol's shares of right labels, 0.55 to 0.96; the assumed one was 0.8 for every class."""
    monitor = after_a_hundred_coils().monitor
    confusion = camera_book.learnt(monitor.state, monitor.frame).confusion
    np.testing.assert_allclose(confusion.sum(axis=1), 1.0)
    truth = np.array([0.55, 0.92, 0.66, 0.72, 0.95, 0.75, 0.84, 0.80, 0.89, 0.96])
    found = np.diagonal(confusion)[: len(truth)]
    assert np.corrcoef(found, truth)[0, 1] > 0.95
    np.testing.assert_allclose(found, truth, atol=0.1)


def registered(strip: Strip) -> RegisteredCoil:
    return register_coil(strip.table(), a_frame().layout, NO_LANDMARKS)


def a_coil() -> RegisteredCoil:
    strip = Strip(a_line(), looks={"cam-3": (0.0, 60.0)})
    strip.see(10.5, "rolled_pit", *EVERYBODY).see(20.5, "oil_spot", "cam-2").see(
        30.5, "rolled_pit", "cam-1", "cam-2"
    )
    return registered(strip)


def test_a_masked_camera_did_not_look_and_what_it_alone_saw_is_gone() -> None:
    coil = without_cameras(a_coil(), np.array([False, True, False]))
    assert coil.labels.tolist() == [[PIT, NOT_LOOKED, PIT], [PIT, NOT_LOOKED, NOT_SEEN]]
    assert coil.place_m.tolist() == [10.5, 30.5]
    assert coil.rows[:, 1].tolist() == [-1, -1]
    assert coil.frames.tolist() == [100, 0, 60]
    assert coil.inspected_m.tolist() == pytest.approx([100.0, 0.0, 60.0])
    assert not coil.looked[:, 1].any()
    assert coil.sightings.tolist() == [2, 0, 1]
    assert coil.looked_m.sum() == pytest.approx(100.0)


def test_masking_nobody_changes_nothing() -> None:
    coil = a_coil()
    assert without_cameras(coil, NOBODY) is coil
    assert without_sightings(coil, 1, np.zeros(3, dtype=np.bool_)) is coil


def test_a_blemish_is_taken_out_and_the_rest_of_its_camera_stays() -> None:
    coil = without_sightings(a_coil(), 1, np.array([True, True, False]))
    assert coil.labels.tolist() == [[PIT, NOT_LOOKED, PIT], [PIT, PIT, NOT_SEEN]]
    assert coil.frames.tolist() == [100, 100, 60]
    assert coil.sightings.tolist() == [2, 1, 1]


def a_troubled_run(kind: CameraFaultKind, camera: str, **changes: Any) -> Run:
    scenario = scenario_named("baseline")
    fault = CameraFault(camera, kind, 26, **changes)
    return watch(replace(scenario, camera_faults=(fault,)), 900_501, 50)


@pytest.mark.parametrize(
    ("kind", "changes", "detector"),
    [
        pytest.param(CameraFaultKind.BLIND, {}, "blind", id="blind"),
        pytest.param(CameraFaultKind.DIRTY_LENS, {"defect_class": "class_4"}, "dirty_lens", id="dirty"),
        pytest.param(CameraFaultKind.FALSE_POSITIVES, {"factor": 60.0}, "invents", id="invents"),
    ],
)
def test_a_camera_in_trouble_is_flagged_itself_and_no_machine_is(
    kind: CameraFaultKind, changes: dict[str, object], detector: str
) -> None:
    run = a_troubled_run(kind, "cam-3", **changes)
    assert run.machine_flags == []
    flag = next(flag for flag in run.camera_flags if flag.group_id == "camera:cam-3")
    assert flag.detector == detector
    assert flag.machine_ids == ()
    assert flag.defect_class is None
    assert "coil-000026" <= flag.alarm_coil <= "coil-000045"
    assert flag.advice
    assert "cam-3" in flag.reason or "same place of the image" in flag.reason


def test_a_dead_camera_raises_no_flag_and_its_silence_is_reported() -> None:
    run = a_troubled_run(CameraFaultKind.DEAD, "cam-3")
    assert run.flags == ()
    reports = run.reports[26:]
    for report in reports:
        assert [(camera, finding.kind.value) for camera, finding in report.outcome.check.findings] == [
            (2, "silent")
        ]
        assert report.outcome.coil.inspected_m[2] == 0.0
    assert not any(report.outcome.check.findings for report in run.reports[:26])


def test_a_blind_camera_stops_counting_as_one_that_looks() -> None:
    run = a_troubled_run(CameraFaultKind.BLIND, "cam-3")
    flagged = next(n for n, report in enumerate(run.reports) if report.outcome.cameras_raised)
    assert run.reports[flagged].outcome.coil.inspected_m[2] > 0
    assert all(report.outcome.coil.inspected_m[2] == 0.0 for report in run.reports[flagged + 1 :])


def test_a_camera_that_sees_again_is_cleared_once_and_for_all() -> None:
    run = a_troubled_run(CameraFaultKind.BLIND, "cam-3", until_coil=38)
    (flag,) = run.flags
    assert flag.cleared_coil is not None
    assert "coil-000038" < flag.cleared_coil < "coil-000046"
    assert run.reports[-1].outcome.coil.inspected_m[2] > 0


def test_a_group_that_only_an_inventing_camera_sees_is_not_judged() -> None:
    """Nobody can confirm the last camera; once it is flagged, its machine's charts say nothing."""
    run = a_troubled_run(CameraFaultKind.FALSE_POSITIVES, "cam-6", factor=150.0)
    assert run.machine_flags == []
    assert {flag.group_id for flag in run.camera_flags} == {"camera:cam-6"}
    monitor = run.analysis.monitor
    assert monitor.unjudged.all(axis=1).tolist() == [False] * 5 + [True]
    assert not monitor.state.excursion_count[5].any()


def test_a_camera_that_goes_on_inventing_stays_flagged_and_leaves_every_group_judged() -> None:
    """By chance it invents nothing on some coils; that is not the end of it."""
    run = a_troubled_run(CameraFaultKind.FALSE_POSITIVES, "cam-3", factor=60.0)
    assert [(flag.group_id, flag.cleared_coil) for flag in run.flags] == [("camera:cam-3", None)]
    assert min(report.outcome.standing.reading.camera_calls[2] for report in run.reports[28:]) < 0.1
    assert not run.analysis.monitor.unjudged.any()


def test_a_camera_that_invents_no_more_is_cleared() -> None:
    run = a_troubled_run(CameraFaultKind.FALSE_POSITIVES, "cam-3", factor=60.0, until_coil=36)
    (flag,) = run.flags
    assert flag.cleared_coil is not None
    assert "coil-000036" < flag.cleared_coil < "coil-000046"


def test_a_camera_that_is_mended_is_cleared_and_can_be_flagged_again() -> None:
    scenario = scenario_named("baseline")
    faults = (
        CameraFault("cam-3", CameraFaultKind.DIRTY_LENS, 24, 30, defect_class="class_4"),
        CameraFault("cam-3", CameraFaultKind.DIRTY_LENS, 40, defect_class="class_4"),
    )
    run = watch(replace(scenario, camera_faults=faults), 900_502, 44)
    dirty = sorted((f for f in run.camera_flags if f.detector == "dirty_lens"), key=lambda flag: flag.alarm_coil)
    assert [(flag.alarm_coil, flag.cleared_coil) for flag in dirty] == [
        ("coil-000024", "coil-000034"),
        ("coil-000040", None),
    ]
    assert dirty[0].flag_id != dirty[1].flag_id


def test_a_machine_that_fails_behind_a_camera_that_invents_is_still_found() -> None:
    scenario = scenario_named("step_r10", 24)  # m3, class_4
    fault = replace(scenario.faults[0], onset_coil=34, factor=15.0)
    camera = CameraFault("cam-5", CameraFaultKind.FALSE_POSITIVES, 26, factor=60.0)
    run = watch(replace(scenario, faults=(fault,), camera_faults=(camera,)), 900_503, 44)
    assert [(flag.group_id, flag.defect_class) for flag in run.machine_flags] == [("m3", "class_4")]
    assert "camera:cam-5" in {flag.group_id for flag in run.camera_flags}
    assert run.machine_flags[0].probability > 0.5
