"""What the process monitor needs from the world, each need as small as it is."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

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


class InspectionSource(Protocol):
    """Inspections, every row once, in the order of their commit; every method raises `StorageUnavailable`."""

    def new_rows(self, cursor: ReadCursor, limit: int) -> NewRows:
        """Return the next page after a cursor."""
        ...

    def rows_of_coil(self, line_id: str, coil_id: str) -> InspectionTable:
        """Return all rows that name a coil."""
        ...

    def coils_after(self, line_id: str, number: int) -> tuple[str, ...]:
        """Return the coils kept after coil `number` of a line."""
        ...

    def maintenance_events(self, since: datetime) -> tuple[MaintenanceEvent, ...]:
        """Return the work orders that came to their end since then."""
        ...


class MonitorStore(Protocol):
    """What the monitor keeps; saving the same twice leaves the same. Every method raises `StorageUnavailable`."""

    def check(self) -> None:
        """Ask for a sign of life and for the schema. Raises `ConfigurationError` when it is too old."""

    def save_groups(self, line_id: str, groups: Iterable[MachineGroup]) -> None:
        """Keep the groups of a line as it stands now."""

    def save_coil(self, result: CoilResult) -> Mapping[UUID, UUID]:
        """Keep a coil and all that follows from it; return the id under which each flag is kept."""
        ...

    def load_checkpoint(self, line_id: str, before_coil_number: int | None = None) -> Checkpoint | None:
        """Return the newest state of a line, of a coil before the given one."""
        ...

    def load_cursor(self) -> ReadCursor:
        """Return where reading stands."""
        ...

    def save_cursor(self, cursor: ReadCursor) -> None:
        """Keep where reading stands."""

    def save_nightly(
        self, line_id: str, day: date, window: tuple[datetime, datetime], entries: Sequence[NightlyEntry]
    ) -> None:
        """Keep the nightly list of a line."""

    def record_repair(self, work_order_no: str, comment: str, *, verified: bool, notice: Notice | None) -> bool:
        """Say whether a repair worked, unless somebody said so already."""
        ...
