"""Reports on causes: which machine, since when, what to hold back, and cameras; silence is never health."""

from collections.abc import Mapping
from datetime import timedelta

import psycopg
import pytest

from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.work_orders import StepRequest, take_step
from services.contracts.monitor_records import CameraCondition, CoilResult, NightlyEntry
from services.domain.monitoring.facts import CoilRecord, FlagKind, LandmarkEvent, StreamPoint
from tests.fakes.coil_facts import GROUPS, HOUR, THEN, a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database, an_inspection

Store = PostgresMonitorStore
MINUTE = timedelta(minutes=1)


def _points(first_seen: Mapping[str, float], exposure_m: float = 900.0) -> tuple[StreamPoint, ...]:
    return tuple(
        StreamPoint(g.group_id, "rolled_pit", first_seen.get(g.group_id, 2.0), 2.0, exposure_m, 0.5)
        for g in GROUPS
    )


def _coil(number: int, **changes: object) -> CoilRecord:
    """Return coil C-<number> of ten, five minutes long; from C-3 on the skin-pass mill leaves ten pits."""
    fields = {"points": _points({"skinpass-1": 10.0 if number >= 3 else 2.0})}
    return a_coil(number, THEN - (9 - number) * 5 * MINUTE, **{**fields, **changes})


@pytest.fixture
def plant(database: Database, monitor_store: Store) -> Database:
    """Ten coils; a flag on the skin-pass mill since C-3, a flag on cam-2, and a line that delivers frames."""
    flag = a_flag(ratio_low=4.0)
    camera = a_flag(kind=FlagKind.CAMERA, group_id="camera:cam-2", machine_ids=(), defect_class=None, severity=2)
    for number in range(10):
        flags = [flag, camera] if number == 9 else []
        monitor_store.save_coil(CoilResult(_coil(number), [a_defect(number, 1000.0 * number + 250)], flags))
    repository = database.repository()
    repository.store([an_inspection(captured_at=THEN + 30 * MINUTE, received_at=THEN + 30 * MINUTE)], ())
    repository.close()
    return database


def _report(database: Database, columns: str, where: str = "true") -> list[tuple[object, ...]]:
    return database.rows(f"SELECT {columns} FROM maintenance_report WHERE {where}")  # noqa: S608 - a test's own text


def test_the_report_says_which_machine_since_when_how_sure_and_what_to_do(plant: Database) -> None:
    columns = (
        "machine_id, defect_class, state, coils, exposure_frames, exposure_m, defects_first_seen, rate_ratio,"
        " severity, onset_estimate, onset_ci_low, onset_ci_high, attribution_prob, runner_up_machine, period_m,"
        " matched_roll, health_index, recommended_action, quality_loss, quality_loss_m, work_order_no,"
        " evidence_cameras, coverage, member_prob"
    )
    assert _report(plant, columns)[0] == (
        "skinpass-1", "rolled_pit", "maintenance_required", 10, 20000, 9000.0, 76.0, pytest.approx(3.8),
        3, "C-3", "C-2", "C-4", 0.96, "washer-1", 1.618,
        ["skinpass-1-work-top"], 25.0, "change or grind the work roll", 800.0, 80.0, "WO-000001",
        ["cam-3"], pytest.approx(0.95), 1.0,
    )  # fmt: skip
    assert _report(plant, "machine_id, group_id, state, flag_id", "machine_id <> 'skinpass-1'") == [
        ("uncoiler-1", "uncoiler-1+welder-1", "ok", None),
        ("welder-1", "uncoiler-1+welder-1", "ok", None),
        ("washer-1", "washer-1", "ok", None),
        ("leveller-1", "leveller-1+trimmer-1", "ok", None),
        ("trimmer-1", "leveller-1+trimmer-1", "ok", None),
    ]


def test_rates_have_their_interval_and_baseline(plant: Database) -> None:
    """76 defects: the exact 95 % interval of a Poisson mean is 59.879 to 95.126 (R: poisson.test(76))."""
    [row] = _report(plant, "rate_per_1000_frames, rate_ci_low, rate_ci_high, baseline_rate", "severity = 3")
    assert row == (
        pytest.approx(3.8), pytest.approx(59.879 / 20, rel=2e-3), pytest.approx(95.126 / 20, rel=2e-3),
        pytest.approx(1.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [
        # Exact: Garwood, Biometrika 28 (1936) 437-442; half chi-square quantiles.
        pytest.param(0.0, 0.0, 3.689, id="none"),
        pytest.param(5.0, 1.623, 11.668, id="five"),
        pytest.param(10.0, 4.795, 18.390, id="ten"),
        pytest.param(100.0, 81.364, 121.627, id="hundred"),
    ],
)
def test_the_poisson_interval_is_the_exact_one_within_a_percent(
    database: Database, events: float, low: float, high: float
) -> None:
    found = database.rows("SELECT poisson_low(%s), poisson_high(%s)", parameters=(events, events))
    assert found == [(pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01))]


def test_a_window_takes_the_coils_that_ended_in_it(plant: Database) -> None:
    window = (THEN - 45 * MINUTE, THEN - 25 * MINUTE)
    query = "SELECT coils, defects_first_seen FROM maintenance_report(%s, %s) WHERE machine_id = 'skinpass-1'"
    assert plant.rows(query, parameters=window) == [(4, 16.0)]
    with pytest.raises(psycopg.DataError, match="must end after it starts"):
        plant.rows(query, parameters=window[::-1])


def test_a_machine_that_nobody_watches_has_no_data(database: Database, monitor_store: Store) -> None:
    assert _report(database, "machine_id, defect_class, state, health_index", "machine_id = 'washer-1'") == [
        ("washer-1", None, "no_data", None)
    ]
    monitor_store.save_coil(CoilResult(a_coil(0, points=_points({}, exposure_m=0.0))))
    assert _report(database, "DISTINCT defect_class, state, health_index") == [("rolled_pit", "no_data", None)]
    assert database.rows("SELECT DISTINCT state FROM machine_health") == [("offline",)]
    database.execute("UPDATE cameras SET last_received_at = now()")
    assert database.rows("SELECT DISTINCT state FROM machine_health") == [("no_data",)]


def test_the_nightly_list_is_joined(plant: Database, monitor_store: Store) -> None:
    entries = [
        NightlyEntry("washer-1", "rolled_pit", 40.0, 20.0, 9000.0, 0.0001, 0.0004, True),
        NightlyEntry("leveller-1+trimmer-1", "rolled_pit", 20.0, 20.0, 9000.0, 0.5, 0.6, False),
    ]
    for _ in range(2):
        monitor_store.save_nightly("strip-1", THEN.date(), (THEN - 24 * HOUR, THEN), entries)
    assert _report(plant, "machine_id, state, p_value, q_value", "q_value IS NOT NULL") == [
        ("washer-1", "watch", 0.0001, 0.0004),
        ("leveller-1", "ok", 0.5, 0.6),
        ("trimmer-1", "ok", 0.5, 0.6),
    ]
    assert plant.rows("SELECT state, reason FROM machine_health WHERE machine_id = 'washer-1'") == [
        ("watch", "rolled_pit stands out in the nightly list, without an alarm")
    ]


def test_every_machine_has_a_state_and_a_reason(plant: Database) -> None:
    rows = plant.rows("SELECT machine_id, state, reason, health_index, work_order_no FROM machine_health")
    normal = ("ok", "no more defects than normal", 100.0, None)
    assert rows == [
        ("uncoiler-1", *normal), ("welder-1", *normal), ("washer-1", *normal),
        ("skinpass-1", "maintenance_required", "rolled_pit: 5.0 times as often as normal since coil C-3", 25.0,
         "WO-000001"),
        ("leveller-1", *normal), ("trimmer-1", *normal),
    ]  # fmt: skip


def test_silence_is_never_health(plant: Database, monitor_store: Store) -> None:
    for number in (10, 11, 12):
        points = tuple(point for point in _points({}) if point.group_id != "washer-1")
        monitor_store.save_coil(CoilResult(a_coil(number, THEN + number * MINUTE, points=points)))
    state = "SELECT state, health_index FROM machine_health WHERE machine_id = %s"
    assert plant.rows(state, parameters=("washer-1",)) == [("no_data", None)]
    assert plant.rows(state, parameters=("welder-1",)) == [("ok", 100.0)]
    plant.execute("UPDATE cameras SET last_received_at = now() - interval '1 hour'")
    assert plant.rows(state, parameters=("welder-1",)) == [("offline", None)]
    assert plant.rows(state, parameters=("skinpass-1",)) == [("maintenance_required", 25.0)]


def test_a_line_that_learns_says_so(plant: Database, monitor_store: Store) -> None:
    monitor_store.save_coil(CoilResult(_coil(10, state="learning")))
    assert plant.value("SELECT state FROM machine_health WHERE machine_id = 'welder-1'") == "learning"


def test_repairs_count_for_the_machine(plant: Database, monitor_store: Store) -> None:
    for step in ("acknowledge", "start", "done"):
        take_step(plant.planner_url, StepRequest("WO-000001", step, "Ada"))
    plant.execute("UPDATE work_orders SET finished_at = started_at + interval '2 hours' WHERE state = 'done'")
    columns = "state, coils_since_maintenance, mttr_h, mtbf_h, last_maintenance_at IS NOT NULL"
    query = f"SELECT {columns} FROM machine_health WHERE machine_id = 'skinpass-1'"  # noqa: S608 - a constant
    # Ten coils of five minutes one after the other, and one failure.
    assert plant.rows(query) == [("ok", 0, pytest.approx(2.0), pytest.approx(50 / 60), True)]
    assert plant.rows("SELECT mtbf_h, mttr_h FROM machine_health WHERE machine_id = 'washer-1'") == [(None, None)]


def test_hours_have_rates_with_their_denominators(plant: Database) -> None:
    rows = plant.rows(
        "SELECT sum(coils), sum(defects), sum(exposure_m), min(rate_per_km) > 2, max(baseline_per_km)"
        " FROM defect_rate_hourly WHERE group_id = 'skinpass-1'"
    )
    assert rows == [(10, 76.0, 9000.0, True, pytest.approx(1000 * 2 / 900))]


def test_a_coil_has_grade_price_defects_and_loss(plant: Database, monitor_store: Store) -> None:
    marks = (
        LandmarkEvent("seen", "welding_line", 0.0, ("cam-1",)),
        LandmarkEvent("missing", "punching_hole", None, ()),
    )
    defects = [a_defect(0, 1.0), a_defect(0, 2.0), a_defect(0, 3.0, class_posterior={"crease": 1.0})]
    monitor_store.save_coil(CoilResult(_coil(0, landmarks=marks), [*defects, a_defect(0, 4.0, landmark=True)]))
    columns = (
        "grade, price, currency, defects_by_class, landmarks, missing_or_surplus, quality_loss, quality_loss_m"
    )
    query = f"SELECT {columns} FROM coil_report WHERE coil_id = 'C-0'"  # noqa: S608 - a constant of this test
    assert plant.rows(query) == [
        ("B", 900.0, "EUR", {"rolled_pit": 2, "crease": 1}, ["seen welding_line", "missing punching_hole"], 1,
         100.0, 10.0),
    ]  # fmt: skip


def test_what_passed_since_the_onset_is_to_be_held_back(plant: Database) -> None:
    rows = plant.rows("SELECT coil_id, from_m, to_m, defects, positions_m FROM containment ORDER BY number")
    assert rows == [
        ("C-3", 3200.0, 4000.0, 1, [3250.0]),
        *((f"C-{n}", 1000.0 * n, 1000.0 * n + 1000, 1, [1000.0 * n + 250]) for n in range(4, 10)),
    ]


def test_containment_ends_where_the_process_was_in_control_again_and_when_the_order_is_closed(
    plant: Database, monitor_store: Store
) -> None:
    monitor_store.save_coil(CoilResult(_coil(9), (), [a_flag(cleared_coil="C-5")]))
    assert [row[0] for row in plant.rows("SELECT coil_id FROM containment ORDER BY number")] == [
        "C-3",
        "C-4",
        "C-5",
    ]
    take_step(plant.planner_url, StepRequest("WO-000001", "reject", "Ada", cause_code="no fault found"))
    assert plant.rows("SELECT coil_id FROM containment") == []


def test_cameras_tell_whether_they_can_be_believed(plant: Database, monitor_store: Store) -> None:
    plant.execute("UPDATE cameras SET last_received_at = now() WHERE camera_id <> 'cam-4'")
    dirty = CameraCondition("strip-1", "cam-1", "dirty", THEN, None, "a blemish stays at one place")
    over = CameraCondition("strip-1", "cam-3", "black", THEN - HOUR, THEN, "nothing to see")
    monitor_store.save_conditions([dirty, over])
    columns = (
        "camera_id, state, conditions, sensitivity, false_per_frame, coverage, confirmed_share, work_order_no"
    )
    assert plant.rows(f"SELECT {columns} FROM camera_health") == [  # noqa: S608 - a constant of this test
        ("cam-1", "attention", ["dirty"], None, 0.001, pytest.approx(0.95), 0.75, None),
        ("cam-2", "attention", [], 0.9, 0.001, pytest.approx(0.95), 0.75, "WO-000002"),
        ("cam-3", "ok", [], 0.9, 0.001, pytest.approx(0.95), 0.75, None),
        ("cam-4", "no_data", [], 0.9, 0.001, pytest.approx(0.95), 0.75, None),
    ]


def test_retention_takes_charts_and_defects_and_leaves_coils_flags_and_orders(
    plant: Database, monitor_store: Store
) -> None:
    old = a_coil(20, THEN - timedelta(days=9))
    monitor_store.save_coil(CoilResult(old, [a_defect(20)]))
    plant.execute("UPDATE defects SET seen_at = %s WHERE coil_id = 'C-20'", parameters=(THEN - timedelta(days=9),))
    before = {name: plant.count(name) for name in ("coil_records", "flags", "work_orders", "landmark_events")}
    plant.execute("UPDATE retention SET keep_days = 4")
    plant.execute("SELECT apply_retention()", "millsight_classifier")
    assert {name: plant.count(name) for name in before} == before
    for name in ("stream_points", "camera_exposures", "defects"):
        found = plant.rows(f"SELECT DISTINCT coil_id FROM {name} WHERE coil_id IN ('C-20', 'C-9')")  # noqa: S608
        assert found == [("C-9",)], name
    assert plant.count("defect_sightings") == 20
