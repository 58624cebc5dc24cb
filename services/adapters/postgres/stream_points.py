"""What one machine group showed of one defect class, coil by coil: the raw material of control charts."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import class_row, scalar_row

from services.adapters.postgres.connecting import Connection, connect, translated
from services.contracts.errors import ConfigurationError
from services.domain.spc.control_chart import Stream, StreamPoint

_USUAL_SPAN: Final = timedelta(days=30)
_MOST_POINTS: Final = 5000
_POINTS: Final = """
SELECT g.group_id, p.coil_id, p.ended_at, p.first_seen, p.expected, p.exposure_m, p.statistic,
       e.frames, e.sightings
FROM millsight.machine_groups g
JOIN millsight.stream_points p ON p.line_id = g.line_id AND p.group_id = g.group_id
LEFT JOIN millsight.camera_exposures e
    ON e.line_id = p.line_id AND e.coil_id = p.coil_id AND e.camera_id = g.first_camera
WHERE g.is_current AND %(machine)s = ANY (g.machine_ids) AND p.defect_class = %(defect_class)s
  AND p.ended_at >= coalesce(%(start)s, coalesce(%(end)s, now()) - %(span)s)
  AND p.ended_at < coalesce(%(end)s, 'infinity')
ORDER BY p.ended_at DESC, p.coil_id DESC LIMIT %(most)s
"""
_LIMIT: Final = """
SELECT f.threshold FROM millsight.flags f JOIN millsight.machines m USING (line_id)
WHERE m.machine_id = %s ORDER BY f.alarm_at DESC LIMIT 1
"""
_MACHINES: Final = """
SELECT machine_id FROM millsight.machines WHERE machine_id <> 'unassigned' AND removed_at IS NULL
ORDER BY line_id, position_m LIMIT 500
"""
_CLASSES: Final = """
SELECT DISTINCT defect_class FROM millsight.stream_points
WHERE ended_at >= (SELECT max(ended_at) FROM millsight.stream_points) - interval '1 day' ORDER BY 1 LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """Which stream, and which coils: those that ended from `start` on (None: 30 days) and before `end`."""

    machine_id: str
    defect_class: str
    start: datetime | None = None
    end: datetime | None = None


def read_stream(url: str, request: StreamRequest) -> Stream:
    """Return the newest 5,000 points at most.

    Raises:
        ConfigurationError: The span ends before it starts; there is no such machine or class, or no coil then.
        StorageUnavailable: The database does not answer.
    """
    if request.start is not None and request.end is not None and request.start >= request.end:
        raise ConfigurationError(
            f"the chart must end after it starts: {request.start.isoformat()} to {request.end.isoformat()}"
        )
    values = {
        "machine": request.machine_id,
        "defect_class": request.defect_class,
        "start": request.start,
        "end": request.end,
        "span": _USUAL_SPAN,
        "most": _MOST_POINTS,
    }
    with closing(connect(url, application_name="millsight chart")) as connection, translated():
        found = connection.cursor(row_factory=class_row(StreamPoint)).execute(_POINTS.encode(), values).fetchall()
        if not found:
            _refuse_unknown(connection, request)
        limits = connection.cursor(row_factory=scalar_row)
        limit: float | None = limits.execute(_LIMIT.encode(), (request.machine_id,)).fetchone()
    return Stream(tuple(reversed(found)), limit)


def _refuse_unknown(connection: Connection, request: StreamRequest) -> None:
    machines = [str(row[0]) for row in connection.execute(_MACHINES.encode()).fetchall()]
    if request.machine_id not in machines:
        raise ConfigurationError(
            f"there is no machine {request.machine_id!r}: the machines are {', '.join(machines)}"
        )
    classes = [str(row[0]) for row in connection.execute(_CLASSES.encode()).fetchall()]
    if request.defect_class not in classes:
        raise ConfigurationError(
            f"no chart is kept of class {request.defect_class!r}: there are {', '.join(classes) or 'none yet'}"
        )
    raise ConfigurationError(
        f"no coil ended in that time that says anything of machine {request.machine_id!r}: choose another --from"
    )
