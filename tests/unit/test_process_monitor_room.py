"""The process monitor: the same facts whatever the order of rows, wherever it stopped, whatever came late."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
import pytest

from services.contracts.errors import StorageUnavailable
from services.contracts.material_file import default_materials_dir, load_materials
from services.contracts.monitor_records import CoilResult, MaintenanceEvent
from services.domain.monitoring.analysis import LineAnalysis, analyse
from services.domain.registration.table import InspectionTable
from services.domain.simulation.faults import Fault
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import Line, LineVersion, MonitoringPlan
from services.process_monitor.app import ProcessMonitor
from services.process_monitor.line_watch import LineWatch, WatchParts
from services.process_monitor.settings import ReadingSettings
from tests.fakes.monitor import MemoryInspections, MemoryStore

COILS = 40
SEED = 910_003
PACKS = load_materials(default_materials_dir())


@pytest.fixture(scope="module")
def world() -> tuple[Line, InspectionTable]:
    """Forty coils of the protocol's line; machine m3 makes thirty times as much of one class from coil 20 on."""
    scenario = protocol_scenario()
    fault = Fault(machine_id="m3", defect_class="class_4", factor=30.0, onset_coil=20)
    scenario = replace(scenario, faults=(fault,))
    table = simulate_coils(SimulatedLine(scenario, SEED), 0, COILS).table
    line = replace(scenario.line, monitoring=MonitoringPlan(learning_coils=8))
    return line, table


class Room:
    """A process monitor on memory, run a few turns at a time."""

    def __init__(self, line: Line, table: InspectionTable, order: np.ndarray) -> None:
        self.line = line
        self.store = MemoryStore()
        self.source = MemoryInspections(line.id, table, order)
        self.source.store = self.store
        self.classes = table.classes
        self.start()

    def start(self) -> None:
        """What a new process would do."""
        self.stop = threading.Event()
        settings = ReadingSettings(page_rows=3000, poll_s=0.001, idle_close_s=5.0)
        self.monitor = ProcessMonitor(settings, self.source, self.store, self._watches, self.stop)

    def turn(self) -> bool:
        return self.monitor._turn()

    def run_until_read(self) -> None:
        while self.turn():
            pass

    def finish(self) -> dict[str, CoilResult]:
        self.run_until_read()
        self.monitor._news_at_s -= 60
        self.run_until_read()
        return self.store.coils

    def _watches(self) -> dict[str, LineWatch]:
        versions = (LineVersion(self.line, None, None),)
        return {
            self.line.id: LineWatch(WatchParts(self.source, self.store, versions, self.classes, PACKS["generic"]))
        }


def by_capture(table: InspectionTable) -> np.ndarray:
    return np.argsort(table.captured_s, kind="stable")


def facts(coils: dict[str, CoilResult]) -> list[tuple[object, ...]]:
    ordered = sorted(coils.values(), key=lambda result: result.record.number)
    return [(result.record, result.defects, tuple(result.flags)) for result in ordered]


@pytest.fixture(scope="module")
def expected(world: tuple[Line, InspectionTable]) -> list[tuple[object, ...]]:
    line, table = world
    return facts(Room(line, table, by_capture(table)).finish())


def test_the_machine_that_fails_is_flagged(world: tuple[Line, InspectionTable]) -> None:
    line, table = world
    coils = Room(line, table, by_capture(table)).finish()
    flags = {flag.flag_id: flag for result in coils.values() for flag in result.flags}
    assert {(flag.group_id, flag.defect_class) for flag in flags.values()} == {("m3", "class_4")}
    (flag,) = flags.values()
    assert "coil-000020" <= flag.alarm_coil <= "coil-000023"


def test_the_room_says_what_the_offline_analysis_says(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    analysis = LineAnalysis((LineVersion(line, None, None),), table.classes, PACKS["generic"])
    offline = [report.flags for report in analyse(table, analysis)]
    assert [flags for _, _, flags in expected] == offline


def test_the_order_of_rows_is_no_matter(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    rng = np.random.default_rng(5)
    jittered = np.argsort(table.captured_s + rng.uniform(0, 60, len(table)), kind="stable")
    assert facts(Room(line, table, jittered).finish()) == expected


def test_rows_that_come_long_after_their_coil_change_history_as_if_they_had_come_in_time(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    late = (table.coil == table.coils.index("coil-000018")) & (table.camera == table.cameras.index("cam-4"))
    order = by_capture(table)
    order = np.concatenate((order[~late[order]], order[late[order]]))
    room = Room(line, table, order)
    room.source.arrived = int((~late).sum())
    before = facts(room.finish())
    assert before != expected
    room.source.arrived = len(table)
    assert facts(room.finish()) == expected


def test_a_whole_coil_that_comes_late_takes_its_place(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    late = table.coil == table.coils.index("coil-000025")
    order = by_capture(table)
    room = Room(line, table, np.concatenate((order[~late[order]], order[late[order]])))
    room.source.arrived = int((~late).sum())
    room.finish()
    room.source.arrived = len(table)
    assert facts(room.finish()) == expected


def test_rows_from_before_every_kept_state_are_counted_and_change_nothing(
    world: tuple[Line, InspectionTable],
) -> None:
    line, table = world
    late = (table.coil == table.coils.index("coil-000002")) & (table.camera == table.cameras.index("cam-1"))
    order = by_capture(table)
    room = Room(line, table, np.concatenate((order[~late[order]], order[late[order]])))
    room.store.kept_checkpoints = 5
    room.source.arrived = int((~late).sum())
    before = facts(room.finish())
    room.source.arrived = len(table)
    assert facts(room.finish()) == before


@pytest.mark.parametrize("turns", [1, 2, 3, 5, 8, 11])
def test_a_process_that_dies_anywhere_is_followed_by_one_with_the_same_result(
    turns: int, world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    room = Room(line, table, by_capture(table))
    for _ in range(turns):
        room.turn()
        room.start()
    assert facts(room.finish()) == expected


def failing_turns(room: Room) -> Iterator[bool]:
    for _ in range(6):
        room.store.fails = 1
        try:
            room.turn()
        except StorageUnavailable:
            yield True


def test_a_database_that_goes_away_is_waited_for_and_nothing_is_skipped(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    room = Room(line, table, by_capture(table))
    assert all(failing_turns(room))
    room.store.fails = 0
    assert facts(room.finish()) == expected


def work_order(end: datetime, *, is_done: bool) -> MaintenanceEvent:
    return MaintenanceEvent(
        work_order_no="WO-000001", flag_id=UUID(int=1), line_id="sim-1", group_id="m3", machine_ids=("m3",),
        defect_class="class_4", finished_at=end, is_done=is_done, verified=None,
    )  # fmt: skip


def start_of(table: InspectionTable, coil: str) -> datetime:
    return datetime.fromtimestamp(float(table.captured_s[table.coil == table.coils.index(coil)].min()), UTC)


def test_a_repair_that_changed_nothing_is_noticed_and_the_machine_flagged_again(
    world: tuple[Line, InspectionTable],
) -> None:
    line, table = world
    room = Room(line, table, by_capture(table))
    room.source.events = [work_order(start_of(table, "coil-000027") - timedelta(seconds=1), is_done=True)]
    coils = room.finish()
    assert room.store.repairs == [("WO-000001", False)]
    alarms = {flag.alarm_coil for result in coils.values() for flag in result.flags}
    assert len(alarms) == 2
    assert min(alarms) < "coil-000027" <= max(alarms)


def test_a_rejected_flag_makes_the_present_rate_the_normal_one(world: tuple[Line, InspectionTable]) -> None:
    line, table = world
    room = Room(line, table, by_capture(table))
    room.source.events = [work_order(start_of(table, "coil-000027") - timedelta(seconds=1), is_done=False)]
    coils = room.finish()
    assert coils["coil-000026"].flags
    assert not any(coils[f"coil-{number:06d}"].flags for number in range(27, COILS))


def test_groups_and_the_nightly_list_are_kept(world: tuple[Line, InspectionTable]) -> None:
    line, table = world
    room = Room(line, table, by_capture(table))
    room.finish()
    assert [group.group_id for group in room.store.groups] == ["m1", "m2", "m3", "m4", "m5", "m6"]
    _, entries = room.store.nightly[-1]
    assert len(entries) == 60


def test_rows_of_cameras_that_the_line_does_not_know_are_left_out(
    world: tuple[Line, InspectionTable], expected: list[tuple[object, ...]]
) -> None:
    line, table = world
    stranger = replace(table.take(np.arange(500)), camera=np.full(500, len(table.cameras), dtype=np.int32))
    stranger = replace(stranger, cameras=(*table.cameras, "stranger"))
    both = replace(table, cameras=(*table.cameras, "stranger")).joined(stranger)
    assert facts(Room(line, both, by_capture(both)).finish()) == expected
