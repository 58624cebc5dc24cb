"""Reads inspections for the process monitor: every row once, in pages, in the order of its commit.

Rows carry the number of the transaction that stored them. A page holds only numbers below the oldest transaction
that is still open, so that no commit is passed by. Rows stored before there were numbers come first, by capture
time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.adapters.postgres.inspection_columns import SELECTED, by_line, table_of_one_line
from services.adapters.postgres.session import Session
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import MaintenanceEvent, NewRows, ReadCursor
from services.domain.registration.table import InspectionTable
from services.runtime.settings import PostgresSettings

_LIVE: Final = f"""
SELECT {SELECTED} FROM millsight.inspections
WHERE (change_no, frame_id) > (%s, %s) AND change_no < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY change_no, frame_id FETCH FIRST %s ROWS WITH TIES
"""  # noqa: S608 - a constant list of columns
_HISTORY: Final = f"""
SELECT {SELECTED} FROM millsight.inspections
WHERE change_no IS NULL AND captured_at >= %s AND captured_at < %s AND (captured_at, frame_id) > (%s, %s)
ORDER BY captured_at, frame_id FETCH FIRST %s ROWS WITH TIES
"""  # noqa: S608 - a constant list of columns
_HISTORY_SPAN: Final = timedelta(minutes=10)
"""Pages of history sort what was captured in such a span, not the whole day."""

# One probe per camera and partition of an index, where a search by time alone would read all that is younger.
_NEXT_HISTORY: Final = """
SELECT min(first.captured_at) FROM millsight.cameras c CROSS JOIN LATERAL (
    SELECT captured_at FROM millsight.inspections i
    WHERE i.camera_id = c.camera_id AND i.captured_at >= %s AND i.change_no IS NULL
    ORDER BY captured_at LIMIT 1
) AS first
"""
_COUNTER: Final = "SELECT millsight.cluster_id(), pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_COIL: Final = f"""
SELECT {SELECTED} FROM millsight.inspections i
WHERE i.line_id = %s AND i.coil_id = %s
  AND captured_at >= (SELECT first_seen FROM millsight.coils c WHERE c.line_id = %s AND c.coil_id = %s)
  AND captured_at <= (SELECT last_seen + interval '1 hour' FROM millsight.coils c
                      WHERE c.line_id = %s AND c.coil_id = %s)
"""  # noqa: S608 - a constant list of columns
_BETWEEN: Final = f"""
SELECT {SELECTED} FROM millsight.inspections WHERE line_id = %s AND captured_at >= %s AND captured_at < %s
"""  # noqa: S608 - a constant list of columns
_EVENTS: Final = """
SELECT work_order_no, flag_id, line_id, group_id, machine_ids, damage_code, finished_at, state = 'done',
       CASE feedback WHEN 'verified' THEN true WHEN 'no_change' THEN false END
FROM millsight.work_orders WHERE finished_at >= %s ORDER BY finished_at, work_order_id
"""
_COILS_AFTER: Final = """
SELECT coil_id FROM millsight.coil_records WHERE line_id = %s AND number > %s ORDER BY number
"""

Row = tuple[object, ...]


class PostgresInspectionReader:
    """Inspections as tables, for the process monitor's role; every method raises StorageUnavailable."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._session = Session(settings, application_name="millsight process monitor")

    def new_rows(self, cursor: ReadCursor, limit: int) -> NewRows:
        """Return the next page after `cursor`; call again with the page's cursor.

        A page may have some rows more than `limit`. A frame whose second model version is stored later appears
        again in a later page: the later row is to replace the earlier.

        Raises:
            ConfigurationError: The database was restored from a dump, so that its transaction numbers are another
                cluster's.
            StorageUnavailable: Try again later.
        """
        cursor = self._checked(cursor)
        if cursor.history_at is not None:
            return self._history(cursor, cursor.history_at, limit)
        rows = self._fetch(_LIVE, (cursor.change_no, cursor.frame_id, limit))
        if rows:
            change_no, frame_id = rows[-1][10], rows[-1][0]
            cursor = ReadCursor(int(str(change_no)), UUID(str(frame_id)), None, cluster_id=cursor.cluster_id)
        return NewRows(by_line(rows), cursor, len(rows) >= limit)

    def rows_of_coil(self, line_id: str, coil_id: str) -> InspectionTable:
        """Return all rows that name a coil; empty when there are none.

        Frames of a camera whose clock runs an hour or more ahead of their arrival are left out.

        Raises:
            StorageUnavailable: Try again later.
        """
        return table_of_one_line(self._fetch(_COIL, (line_id, coil_id) * 3))

    def rows_between(self, line_id: str, start: datetime, end: datetime) -> InspectionTable:
        """Return all rows of a line captured from `start` until before `end`, whatever coil they name.

        Raises:
            StorageUnavailable: Try again later.
        """
        return table_of_one_line(self._fetch(_BETWEEN, (line_id, start, end)))

    def coils_after(self, line_id: str, number: int) -> tuple[str, ...]:
        """Return the coils that were kept after coil `number` of a line, in its order.

        Raises:
            StorageUnavailable: Try again later.
        """
        return tuple(str(row[0]) for row in self._fetch(_COILS_AFTER, (line_id, number)))

    def maintenance_events(self, since: datetime) -> tuple[MaintenanceEvent, ...]:
        """Return the work orders that were done or rejected since then, in this order.

        Raises:
            StorageUnavailable: Try again later.
        """
        return tuple(_event(row) for row in self._fetch(_EVENTS, (since,)))

    def close(self) -> None:
        """Close the connection; a later call would open a new one."""
        self._session.close()

    def _checked(self, cursor: ReadCursor) -> ReadCursor:
        [(cluster_id, counter)] = self._fetch(_COUNTER, ())
        is_other = bool(cursor.cluster_id) and cursor.cluster_id != cluster_id
        if is_other or cursor.change_no > int(str(counter)):
            raise ConfigurationError(
                "the database was restored from a dump, so that the order of its inspections is not known: stop"
                " process monitor and classifiers, and run once as millsight_owner:"
                " SELECT millsight.database_was_restored()"
            )
        return ReadCursor(
            cursor.change_no, cursor.frame_id, cursor.history_at, cursor.history_frame_id, str(cluster_id)
        )

    def _history(self, cursor: ReadCursor, at: datetime, limit: int) -> NewRows:
        frame_id = cursor.history_frame_id
        rows = self._fetch(_HISTORY, (at, at + _HISTORY_SPAN, at, frame_id, limit))
        if not rows:
            [(found,)] = self._fetch(_NEXT_HISTORY, (at + _HISTORY_SPAN,))
            if not isinstance(found, datetime):
                return NewRows({}, ReadCursor(history_at=None, cluster_id=cursor.cluster_id), has_more=True)
            at, frame_id = found, ReadCursor().history_frame_id
            rows = self._fetch(_HISTORY, (at, at + _HISTORY_SPAN, at, frame_id, limit))
        at, frame_id = _captured_at(rows[-1]), UUID(str(rows[-1][0]))
        reached = ReadCursor(history_at=at, history_frame_id=frame_id, cluster_id=cursor.cluster_id)
        return NewRows(by_line(rows), reached, has_more=True)

    def _fetch(self, query: str, parameters: Sequence[object]) -> list[Row]:
        with self._session as connection, connection.cursor(binary=True) as cursor:
            return cursor.execute(query.encode(), parameters).fetchall()


def _captured_at(row: Row) -> datetime:
    captured_at = row[11]
    if not isinstance(captured_at, datetime):
        raise TypeError(f"captured_at is a {type(captured_at).__name__}")
    return captured_at


def _event(row: Row) -> MaintenanceEvent:
    order, flag_id, line_id, group_id, machine_ids, defect_class, finished_at, is_done, verified = row
    if not (isinstance(finished_at, datetime) and isinstance(machine_ids, list) and isinstance(flag_id, UUID)):
        raise TypeError("a work order of another type than the schema has")
    return MaintenanceEvent(
        work_order_no=str(order),
        flag_id=flag_id,
        line_id=str(line_id),
        group_id=str(group_id),
        machine_ids=tuple(map(str, machine_ids)),
        defect_class=None if defect_class is None else str(defect_class),
        finished_at=finished_at,
        is_done=bool(is_done),
        verified=None if verified is None else bool(verified),
    )
