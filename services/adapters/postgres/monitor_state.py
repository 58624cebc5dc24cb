"""Where the process monitor goes on from: checkpoints and the cursor, within the caller's transaction."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.adapters.postgres.connecting import Connection
from services.contracts.monitor_records import Checkpoint, ReadCursor

_LATER_CHECKPOINTS: Final = b"DELETE FROM millsight.monitor_checkpoints WHERE line_id = %s AND coil_number > %s"
_CHECKPOINT: Final = b"""
INSERT INTO millsight.monitor_checkpoints (line_id, coil_number, coil_id, state, program_version)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (line_id, coil_number) DO UPDATE SET coil_id = excluded.coil_id, state = excluded.state,
    program_version = excluded.program_version, saved_at = now()
"""
_OLD_CHECKPOINTS: Final = b"""
DELETE FROM millsight.monitor_checkpoints WHERE line_id = %(line_id)s AND coil_number <= %(number)s - 50
    AND (coil_number <= %(number)s - 500 OR coil_number %% 50 <> 0)
"""
_LOAD_CHECKPOINT: Final = b"""
SELECT line_id, coil_number, coil_id, state, program_version FROM millsight.monitor_checkpoints
WHERE line_id = %s AND coil_number < coalesce(%s, 9223372036854775807) ORDER BY coil_number DESC LIMIT 1
"""
_CURSOR: Final = b"""
INSERT INTO millsight.monitor_cursor (change_no, frame_id, history_at, history_frame_id, cluster_id)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (only_row) DO UPDATE SET change_no = excluded.change_no, frame_id = excluded.frame_id,
    history_at = excluded.history_at, history_frame_id = excluded.history_frame_id,
    cluster_id = excluded.cluster_id, saved_at = now()
"""
_LOAD_CURSOR: Final = b"""
SELECT change_no, frame_id, history_at, history_frame_id, cluster_id FROM millsight.monitor_cursor
"""


def load_checkpoint(connection: Connection, line_id: str, before_coil_number: int | None) -> Checkpoint | None:
    """Return the newest state of a line, of a coil before the given one; None when there is none."""
    row = connection.execute(_LOAD_CHECKPOINT, (line_id, before_coil_number)).fetchone()
    if row is None:
        return None
    line, number, coil_id, state, version = row
    if not (isinstance(number, int) and isinstance(state, bytes)):
        raise TypeError("a checkpoint of another type than the schema has")
    return Checkpoint(str(line), number, str(coil_id), state, str(version))


def load_cursor(connection: Connection) -> ReadCursor:
    """Return where reading stands; the beginning when nothing was read yet."""
    row = connection.execute(_LOAD_CURSOR).fetchone()
    if row is None:
        return ReadCursor()
    change_no, frame_id, history_at, history_frame_id, cluster_id = row
    at = history_at if isinstance(history_at, datetime) else None
    return ReadCursor(int(str(change_no)), UUID(str(frame_id)), at, UUID(str(history_frame_id)), str(cluster_id))


def save_checkpoint(connection: Connection, checkpoint: Checkpoint) -> None:
    """Keep a state; states of later coils were computed without what this one knows, so they go."""
    line_id, number = checkpoint.line_id, checkpoint.coil_number
    connection.execute(_LATER_CHECKPOINTS, (line_id, number))
    connection.execute(
        _CHECKPOINT, (line_id, number, checkpoint.coil_id, checkpoint.state, checkpoint.program_version)
    )
    connection.execute(_OLD_CHECKPOINTS, {"line_id": line_id, "number": number})


def save_cursor(connection: Connection, cursor: ReadCursor) -> None:
    """Keep where reading stands."""
    connection.execute(
        _CURSOR,
        (cursor.change_no, cursor.frame_id, cursor.history_at, cursor.history_frame_id, cursor.cluster_id),
    )
