"""The classifier's repository: one idempotent statement per batch of inspections, one round trip, one commit."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from services.adapters.postgres import rows
from services.adapters.postgres.camera_notes import CameraNotes
from services.adapters.postgres.connecting import Connection, Fault, fault_of, one_line
from services.adapters.postgres.session import Session
from services.contracts.errors import ConfigurationError, RejectReason
from services.contracts.messages import CameraStatus
from services.domain.inspection import Inspection, ModelVersion, RejectedFrame, StoreReport
from services.runtime.settings import PostgresSettings

NEEDED_REVISION: Final = "0007"
"""The oldest schema that the statements of this module fit; later revisions only add."""

_MOVE_TIMEOUT: Final = "2min"
"""Moving late rows out of DEFAULT may take longer than a batch may."""

_LOG: Final = logging.getLogger(__name__)

_REGISTER_MODEL: Final = """
INSERT INTO millsight.model_versions (name, version, sha256, labels, card) VALUES (%s, %s, %s, %s, %s::jsonb)
ON CONFLICT DO NOTHING
"""


class PostgresInspectionRepository:
    """Stores what the classifier found. Safe to call from several threads; they take turns on one connection.

    Every method raises StorageUnavailable when the database does not take the work: nothing of the call is stored
    then (or, when the connection broke at the commit, all of it), and calling again is safe. ConfigurationError
    means that schema or privileges do not fit.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._session = Session(settings, application_name="millsight classifier")
        self._notes = CameraNotes()

    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        """Store a batch in one transaction; rows that are there already are left as they are.

        A value that the database refuses for ever never blocks the line: text is made storable beforehand, and
        when the batch fails for a row's sake, its rows are stored one by one and each that fails leaves a row in
        `rejected_frames` instead.

        Raises:
            StorageUnavailable: Try again later.
            ConfigurationError: The schema or the role does not fit.
        """
        if not inspections and not rejected:
            return StoreReport(0, 0)
        with self._session as connection:
            try:
                inserted = self._write(connection, inspections, rejected)
            except (psycopg.Error, OverflowError, ValueError) as error:
                if not _is_row_fault(error):
                    raise
                return self._salvage(connection, inspections, rejected)
        return StoreReport(inserted, len(inspections) - inserted)

    def store_camera_status(self, statuses: Sequence[CameraStatus]) -> None:
        """Keep the newest report of each camera, and every session's counters.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            for status in statuses:
                document = Jsonb({key: _plain(value) for key, value in asdict(status).items()})
                try:
                    connection.execute("SELECT millsight.note_camera_status(%s)", (document,))
                except psycopg.Error as error:
                    if fault_of(error) is not Fault.ROW:
                        raise
                    _LOG.warning("status of camera %s is left out: %s", status.camera_id, one_line(error))

    def register_model(self, model: ModelVersion) -> None:
        """Record a model version before the first frame it judges.

        Raises:
            ConfigurationError: The same name and version is recorded with other weights.
            StorageUnavailable: Try again later.
        """
        card = _card(model)
        with self._session as connection:
            connection.execute(
                _REGISTER_MODEL, (model.name, model.version, model.sha256, list(model.labels), card)
            )
            row = connection.execute(
                "SELECT sha256 FROM millsight.model_versions WHERE name = %s AND version = %s",
                (model.name, model.version),
            ).fetchone()
        if row is not None and row[0] != model.sha256:
            raise ConfigurationError(
                f"model {model.name} version {model.version} is recorded with other weights (sha256 {row[0]}, now"
                f" {model.sha256}): give the changed model a new version"
            )

    def ensure_partitions(self, days_ahead: int = 3) -> None:
        """Add the day partitions that are missing, from a week ago to `days_ahead` (0 to 31); call it daily.

        Raises:
            StorageUnavailable: Somebody holds the table; rows go to the DEFAULT partition meanwhile.
        """
        with self._session as connection, connection.transaction():
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (_MOVE_TIMEOUT,))
            connection.execute("SELECT millsight.ensure_partitions(%s)", (days_ahead,))

    def apply_retention(self) -> None:
        """Drop what is older than table `retention` says; call it daily or oftener.

        Raises:
            StorageUnavailable: Somebody holds the tables; the next call tries again.
        """
        with self._session as connection:
            dropped = connection.execute("SELECT millsight.apply_retention()").fetchall()
        if dropped:
            _LOG.info("retention dropped %s", ", ".join(str(row[0]) for row in dropped))

    def check(self) -> None:
        """Ask the database for a sign of life and for its schema.

        Raises:
            ConfigurationError: The schema is missing, older than needed, or may not be read.
            StorageUnavailable: The database does not answer.
        """
        with self._session as connection:
            row = connection.execute("SELECT version_num FROM millsight.alembic_version").fetchone()
        if row is None or str(row[0]) < NEEDED_REVISION:
            raise ConfigurationError(
                f"the database is older than this version of Millsight, which needs revision {NEEDED_REVISION}:"
                " run `millsight db migrate`"
            )

    def close(self) -> None:
        """Close the connection; a later call would open a new one."""
        self._session.close()

    def _write(
        self, connection: Connection, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]
    ) -> int:
        """Store a batch in one round trip; return how many inspections were new."""
        batch = sorted(inspections, key=lambda each: each.frame_id.bytes)  # one order for all writers: no deadlock
        noted = self._notes.due(batch)
        statements = _statements(batch, rejected, noted)
        with connection.pipeline(), connection.transaction():
            cursors = [connection.execute(query, parameters, prepare=True) for query, parameters in statements]
        self._notes.told(noted)
        return cursors[0].rowcount if batch else 0

    def _salvage(
        self, connection: Connection, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]
    ) -> StoreReport:
        inserted = unstorable = 0
        for each in rejected:
            self._write_or_leave(connection, each)
        for inspection in inspections:
            try:
                inserted += self._write(connection, [inspection], ())
            except (psycopg.Error, OverflowError, ValueError) as error:
                if not _is_row_fault(error):
                    raise
                _LOG.error(
                    "frame %s of camera %s cannot be stored: %s", inspection.frame_id, inspection.camera_id, error
                )
                self._write_or_leave(connection, _refused(inspection, error))
                unstorable += 1
        return StoreReport(inserted, len(inspections) - inserted - unstorable, unstorable)

    def _write_or_leave(self, connection: Connection, rejected: RejectedFrame) -> None:
        try:
            self._write(connection, (), [rejected])
        except (psycopg.Error, OverflowError) as error:
            if not _is_row_fault(error):
                raise
            _LOG.error(
                "reject %s of camera %s cannot be recorded: %s", rejected.frame_id, rejected.camera_id, error
            )


def _statements(
    batch: Sequence[Inspection], rejected: Sequence[RejectedFrame], noted: Sequence[Inspection]
) -> list[tuple[bytes, rows.Parameters]]:
    """List what has rows, inspections first."""
    statements: list[tuple[bytes, rows.Parameters]] = []
    if batch:
        statements.append((rows.INSERT_INSPECTIONS, rows.inspection_columns(batch)))
    if images := [inspection for inspection in batch if inspection.image is not None]:
        statements.append((rows.INSERT_IMAGES, rows.image_columns(images)))
    if rejected:
        statements.append((rows.INSERT_REJECTED, rows.rejected_columns(rejected)))
    if coiled := [inspection for inspection in batch if inspection.coil_id is not None]:
        statements.append((rows.NOTE_COILS, rows.coil_columns(coiled)))
    if noted:
        statements.append((rows.NOTE_CAMERAS, rows.camera_columns(noted)))
    return statements


def _is_row_fault(error: Exception) -> bool:
    return fault_of(error) is Fault.ROW if isinstance(error, psycopg.Error) else True


def _refused(inspection: Inspection, error: Exception) -> RejectedFrame:
    reason = one_line(error) if isinstance(error, psycopg.Error) else str(error)
    return RejectedFrame(
        frame_id=inspection.frame_id,
        camera_id=inspection.camera_id,
        reason=RejectReason.MALFORMED_MESSAGE,
        detail=f"the database refuses the inspection: {reason}",
        rejected_at=inspection.received_at,
        payload_bytes=len(inspection.image or b""),
        position=inspection.position,
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return rows.clean(value) if isinstance(value, str) else value


def _card(model: ModelVersion) -> str:
    try:
        return json.dumps(model.card, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the card of model {model.name} version {model.version} is no JSON: {error}"
        ) from error
