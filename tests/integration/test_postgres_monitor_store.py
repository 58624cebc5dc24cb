"""What the process monitor keeps: a coil in one transaction, flags that people have touched, where to go on."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.adapters.postgres.work_orders import Step, StepRequest, take_step
from services.contracts.monitor_records import CameraCondition, Checkpoint, CoilResult, Notice, ReadCursor
from services.domain.monitoring.facts import Flag, FlagKind, LandmarkEvent
from tests.fakes.coil_facts import THEN, a_coil, a_defect, a_flag
from tests.fixtures_postgres import Database

Store = PostgresMonitorStore


def _save(store: Store, number: int = 5, *flags: Flag, **changes: Any) -> dict[UUID, UUID]:
    result = CoilResult(a_coil(number), [a_defect(number)], flags, **changes)
    return dict(store.save_coil(result))


def _alerts(database: Database) -> list[tuple[object, ...]]:
    return database.rows("SELECT kind, flag_id, severity FROM alert_outbox ORDER BY alert_id")


def _close(database: Database, number: str = "WO-000001", last: Step = "done") -> None:
    for step in ("acknowledge", "start", last):
        take_step(database.planner_url, StepRequest(number, step, "Ada", cause_code="worn roll"))


def test_a_coil_saved_twice_is_there_once_and_the_second_replaces_the_first(
    database: Database, monitor_store: Store
) -> None:
    first = CoilResult(a_coil(1), [a_defect(1), a_defect(1, 1700.0)])
    second = CoilResult(a_coil(1, defects=1, grade="A"), [a_defect(1, 1600.0)])
    monitor_store.save_coil(CoilResult(a_coil(0), [a_defect(0, 500.0)]))
    monitor_store.save_coil(first)
    for _ in range(2):
        monitor_store.save_coil(second)
    assert database.rows("SELECT coil_id, grade, defects FROM coil_records ORDER BY number") == [
        ("C-0", "B", 1),
        ("C-1", "A", 1),
    ]
    assert database.rows(
        "SELECT coil_id, position_m, defect_class, group_id FROM defects ORDER BY position_m"
    ) == [
        ("C-0", 500.0, "rolled_pit", "skinpass-1"),
        ("C-1", 1600.0, "rolled_pit", "skinpass-1"),
    ]
    counts = {
        table: database.count(table)
        for table in ("defect_sightings", "stream_points", "camera_exposures", "landmark_events")
    }
    assert counts == {"defect_sightings": 4, "stream_points": 8, "camera_exposures": 8, "landmark_events": 2}


def test_a_defect_that_moves_to_the_neighbouring_coil_is_there_once(
    database: Database, monitor_store: Store
) -> None:
    defect = a_defect(0, 999.9)
    monitor_store.save_coil(CoilResult(a_coil(0), [defect]))
    monitor_store.save_coil(CoilResult(a_coil(1), [replace(defect, coil_id="C-1")]))
    assert database.rows("SELECT coil_id FROM defects") == [("C-1",)]


def test_nothing_is_kept_of_a_coil_that_fails_half_way(database: Database, monitor_store: Store) -> None:
    broken = a_flag(severity=9)
    with pytest.raises(psycopg.IntegrityError):
        _save(monitor_store, 5, broken, cursor=ReadCursor(change_no=7))
    assert [database.count(table) for table in ("coil_records", "flags", "monitor_cursor")] == [0, 0, 0]
    assert _save(monitor_store, 5) == {}
    assert database.count("coil_records") == 1


def test_a_new_flag_makes_a_work_order_and_an_alert(database: Database, monitor_store: Store) -> None:
    flag = a_flag()
    assert _save(monitor_store, 5, flag) == {flag.flag_id: flag.flag_id}
    _save(monitor_store, 5, flag)
    assert database.rows(
        "SELECT work_order_no, flag_id, state, priority, line_id, group_id, machine_ids, damage_code,"
        " malfunction_start, required_by - created_at FROM work_orders"
    ) == [
        ("WO-000001", flag.flag_id, "new", 2, "strip-1", "skinpass-1", ["skinpass-1"], "rolled_pit", flag.onset_at,
         timedelta(hours=8)),
    ]  # fmt: skip
    assert database.rows("SELECT who, step, from_state, to_state, comment, role FROM work_order_events") == [
        ("process monitor", "create", None, "new", flag.reason, "millsight_monitor")
    ]
    assert _alerts(database) == [("flag_raised", flag.flag_id, 3)]
    [(subject, body)] = database.rows("SELECT subject, body FROM alert_outbox")
    assert subject == "skinpass-1: rolled pit 5.0 times as often as normal since coil C-3"
    assert isinstance(body, dict)
    assert (body["machines"], body["camera_id"], body["details"]["evidence"]) == (
        ["skinpass-1"], None, list(flag.evidence),
    )  # fmt: skip


def test_a_flag_is_kept_with_everything_it_says(database: Database, monitor_store: Store) -> None:
    flag = a_flag(trend_per_coil=0.02, projected_coils=(10.0, 20.0, 40.0))
    _save(monitor_store, 5, a_flag(flag_id=flag.flag_id))
    _save(monitor_store, 5, flag)
    with psycopg.connect(database.reports_url, row_factory=dict_row) as connection:
        row = connection.execute("SELECT * FROM flags").fetchone()
    assert row is not None
    for field in fields(Flag):
        said = getattr(flag, field.name)
        assert row[field.name] == (list(said) if isinstance(said, tuple) else said), field.name
    assert row["probability"] == flag.probability


def test_evidence_is_updated_and_what_people_decided_is_untouched(
    database: Database, monitor_store: Store
) -> None:
    flag = a_flag()
    _save(monitor_store, 5, flag)
    take_step(database.planner_url, StepRequest("WO-000001", "acknowledge", "Ada", assigned_to="shift B"))
    _save(monitor_store, 6, replace(flag, last_coil="C-6", defects=44.0, statistic=12.0, onset_coil="C-2"))
    assert database.rows("SELECT last_coil, defects, statistic, onset_coil FROM flags") == [
        ("C-6", 44.0, 12.0, "C-2")
    ]
    assert database.rows("SELECT state, acknowledged_by, assigned_to FROM work_orders") == [
        ("acknowledged", "Ada", "shift B")
    ]


def test_a_second_alarm_of_an_open_cause_updates_the_open_flag(database: Database, monitor_store: Store) -> None:
    first, second = a_flag(), a_flag(onset_coil="C-7", last_coil="C-9", defects=99.0)
    other_class = a_flag(defect_class="crease")
    _save(monitor_store, 5, first)
    assert _save(monitor_store, 9, second, other_class) == {
        second.flag_id: first.flag_id,
        other_class.flag_id: other_class.flag_id,
    }
    query = "SELECT flag_id, onset_coil, last_coil, defects FROM flags WHERE defect_class = 'rolled_pit'"
    assert database.rows(query) == [(first.flag_id, "C-3", "C-9", 99.0)]
    _close(database)
    assert _save(monitor_store, 10, second) == {second.flag_id: first.flag_id}
    third = a_flag()
    assert _save(monitor_store, 11, third) == {third.flag_id: third.flag_id}
    assert database.count("work_orders") == 3


def test_two_flags_of_one_cause_can_never_be_open(database: Database, monitor_store: Store) -> None:
    camera = a_flag(kind=FlagKind.CAMERA, group_id="camera:cam-2", machine_ids=(), defect_class=None)
    _save(monitor_store, 5, camera)
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(
            "INSERT INTO flags SELECT (jsonb_populate_record(f, jsonb_build_object("
            " 'flag_id', gen_random_uuid()))).* FROM flags f"
        )
    assert _alerts(database) == [("flag_raised", camera.flag_id, 3)]
    assert database.value("SELECT body ->> 'camera_id' FROM alert_outbox") == "cam-2"


def test_getting_worse_and_getting_well_are_told_once(database: Database, monitor_store: Store) -> None:
    flag = a_flag(severity=2)
    worse, well = replace(flag, severity=4), replace(flag, severity=2, cleared_coil="C-8")
    for number, each in enumerate((flag, worse, flag, worse, well, well, worse, well), start=5):
        _save(monitor_store, number, each)
    assert _alerts(database) == [
        ("flag_raised", flag.flag_id, 2),
        ("flag_escalated", flag.flag_id, 4),
        ("flag_cleared", flag.flag_id, 2),
    ]
    assert database.rows("SELECT priority, state, required_by - created_at < '2 hours' FROM work_orders") == [
        (1, "new", True)
    ]
    assert database.value("SELECT count(*) FROM work_order_events WHERE step = 'raise_priority'") == 1


def test_history_that_is_computed_again_tells_nobody(database: Database, monitor_store: Store) -> None:
    flag = a_flag()
    record = a_coil(5, landmarks=(LandmarkEvent("missing", "welding_line", None, ("cam-1",)),))
    condition = CameraCondition("strip-1", "cam-2", "dirty", THEN, None, "a blemish stays at one place")
    result = CoilResult(record, (), [flag], [condition], is_told=False)
    monitor_store.save_coil(result)
    assert _alerts(database) == []
    assert database.count("work_orders") == 1


def test_camera_conditions_and_coil_changes_are_told_when_they_begin_and_end(
    database: Database, monitor_store: Store
) -> None:
    flag = a_flag(kind=FlagKind.CAMERA, group_id="camera:cam-2", machine_ids=(), defect_class=None)
    merged = replace(flag, flag_id=uuid4())
    _save(monitor_store, 4, flag)
    dirty = CameraCondition(
        "strip-1", "cam-2", "dirty", THEN, None, "a blemish stays at one place", merged.flag_id
    )
    record = a_coil(5, landmarks=(LandmarkEvent("missing", "welding_line", None, ("cam-1",)),))
    for _ in range(2):
        monitor_store.save_coil(CoilResult(record, (), [merged], [dirty]))
    monitor_store.save_conditions([replace(dirty, until=THEN + timedelta(minutes=5), flag_id=None)])
    monitor_store.save_conditions([replace(dirty, until=THEN + timedelta(minutes=5), flag_id=None)])
    assert [row[0] for row in _alerts(database)] == [
        "flag_raised", "camera_condition", "coil_change_condition", "camera_recovered",
    ]  # fmt: skip
    assert database.rows("SELECT flag_id FROM alert_outbox WHERE kind = 'camera_condition'") == [(flag.flag_id,)]
    assert database.rows("SELECT kind, until - since FROM camera_conditions") == [("dirty", timedelta(minutes=5))]


def _checkpoint(number: int, state: bytes = b"state") -> Checkpoint:
    return Checkpoint("strip-1", number, f"C-{number}", state, "0.2.0")


def test_checkpoints_are_the_last_fifty_and_every_fiftieth_of_five_hundred(
    database: Database, monitor_store: Store
) -> None:
    database.execute(
        "INSERT INTO monitor_checkpoints (line_id, coil_number, coil_id, state, program_version)"
        " SELECT 'strip-1', n, 'C-' || n, 'x', '0.2.0' FROM generate_series(0, 699) AS n"
    )
    _save(monitor_store, 700, checkpoint=_checkpoint(700))
    kept = [
        row[0]
        for row in database.rows("SELECT coil_number FROM monitor_checkpoints ORDER BY 1", "millsight_owner")
    ]
    assert kept == [*range(250, 651, 50), *range(651, 701)]
    found = monitor_store.load_checkpoint("strip-1")
    assert found == _checkpoint(700)
    earlier = monitor_store.load_checkpoint("strip-1", 630)
    assert earlier is not None
    assert earlier.coil_number == 600
    assert monitor_store.load_checkpoint("strip-2") is None
    assert monitor_store.load_checkpoint("strip-1", 250) is None


def test_a_checkpoint_takes_away_those_of_later_coils(monitor_store: Store) -> None:
    for number in (1, 2, 3):
        _save(monitor_store, number, checkpoint=_checkpoint(number))
    _save(monitor_store, 2, checkpoint=_checkpoint(2, b"again"))
    assert monitor_store.load_checkpoint("strip-1") == _checkpoint(2, b"again")


def test_the_cursor_is_kept_with_the_coil(monitor_store: Store) -> None:
    assert monitor_store.load_cursor() == ReadCursor()
    cursor = ReadCursor(12, uuid4(), None, cluster_id="71")
    _save(monitor_store, 1, cursor=cursor)
    assert monitor_store.load_cursor() == cursor
    history = ReadCursor(history_at=THEN, history_frame_id=uuid4(), cluster_id="71")
    monitor_store.save_cursor(history)
    assert monitor_store.load_cursor() == history


def test_groups_that_no_longer_stand_stay_and_are_no_longer_current(
    database: Database, monitor_store: Store
) -> None:
    from tests.fakes.coil_facts import GROUPS

    monitor_store.save_groups("strip-1", GROUPS[1:])
    assert database.rows("SELECT group_id FROM machine_groups WHERE NOT is_current") == [("uncoiler-1+welder-1",)]


def test_a_repair_that_was_judged_by_people_is_not_judged_again(database: Database, monitor_store: Store) -> None:
    _save(monitor_store, 5, a_flag())
    notice = Notice("repair WO-000001", "repair_verified", 1, "the repair worked", {"line_id": "strip-1"})
    assert monitor_store.record_repair("WO-000001", "too early", verified=True, notice=notice) is False
    _close(database)
    assert monitor_store.record_repair("WO-000001", "0.9 (0.6 to 1.3)", verified=True, notice=notice) is True
    assert monitor_store.record_repair("WO-000001", "again", verified=False, notice=notice) is False
    assert database.value("SELECT feedback FROM work_orders") == "verified"
    assert [row[0] for row in _alerts(database)] == ["flag_raised", "repair_verified"]
