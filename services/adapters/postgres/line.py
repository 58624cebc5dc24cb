"""Writes line.yaml's machines and cameras into the database, so that reports can name them."""

from contextlib import closing

from psycopg.types.json import Jsonb

from services.adapters.postgres.connecting import Connection, connect, translated
from services.domain.topology import UNASSIGNED, Machine, Topology

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


def apply_topology(owner_url: str, topology: Topology) -> None:
    """Make the database's line equal to the file's; what left the file is marked removed, never deleted.

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
