"""The maintenance report as rows, for the reports role."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import dict_row

from services.adapters.postgres.connecting import connect, translated
from services.contracts.errors import ConfigurationError

ReportRow = Mapping[str, object]

_REPORT: Final = """
WITH data AS (
    SELECT least(coalesce(max(ended_at) + interval '1 second', now()), now()) AS newest FROM millsight.coil_records
), span AS (
    SELECT coalesce(%(start)s, coalesce(%(end)s, newest) - interval '24 hours')::timestamptz AS from_ts,
           coalesce(%(end)s, newest)::timestamptz AS to_ts
    FROM data
)
SELECT report.* FROM span, LATERAL millsight.maintenance_report(span.from_ts, span.to_ts) AS report
WHERE (%(machine)s::text IS NULL OR machine_id = %(machine)s) AND (%(line)s::text IS NULL OR line_id = %(line)s)
"""
_SPAN: Final = """
SELECT coalesce(%(start)s::timestamptz, max(ended_at)), coalesce(%(end)s::timestamptz, max(ended_at))
FROM millsight.coil_records
"""
_KNOWN: Final = """
SELECT machine_id, line_id FROM millsight.machines WHERE machine_id <> 'unassigned' AND removed_at IS NULL
ORDER BY line_id, position_m
"""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Which rows of the maintenance report.

    Attributes:
        start: Coils that ended from here on; None: 24 hours before the end.
        end: Coils that ended before here; None: the end of the data.
        machine_id: Only this machine.
        line_id: Only this line.
    """

    start: datetime | None = None
    end: datetime | None = None
    machine_id: str | None = None
    line_id: str | None = None


def read_report(url: str, request: ReportRequest) -> list[ReportRow]:
    """Return the rows of view `maintenance_report` for other spans, machines and lines, gravest first.

    Raises:
        ConfigurationError: The span ends before it starts, or there is no such machine or line.
        StorageUnavailable: The database does not answer.
    """
    if request.start is not None and request.end is not None and request.start >= request.end:
        raise ConfigurationError(
            f"the report must end after it starts: {request.start.isoformat()} to {request.end.isoformat()}"
        )
    values = {
        "start": request.start,
        "end": request.end,
        "machine": request.machine_id,
        "line": request.line_id,
    }
    with closing(connect(url, application_name="millsight report")) as connection, translated():
        newest = connection.execute(_SPAN.encode(), values).fetchone()
        if request.end is None and newest is not None and _is_before(newest[1], request.start):
            raise ConfigurationError("no coil has ended since --from: the newest data are older")
        found = connection.cursor(row_factory=dict_row).execute(_REPORT.encode(), values).fetchall()
        known = connection.execute(_KNOWN.encode()).fetchall()
    if not found:
        _refuse_unknown(request, [(str(row[0]), str(row[1])) for row in known])
    return list(found)


def _is_before(newest: object, start: datetime | None) -> bool:
    return isinstance(newest, datetime) and start is not None and newest < start


def _refuse_unknown(request: ReportRequest, known: list[tuple[str, str]]) -> None:
    machines, lines = [machine for machine, _ in known], sorted({line for _, line in known})
    if request.line_id is not None and request.line_id not in lines:
        raise ConfigurationError(f"there is no line {request.line_id!r}: the lines are {', '.join(lines)}")
    if request.machine_id is not None and request.machine_id not in machines:
        raise ConfigurationError(
            f"there is no machine {request.machine_id!r}: the machines are {', '.join(machines)}"
        )
