"""What a flag says: id, severity, onset, certainty, advice; when it is over, and what people change."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from services.contracts.flag_document import flag_document
from services.domain.monitoring.beginning import Beginning
from services.domain.monitoring.camera_flagging import camera_flag
from services.domain.monitoring.evidence_log import Entry, EvidenceLog
from services.domain.monitoring.facts import FALSE_ALARM, Flag, FlagKind
from services.domain.monitoring.flagging import FlagContext, machine_flag, worst_first
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import CLEAR_NATS, CameraFault, OpenFault
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.topology import Machine
from tests.fakes.simulated_coils import (
    STEEL,
    Run,
    a_line,
    fresh_analysis,
    pack_named,
    rows_of,
    run_of,
    scenario_named,
    watch,
)

BEGAN = Beginning("coil-85", "coil-84", "coil-86", "coil-90", 8500.0, 5100.0, 5400.0)
PIT = STEEL.index("rolled_pit")


def a_frame(behind: tuple[int, ...] = (1, 2, 3)) -> MonitorFrame:
    line = a_line(behind)
    machines = (line.machines[0], replace(line.machines[1], kind="skin_pass_mill"), line.machines[2])
    return monitor_frame(replace(line, machines=machines), STEEL, pack_named("steel_strip"))


def a_context(frame: MonitorFrame | None = None, log: EvidenceLog | None = None) -> FlagContext:
    frame = frame or a_frame()
    state = MonitorState.new(frame)
    state.coils = 95
    state.ring_coils = [f"coil-{number}" for number in range(HISTORY_COILS)]
    return FlagContext(frame, state, log or EvidenceLog(), pack_named("steel_strip"))


def a_fault(**changes: object) -> OpenFault:
    """Return m2's pits at ten times their rate, hardly a doubt."""
    fault = OpenFault(
        group=1, defect_class=PIT, alarm=90, onset=85, onset_low=84, onset_high=86, count=20.0, metres=1000.0,
        normal_count=50.0, normal_m=25_000.0, peak=12.0, chart=9.0, limit=8.0, began=BEGAN,
        posterior={"m1": 0.03, "m2": 0.96, "camera:cam-3": 0.004, FALSE_ALARM: 0.006},
    )  # fmt: skip
    for name, value in changes.items():
        setattr(fault, name, value)
    return fault


def the_flag(**changes: object) -> Flag:
    return machine_flag(a_fault(**changes), a_context(), cleared=False)


def test_a_flag_says_what_since_when_and_how_often() -> None:
    flag = the_flag()
    assert (flag.kind, flag.group_id, flag.machine_ids, flag.defect_class) == (
        FlagKind.MACHINE, "m2", ("m2",), "rolled_pit"
    )  # fmt: skip
    assert (flag.onset_coil, flag.onset_low_coil, flag.onset_high_coil) == ("coil-85", "coil-84", "coil-86")
    assert (flag.alarm_coil, flag.last_coil, flag.coils_since_onset) == ("coil-90", "coil-94", 10)
    assert (flag.rate_per_km, flag.baseline_per_km, flag.rate_ratio) == pytest.approx((20.0, 2.0, 10.0))
    assert (flag.statistic, flag.peak, flag.threshold) == (9.0, 12.0, 8.0)
    assert flag.probability == 0.96
    assert "rolled pit from m2 is 10.0 times as frequent" in flag.reason
    assert "since coil coil-85; probability 96%" in flag.reason


def test_the_interval_of_the_ratio_ends_where_the_conditional_test_turns() -> None:
    flag = the_flag()
    low, high = (end * 1000.0 / (end * 1000.0 + 25_000.0) for end in (flag.ratio_low, flag.ratio_high))
    assert stats.binomtest(20, 70, low, alternative="greater").pvalue == pytest.approx(0.025, rel=1e-6)
    assert stats.binomtest(20, 70, high, alternative="less").pvalue == pytest.approx(0.025, rel=1e-6)


def test_the_runner_up_is_the_second_cause_that_is_no_false_alarm() -> None:
    flag = the_flag(posterior={"m1": 0.1, "m2": 0.5, "camera:cam-3": 0.15, FALSE_ALARM: 0.25})
    assert (flag.runner_up, flag.runner_up_probability) == ("camera:cam-3", 0.15)


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        pytest.param({"count": 20.0, "metres": 1000.0}, 4, id="surely_five_fold"),
        pytest.param({"count": 12.0, "metres": 1000.0}, 3, id="surely_two_fold_and_one_machine"),
        pytest.param({"count": 4.0, "metres": 1000.0}, 2, id="not_surely_two_fold"),
        pytest.param(
            {"count": 12.0, "posterior": {"m2": 0.89, "m1": 0.11}}, 2, id="surely_two_fold_but_which_machine"
        ),
        pytest.param({"count": 20.0, "posterior": {"m2": 0.5, "m1": 0.5}}, 4, id="five_fold_whoever_it_is"),
    ],
)
def test_severity(changes: dict[str, object], severity: int) -> None:
    assert the_flag(**changes).severity == severity


def test_a_group_is_named_and_never_gets_severity_three() -> None:
    context = a_context(a_frame((1, 3)))
    fault = a_fault(count=12.0, posterior={"m2+m3": 0.99})
    flag = machine_flag(fault, context, cleared=False)
    assert (flag.group_id, flag.machine_ids, flag.severity) == ("m2+m3", ("m2", "m3"), 2)
    assert "m2 and m3: no camera tells them apart" in flag.advice
    assert "from m2 or m3" in flag.reason
    assert set(flag.member_posterior) == {"m2", "m3"}
    assert sum(flag.member_posterior.values()) == pytest.approx(1.0)
    # Pits point to mills: a prior from the material pack, no camera tells.
    assert flag.member_posterior["m2"] > flag.member_posterior["m3"]


def test_the_same_alarm_has_the_same_id_and_another_one_has_not() -> None:
    same = the_flag(count=30.0, peak=20.0, loss=100.0).flag_id
    assert same == the_flag().flag_id
    others = [
        the_flag(began=replace(BEGAN, alarm_coil="coil-91")),
        the_flag(group=0),
        the_flag(defect_class=PIT + 1),
    ]
    assert len({same, *(flag.flag_id for flag in others)}) == 4


def test_a_flag_keeps_its_id_and_dates_when_its_coils_are_forgotten() -> None:
    """A fault that stays open for longer than the monitor looks back is the same fault still."""
    early = machine_flag(a_fault(), a_context(), cleared=False)
    context = a_context()
    context.state.coils = 95 + 3 * HISTORY_COILS
    context.state.ring_coils[:] = [f"later-{number}" for number in range(HISTORY_COILS)]
    late = machine_flag(a_fault(), context, cleared=False)
    assert late.flag_id == early.flag_id
    assert (late.onset_coil, late.alarm_coil, late.onset_at, late.alarm_at) == (
        early.onset_coil, early.alarm_coil, early.onset_at, early.alarm_at
    )  # fmt: skip
    assert late.last_coil == "later-94"
    camera = a_camera_fault()
    assert (
        camera_flag(camera, context, cleared=False).flag_id
        == camera_flag(camera, a_context(), cleared=False).flag_id
    )


def test_evidence_is_the_clearest_frames_since_the_onset_newest_first() -> None:
    entries = [Entry(80, 1, PIT, 0.99, 8000.0, "before the onset", 0)]
    entries += [Entry(85 + n // 3, 1, PIT, 0.5 + n / 100, 8500.0 + n, f"frame-{n:02d}", 0) for n in range(20)]
    entries += [Entry(90, 0, PIT, 0.99, 9000.0, "another machine", 0), Entry(90, 1, 0, 0.99, 9000.0, "a weld", 0)]
    flag = machine_flag(a_fault(), a_context(log=EvidenceLog(iter(entries))), cleared=False)
    assert flag.evidence == tuple(f"frame-{n:02d}" for n in range(19, 7, -1))


def test_advice_comes_from_the_material_pack_and_names_the_roll() -> None:
    plain = the_flag()
    marked = the_flag(period_m=1.6179, rolls=["work-roll-top", "work-roll-bottom"])
    assert plain.advice
    assert marked.advice == (
        f"{plain.advice} The marks repeat every 1.618 m, a turn of work-roll-top or work-roll-bottom."
    )
    assert (marked.period_m, marked.matched_rolls) == (1.6179, ("work-roll-top", "work-roll-bottom"))
    other = machine_flag(a_fault(group=0), a_context(), cleared=False)
    assert other.advice != plain.advice  # a skin-pass mill is told something else than a machine of no kind


def a_camera_fault(kind: str = "invents") -> CameraFault:
    return CameraFault(
        camera=1, kind=kind, alarm=90, onset=85, onset_low=84, onset_high=86, calls=60.0, expected=3.0, peak=11.0,
        limit=8.0, reason="", began=BEGAN, posterior={"camera:cam-2": 0.9, "m1": 0.1},
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["invents", "dirty_lens", "blind"])
def test_a_cameras_flag_names_the_camera_and_no_machine(kind: str) -> None:
    flag = camera_flag(a_camera_fault(kind), a_context(), cleared=False)
    assert (flag.kind, flag.group_id, flag.machine_ids, flag.defect_class, flag.severity) == (
        FlagKind.CAMERA, "camera:cam-2", (), None, 2
    )  # fmt: skip
    assert flag.detector == kind
    assert flag.reason.startswith("cam-2 ")
    assert (flag.probability, flag.runner_up) == (0.9, "m1")
    assert flag.quality_loss is None


def test_what_pictures_said_of_a_camera_is_its_reason() -> None:
    fault = a_camera_fault("dirty_lens")
    fault.reason = "12 of 13 frames show it at the same place of the image."
    assert camera_flag(fault, a_context(), cleared=False).reason == fault.reason


def test_a_cleared_flag_says_since_when() -> None:
    assert machine_flag(a_fault(), a_context(), cleared=True).cleared_coil == "coil-94"
    assert the_flag().cleared_coil is None
    assert camera_flag(a_camera_fault(), a_context(), cleared=True).cleared_coil == "coil-94"


def test_flags_are_listed_by_severity_then_money_then_evidence() -> None:
    flags = [
        the_flag(count=12.0, loss=900.0),
        the_flag(loss=10.0, peak=9.0),
        the_flag(loss=10.0, peak=30.0),
        the_flag(loss=50.0, peak=9.0),
    ]
    assert worst_first(tuple(flags)) == (flags[3], flags[2], flags[1], flags[0])


def test_the_document_of_a_flag_is_plain_json_without_infinities() -> None:
    document = flag_document(camera_flag(a_camera_fault(), a_context(), cleared=False))
    assert document["camera_id"] == "cam-2"
    assert document["machine_id"] is None
    assert document["ratio_ci_high"] is None
    group = flag_document(machine_flag(a_fault(), a_context(a_frame((1, 3))), cleared=False))
    assert (group["machine_id"], group["machine_ids"]) == (None, ["m2", "m3"])
    assert list(group["member_prior"]) == ["m2", "m3"]
    assert flag_document(the_flag())["machine_id"] == "m2"


def test_the_evidence_log_forgets_coils_that_nobody_looks_back_on() -> None:
    run = the_run()
    numbers = [entry.number for entry in run.analysis.monitor.log]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 59
    assert all(entry.weight >= 0.3 for entry in run.analysis.monitor.log)


@cache
def the_run() -> Run:
    """Machine m1 makes fifteen times as many of class_3 from coil 25 on, until it is repaired at coil 45."""
    scenario = scenario_named("step_r10", 3)
    fault = replace(scenario.faults[0], factor=15.0, onset_coil=25, until_coil=45)
    return watch(replace(scenario, faults=(fault,)), 900_800, 60)


def test_one_cause_has_one_open_flag_that_follows_it() -> None:
    run = the_run()
    (flag,) = run.flags
    assert (flag.group_id, flag.defect_class) == ("m1", "class_3")
    seen = [each for report in run.reports for each in report.flags]
    assert {each.flag_id for each in seen} == {flag.flag_id}
    assert [each.coils_since_onset for each in seen] == sorted(each.coils_since_onset for each in seen)
    assert len(seen) == len({each.last_coil for each in seen})


def test_a_flag_is_cleared_when_the_process_is_back_in_control_and_not_by_one_good_coil() -> None:
    (flag,) = the_run().flags
    assert flag.cleared_coil is not None
    assert "coil-000047" <= flag.cleared_coil <= "coil-000059"
    assert pytest.approx(np.log(1000.0)) == CLEAR_NATS


def test_a_cleared_cause_can_be_flagged_again_under_another_id() -> None:
    scenario = scenario_named("step_r10", 3)
    again = (
        replace(scenario.faults[0], factor=15.0, onset_coil=25, until_coil=32),
        replace(scenario.faults[0], factor=15.0, onset_coil=52),
    )
    run = watch(replace(scenario, faults=again), 900_802, 60)
    flags = sorted(run.machine_flags, key=lambda flag: flag.alarm_coil)
    assert [(flag.group_id, flag.defect_class) for flag in flags] == [("m1", "class_3")] * 2
    assert flags[0].cleared_coil is not None
    assert "coil-000052" <= flags[1].onset_coil <= flags[1].alarm_coil
    assert flags[0].flag_id != flags[1].flag_id


def an_open_fault() -> LineMonitor:
    scenario = scenario_named("step_r10", 3)
    fault = replace(scenario.faults[0], factor=15.0, onset_coil=25)
    monitor = watch(replace(scenario, faults=(fault,)), 900_800, 32).analysis.monitor
    assert [(each.group, each.defect_class) for each in monitor.faults] == [(0, 3)]
    return monitor


def test_a_repair_closes_the_faults_of_the_machine_and_starts_its_charts_anew() -> None:
    monitor = an_open_fault()
    normal = monitor.state.baseline_count.copy()
    monitor.repaired(frozenset({0}))
    assert monitor.faults == []
    assert not monitor.state.excursion_count[0].any()
    assert not monitor.state.ring_gain[:, :, 0].any()
    assert monitor.state.ring_gain[:, :, 1].any()
    np.testing.assert_array_equal(monitor.state.baseline_count, normal)


def test_the_repair_of_another_machine_changes_nothing_here() -> None:
    monitor = an_open_fault()
    monitor.repaired(frozenset({3}))
    assert len(monitor.faults) == 1


def test_a_rejected_flag_makes_the_present_rate_the_normal_one() -> None:
    monitor = an_open_fault()
    (fault,) = monitor.faults
    monitor.accepted(fault)
    assert monitor.faults == []
    assert monitor.state.rate[0, 3] == pytest.approx(fault.count / fault.metres)
    assert monitor.state.baseline_count[0, 3] == pytest.approx(fault.count)


def test_after_a_rejection_the_same_rate_is_not_flagged_again() -> None:
    scenario = scenario_named("step_r10", 3)
    scenario = replace(scenario, faults=(replace(scenario.faults[0], factor=15.0, onset_coil=25),))
    table = rows_of(scenario, 900_800, 55)
    analysis = fresh_analysis(scenario)
    run_of(table.take(table.coil < 32), analysis)
    analysis.monitor.accepted(analysis.monitor.faults[0])
    later = run_of(table.take(table.coil >= 32), analysis)
    assert later.machine_flags == []


def test_a_repair_that_did_not_help_is_flagged_again() -> None:
    scenario = scenario_named("step_r10", 3)
    scenario = replace(scenario, faults=(replace(scenario.faults[0], factor=15.0, onset_coil=25),))
    table = rows_of(scenario, 900_800, 55)
    analysis = fresh_analysis(scenario)
    run_of(table.take(table.coil < 32), analysis)
    analysis.monitor.repaired(frozenset({0}))
    later = run_of(table.take(table.coil >= 32), analysis)
    assert [flag.group_id for flag in later.machine_flags] == ["m1"]
    assert later.machine_flags[0].onset_coil >= "coil-000032"


def test_a_kind_of_machine_the_pack_does_not_know_is_advised_all_the_same() -> None:
    frame = a_frame()
    unknown = Machine("m2", "m2", "kind_that_nobody_knows", 20.0)
    line = replace(frame.layout.line, machines=(frame.layout.machines[0], unknown, frame.layout.machines[2]))
    other = monitor_frame(line, STEEL, pack_named("steel_strip"))
    assert machine_flag(a_fault(), a_context(other), cleared=False).advice
