"""Inspections and a store in memory for the process monitor's room, with the promises of the real ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

import numpy as np

from services.contracts.errors import StorageUnavailable
from services.contracts.monitor_records import (
    Checkpoint,
    CoilResult,
    MaintenanceEvent,
    NewRows,
    NightlyEntry,
    Notice,
    ReadCursor,
)
from services.domain.monitoring.facts import MachineGroup
from services.domain.registration.table import InspectionTable


class MemoryInspections:
    """Rows in the order of their arrival; `arrived` says how many of them are there yet."""

    def __init__(self, line_id: str, table: InspectionTable, order: np.ndarray) -> None:
        self.line_id = line_id
        self.table = table.take(order)
        self.arrived = len(order)
        self.events: list[MaintenanceEvent] = []

    def new_rows(self, cursor: ReadCursor, limit: int) -> NewRows:
        start, end = cursor.change_no, min(cursor.change_no + limit, self.arrived)
        lines = {self.line_id: self.table.take(np.arange(start, end))} if end > start else {}
        return NewRows(lines, replace(cursor, change_no=end, history_at=None), end - start >= limit)

    def rows_of_coil(self, line_id: str, coil_id: str) -> InspectionTable:
        code = self.table.coils.index(coil_id) if coil_id in self.table.coils else -2
        rows = np.flatnonzero(self.table.coil[: self.arrived] == code)
        return self.table.take(rows)

    def coils_after(self, line_id: str, number: int) -> tuple[str, ...]:
        return self.store.coils_after(number)

    def maintenance_events(self, since: datetime) -> tuple[MaintenanceEvent, ...]:
        return tuple(event for event in self.events if event.finished_at >= since)

    store: "MemoryStore"


@dataclass
class MemoryStore:
    """What was kept; `fails` makes the next so many calls fail, before or after they took effect."""

    coils: dict[str, CoilResult] = field(default_factory=dict)
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    cursor: ReadCursor = field(default_factory=ReadCursor)
    groups: tuple[MachineGroup, ...] = ()
    nightly: list[tuple[date, Sequence[NightlyEntry]]] = field(default_factory=list)
    repairs: list[tuple[str, bool]] = field(default_factory=list)
    fails: int = 0
    kept_checkpoints: int = 50

    def check(self) -> None:
        return None

    def save_groups(self, line_id: str, groups: Iterable[MachineGroup]) -> None:
        self.groups = tuple(groups)

    def save_coil(self, result: CoilResult) -> Mapping[UUID, UUID]:
        if self.fails > 0:
            self.fails -= 1
            raise StorageUnavailable("the database is away")
        self.coils[result.record.coil_id] = result
        if result.checkpoint is not None:
            self.checkpoints[result.checkpoint.coil_number] = result.checkpoint
            for number in [n for n in self.checkpoints if n <= result.record.number - self.kept_checkpoints]:
                del self.checkpoints[number]
        if result.cursor is not None:
            self.cursor = result.cursor
        return {flag.flag_id: flag.flag_id for flag in result.flags}

    def coils_after(self, number: int) -> tuple[str, ...]:
        records = sorted((each.record for each in self.coils.values()), key=lambda record: record.number)
        return tuple(record.coil_id for record in records if record.number > number)

    def load_checkpoint(self, line_id: str, before_coil_number: int | None = None) -> Checkpoint | None:
        numbers = [n for n in self.checkpoints if before_coil_number is None or n < before_coil_number]
        return self.checkpoints[max(numbers)] if numbers else None

    def load_cursor(self) -> ReadCursor:
        return self.cursor

    def save_cursor(self, cursor: ReadCursor) -> None:
        self.cursor = cursor

    def save_nightly(
        self, line_id: str, day: date, window: tuple[datetime, datetime], entries: Sequence[NightlyEntry]
    ) -> None:
        self.nightly.append((day, entries))

    def record_repair(self, work_order_no: str, comment: str, *, verified: bool, notice: Notice | None) -> bool:
        self.repairs.append((work_order_no, verified))
        return True
