"""Keeps what the process monitor states, a coil in one transaction, and the state it goes on from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg.types.json import Jsonb

from services.adapters.postgres.coil_rows import save_coil_rows
from services.adapters.postgres.connecting import Connection
from services.adapters.postgres.flag_notices import coil_change_notices, condition_began, condition_ended
from services.adapters.postgres.flag_rows import save_flag
from services.adapters.postgres.inspections import NEEDED_REVISION
from services.adapters.postgres.monitor_state import load_checkpoint, load_cursor, save_checkpoint, save_cursor
from services.adapters.postgres.session import Session
from services.contracts.errors import ConfigurationError
from services.contracts.monitor_records import (
    CameraCondition,
    Checkpoint,
    CoilResult,
    NightlyEntry,
    Notice,
    ReadCursor,
)
from services.domain.monitoring.facts import MachineGroup
from services.runtime.settings import PostgresSettings

_LOCK: Final = 0x6D696C6C6D6F6E69
"""Key of the advisory lock under which coils are saved: 'millmoni' in ASCII."""

_GROUP: Final = b"""
INSERT INTO millsight.machine_groups (line_id, group_id, machine_ids, first_camera) VALUES (%s, %s, %s, %s)
ON CONFLICT (line_id, group_id) DO UPDATE SET machine_ids = excluded.machine_ids,
    first_camera = excluded.first_camera, is_current = true
"""
_OLD_GROUPS: Final = b"""
UPDATE millsight.machine_groups SET is_current = false WHERE line_id = %s AND is_current AND group_id <> ALL (%s)
"""
_CONDITION: Final = b"""
WITH before AS (
    SELECT until FROM millsight.camera_conditions
    WHERE camera_id = %(camera_id)s AND kind = %(kind)s AND since = %(since)s AND line_id = %(line_id)s
), written AS (
    INSERT INTO millsight.camera_conditions (line_id, camera_id, kind, since, until, reason, flag_id)
    VALUES (%(line_id)s, %(camera_id)s, %(kind)s, %(since)s, %(until)s, %(reason)s, %(flag_id)s)
    ON CONFLICT (camera_id, kind, since, line_id) DO UPDATE SET until = excluded.until, reason = excluded.reason,
        flag_id = excluded.flag_id
    RETURNING until
)
SELECT NOT EXISTS (SELECT FROM before), EXISTS (SELECT FROM before WHERE until IS NULL), until IS NOT NULL
FROM written
"""
_NOTICE: Final = b"""
INSERT INTO millsight.alert_outbox (flag_id, kind, severity, subject, body, happening)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (happening) DO NOTHING
"""
_FORGET_NIGHT: Final = b"DELETE FROM millsight.nightly_list WHERE line_id = %s AND day = %s"
_NIGHT: Final = b"""
INSERT INTO millsight.nightly_list (line_id, day, window_start, window_end, group_id, defect_class, first_seen,
    expected, exposure_m, p_value, q_value, is_listed)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


class PostgresMonitorStore:
    """What the process monitor keeps; every method raises StorageUnavailable and may then be called again.

    Saving the same twice leaves the same: coils replace what was kept of them, flags and conditions are known by
    their ids, and a notice that was written is not written again.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._session = Session(settings, application_name="millsight process monitor")

    def check(self) -> None:
        """Ask the database for a sign of life and for its schema.

        Raises:
            ConfigurationError: The schema is missing or older than needed.
            StorageUnavailable: The database does not answer.
        """
        with self._session as connection:
            row = connection.execute("SELECT version_num FROM millsight.alembic_version").fetchone()
        if row is None or str(row[0]) < NEEDED_REVISION:
            raise ConfigurationError("the database is older than this process monitor: run `millsight db migrate`")

    def save_groups(self, line_id: str, groups: Iterable[MachineGroup]) -> None:
        """Keep the groups of a line as it stands now; earlier groups stay, as no longer current.

        Raises:
            StorageUnavailable: Try again later.
        """
        rows = [(each.line_id, each.group_id, list(each.machine_ids), each.first_camera) for each in groups]
        with self._session as connection, connection.transaction():
            connection.cursor().executemany(_GROUP, rows)
            connection.execute(_OLD_GROUPS, (line_id, [row[1] for row in rows]))

    def save_coil(self, result: CoilResult) -> Mapping[UUID, UUID]:
        """Keep a coil and all that follows from it, in one transaction.

        Returns:
            The id under which each flag is kept: its own, or that of the open flag of the same cause.

        Raises:
            StorageUnavailable: Nothing was kept (or, when the connection broke at the commit, all of it).
        """
        with self._session as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            save_coil_rows(connection, result.record, result.defects)
            kept = {flag.flag_id: save_flag(connection, flag) for flag in result.flags}
            used = {flag_id: each.flag_id for flag_id, each in kept.items()}
            notices = [notice for each in kept.values() for notice in each.notices]
            notices += _save_conditions(connection, result.conditions, used)
            notices += coil_change_notices(result.record)
            if result.is_told:
                _write_notices(connection, notices)
            if result.checkpoint is not None:
                save_checkpoint(connection, result.checkpoint)
            if result.cursor is not None:
                save_cursor(connection, result.cursor)
        return used

    def save_conditions(self, conditions: Sequence[CameraCondition]) -> None:
        """Keep conditions of cameras between coils, and tell of those that began or ended.

        Raises:
            StorageUnavailable: Nothing was kept.
        """
        with self._session as connection, connection.transaction():
            _write_notices(connection, _save_conditions(connection, conditions, {}))

    def load_checkpoint(self, line_id: str, before_coil_number: int | None = None) -> Checkpoint | None:
        """Return the newest state of a line, of a coil before the given one; None when there is none.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            return load_checkpoint(connection, line_id, before_coil_number)

    def save_cursor(self, cursor: ReadCursor) -> None:
        """Keep where reading stands.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            save_cursor(connection, cursor)

    def load_cursor(self) -> ReadCursor:
        """Return where reading stands; the beginning when nothing was read yet.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            return load_cursor(connection)

    def save_nightly(
        self, line_id: str, day: date, window: tuple[datetime, datetime], entries: Sequence[NightlyEntry]
    ) -> None:
        """Keep the nightly list of a line; a list of the same day is replaced.

        Raises:
            StorageUnavailable: Nothing was kept.
        """
        head = (line_id, day, *window)
        rows = [
            (*head, e.group_id, e.defect_class, e.first_seen, e.expected, e.exposure_m, e.p_value, e.q_value,
             e.is_listed)
            for e in entries
        ]  # fmt: skip
        with self._session as connection, connection.transaction():
            connection.execute(_FORGET_NIGHT, (line_id, day))
            connection.cursor().executemany(_NIGHT, rows)

    def record_repair(self, work_order_no: str, comment: str, *, verified: bool, notice: Notice | None) -> bool:
        """Say whether a repair worked, unless somebody said so already: then return False and tell nobody.

        Raises:
            StorageUnavailable: Nothing was kept.
        """
        feedback = "verified" if verified else "no_change"
        with self._session as connection, connection.transaction():
            row = connection.execute(
                "SELECT millsight.record_repair(%s, %s, %s)", (work_order_no, feedback, comment)
            ).fetchone()
            is_recorded = row is not None and bool(row[0])
            if is_recorded and notice is not None:
                _write_notices(connection, [notice])
        return is_recorded

    def close(self) -> None:
        """Close the connection; a later call would open a new one."""
        self._session.close()


def _save_conditions(
    connection: Connection, conditions: Sequence[CameraCondition], used: Mapping[UUID, UUID]
) -> list[Notice]:
    notices = []
    for given in conditions:
        flag_id = None if given.flag_id is None else used.get(given.flag_id, given.flag_id)
        condition = replace(given, flag_id=flag_id)
        values = {name: getattr(condition, name) for name in CameraCondition.__slots__}
        row = connection.execute(_CONDITION, values).fetchone()
        is_new, was_open, is_over = row or (False, False, False)
        if is_new:
            notices.append(condition_began(condition))
        if is_over and (is_new or was_open):
            notices.append(condition_ended(condition))
    return notices


def _write_notices(connection: Connection, notices: Iterable[Notice]) -> None:
    rows = [(n.flag_id, n.kind, n.severity, n.subject, Jsonb(dict(n.body)), n.happening) for n in notices]
    connection.cursor().executemany(_NOTICE, rows)
