"""Writes line.yaml's machines and cameras into the database, so that reports can name them, and its history."""

import json
from contextlib import closing
from dataclasses import asdict

from psycopg.types.json import Jsonb

from services.adapters.postgres.connecting import Connection, connect, translated
from services.domain.topology import UNASSIGNED, Line, Machine, Topology

_LINE = """
INSERT INTO millsight.lines (line_id, name, speed_m_s) VALUES (%s, %s, %s)
ON CONFLICT (line_id) DO UPDATE SET name = excluded.name, speed_m_s = excluded.speed_m_s, removed_at = NULL
"""
_MACHINE = """
INSERT INTO millsight.machines (machine_id, line_id, name, kind, position_m, rolls) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (machine_id) DO UPDATE SET line_id = excluded.line_id, name = excluded.name, kind = excluded.kind,
    position_m = excluded.position_m, rolls = excluded.rolls, removed_at = NULL
"""
_CAMERA = """
INSERT INTO millsight.cameras (camera_id, line_id, machine_id, position_m, material, model)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (camera_id) DO UPDATE SET line_id = excluded.line_id, machine_id = excluded.machine_id,
    position_m = excluded.position_m, material = excluded.material, model = excluded.model, removed_at = NULL
"""
_MARK_REMOVED = (
    "UPDATE millsight.lines SET removed_at = now() WHERE removed_at IS NULL AND line_id <> ALL (%s)",
    "UPDATE millsight.machines SET removed_at = now() WHERE removed_at IS NULL AND machine_id <> ALL (%s)",
    "UPDATE millsight.cameras SET removed_at = now()"
    " WHERE removed_at IS NULL AND machine_id <> 'unassigned' AND camera_id <> ALL (%s)",
)

_VERSIONS = (
    "SELECT version_id, line_id, valid_from, document FROM millsight.topology_versions WHERE withdrawn_at IS NULL"
)
_WITHDRAW = b"UPDATE millsight.topology_versions SET withdrawn_at = now() WHERE version_id = ANY (%s)"
_NEW_VERSION = b"INSERT INTO millsight.topology_versions (line_id, valid_from, document) VALUES (%s, %s, %s)"


def apply_topology(owner_url: str, topology: Topology) -> None:
    """Make the database's line equal to the file's; what left the file is marked removed, never deleted.

    All dated versions of the file are kept; a version that the file tells differently now is marked withdrawn.
    Cameras that published without standing in the file stay listed under machine `unassigned`.

    Raises:
        ConfigurationError: The schema is missing or the user may not write it.
        StorageUnavailable: The database does not answer.
    """
    with (
        closing(connect(owner_url, application_name="millsight db line")) as connection,
        translated(),
        connection.transaction(),
    ):
        _write(connection, topology)
        _write_versions(connection, topology)


def _write(connection: Connection, topology: Topology) -> None:
    connection.execute("LOCK TABLE millsight.lines IN SHARE ROW EXCLUSIVE MODE")
    machines = [(machine, line.id) for line in topology.lines for machine in line.machines]
    cursor = connection.cursor()
    cursor.executemany(_LINE, [(line.id, line.name, line.speed_m_s) for line in topology.lines])
    cursor.executemany(_MACHINE, [_machine_row(machine, line_id) for machine, line_id in machines])
    cursor.executemany(
        _CAMERA,
        [(c.camera_id, c.line_id, c.machine_id, c.position_m, c.material, c.model) for c in topology.cameras],
    )
    kept: tuple[list[str], ...] = (
        [UNASSIGNED, *(line.id for line in topology.lines)],
        [UNASSIGNED, *(machine.id for machine, _ in machines)],
        [camera.camera_id for camera in topology.cameras],
    )
    for statement, ids in zip(_MARK_REMOVED, kept, strict=True):
        connection.execute(statement.encode(), (ids,))


def _machine_row(machine: Machine, line_id: str) -> tuple[object, ...]:
    rolls = [{"id": roll.id, "diameter_mm": roll.diameter_mm} for roll in machine.rolls]
    return machine.id, line_id, machine.name, machine.kind, machine.position_m, Jsonb(rolls)


def _write_versions(connection: Connection, topology: Topology) -> None:
    """Add the versions that are new or told differently; what is told as before stays as it is."""
    told: dict[tuple[object, object], dict[str, object]] = {
        (line.id, line.valid_from): _document(line) for line in (*topology.older, *topology.lines)
    }
    outdated = []
    for version_id, line_id, valid_from, document in connection.execute(_VERSIONS.encode()).fetchall():
        if told.get((line_id, valid_from)) == document:
            del told[line_id, valid_from]
        else:
            outdated.append(version_id)
    connection.execute(_WITHDRAW, (outdated,))
    rows = [(line_id, valid_from, Jsonb(document)) for (line_id, valid_from), document in told.items()]
    connection.cursor().executemany(_NEW_VERSION, rows)


def _document(line: Line) -> dict[str, object]:
    """Return a line as JSON values, without the dates of the version itself."""
    document: dict[str, object] = json.loads(json.dumps(asdict(line), default=str, allow_nan=False))
    del document["valid_from"]
    return document
