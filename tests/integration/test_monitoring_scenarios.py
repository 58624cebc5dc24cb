"""The monitor on the committed scenarios: the right machine, and nobody else."""

from collections.abc import Sequence

import pytest

from services.domain.monitoring.facts import Flag
from services.domain.monitoring.landmark_events import landmark_sentences
from tests.fakes.simulated_coils import Run, fresh_analysis, rows_of, run_of, scenario_named, shuffled, watch

SEED = 901_000


def named(flags: Sequence[Flag]) -> set[tuple[str, str | None]]:
    return {(flag.group_id, flag.defect_class) for flag in flags}


@pytest.mark.parametrize(
    ("cell", "machine", "defect_class"),
    [(2, "m1", "class_2"), (37, "m4", "class_7"), (59, "m6", "class_9")],
    ids=["first_machine", "inner_machine", "last_machine"],
)
def test_a_machine_that_fails_ten_fold_is_found(cell: int, machine: str, defect_class: str) -> None:
    run = watch(scenario_named("step_r10", cell), SEED + cell, 74)
    (flag,) = run.machine_flags
    assert (flag.group_id, flag.defect_class) == (machine, defect_class)
    assert flag.onset_low_coil <= "coil-000060" <= flag.onset_high_coil
    assert 60 <= int(flag.alarm_coil[-6:]) <= 72
    assert flag.probability > 5 * flag.runner_up_probability
    assert flag.ratio_low < 10 < flag.ratio_high
    assert flag.evidence


def test_machines_between_two_cameras_are_named_as_a_group() -> None:
    run = watch(scenario_named("cameras_1246", 22), SEED, 90)  # m3, class_2
    (flag,) = run.machine_flags
    assert (flag.group_id, flag.machine_ids, flag.defect_class) == ("m3+m4", ("m3", "m4"), "class_2")
    assert flag.severity in (2, 4)
    assert set(flag.member_posterior) == {"m3", "m4"}


def test_two_machines_that_fail_at_once_are_both_found() -> None:
    run = watch(scenario_named("two_faults", 3), SEED, 84)
    assert named(run.machine_flags) == {("m1", "class_3"), ("m3", "class_8")}


@pytest.fixture(scope="module")
def roll_mark() -> Run:
    return watch(scenario_named("roll_mark"), SEED, 72)


def test_the_roll_that_marks_the_strip_is_named(roll_mark: Run) -> None:
    (flag,) = roll_mark.machine_flags
    assert (flag.group_id, flag.defect_class, flag.severity) == ("m4", "rolled_pit", 4)
    assert flag.period_m == pytest.approx(1.61792, rel=2e-3)
    assert flag.matched_rolls == ("work-roll-top",)
    assert "a turn of work-roll-top" in flag.advice


def test_results_do_not_depend_on_the_order_of_rows() -> None:
    scenario = scenario_named("step_r10", 37)
    table = rows_of(scenario, SEED + 37, 74)
    again = run_of(shuffled(table), fresh_analysis(scenario))
    assert again.flags == watch(scenario, SEED + 37, 74).flags


def test_welds_at_every_joint_flag_nobody_and_one_missing_and_one_too_many_are_reported() -> None:
    run = watch(scenario_named("welds"), SEED + 1, 56)
    assert run.flags == ()
    said = [
        sentence
        for report in run.reports
        for sentence in landmark_sentences(report.outcome.name, report.landmarks)
    ]
    assert len(said) == 2
    assert said[0] == "Coil coil-000040: no welding line at its joint, although cameras looked."
    assert said[1].startswith("Coil coil-000050: a welding line at ")


def test_without_positions_and_coils_welds_and_clocks_serve() -> None:
    run = watch(scenario_named("time_only"), SEED + 1, 74)
    assert len(run.reports) == 75  # two frames before the first weld are a coil of their own
    assert named(run.machine_flags) == {("m3", "water_spot")}


@pytest.mark.parametrize("name", ["dirty_lens", "dead_camera", "blind_camera"])
def test_a_camera_in_trouble_flags_no_machine(name: str) -> None:
    run = watch(scenario_named(name), SEED, 84)
    assert run.machine_flags == []
    flagged = {flag.group_id for flag in run.camera_flags}
    assert flagged == (set() if name == "dead_camera" else {"camera:cam-3"})
