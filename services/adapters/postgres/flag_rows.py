"""Keeps flags: one open flag per cause, what people decided untouched, and notices of what changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from services.adapters.postgres.connecting import Connection
from services.adapters.postgres.flag_notices import cleared, escalated, raised
from services.contracts.monitor_records import Notice
from services.domain.monitoring.facts import Flag

_NAMES: Final = ("flag_id", "line_id", "kind", "group_id", "machine_ids", "defect_class")
_WHEN: Final = (
    "onset_coil", "onset_low_coil", "onset_high_coil", "onset_position_m", "onset_at", "alarm_coil", "alarm_at",
)  # fmt: skip
"""When it began: a later alarm of the same cause does not change it."""
_WHAT: Final = (
    "severity", "last_coil", "coils_since_onset", "detector", "statistic", "peak", "threshold", "arl0_coils",
    "defects", "exposure_m", "rate_per_km", "baseline_per_km", "rate_ratio", "ratio_low", "ratio_high",
    "probability", "posterior", "runner_up", "runner_up_probability", "member_posterior", "period_m",
    "matched_rolls", "trend_per_coil", "projected_coils", "quality_loss", "quality_loss_m",
    "advice", "reason", "evidence", "cleared_coil",
)  # fmt: skip


def _columns(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _assignments(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names
    )


_ALL: Final = (*_NAMES, *_WHEN, *_WHAT)
_INSERT: Final = sql.SQL(
    "INSERT INTO millsight.flags ({}, highest_severity) VALUES ({}, %(severity)s)"
    " ON CONFLICT (line_id, group_id, defect_class) WHERE closed_at IS NULL DO NOTHING"
).format(_columns(_ALL), sql.SQL(", ").join(map(sql.Placeholder, _ALL)))
_UPDATE: Final = "UPDATE millsight.flags SET {}, updated_at = now()"
_RISEN: Final = ", highest_severity = greatest(highest_severity, %(severity)s) WHERE flag_id = %(used)s"
_UPDATE_ALL: Final = sql.SQL(_UPDATE + _RISEN).format(_assignments((*_WHEN, *_WHAT)))
_UPDATE_WHAT: Final = sql.SQL(_UPDATE + _RISEN).format(_assignments(_WHAT))
_KNOWN: Final = """
SELECT flag_id, highest_severity, cleared_coil IS NOT NULL FROM millsight.flags
WHERE flag_id = coalesce(
    (SELECT used_flag_id FROM millsight.flag_aliases WHERE flag_id = %(flag_id)s), %(flag_id)s)
FOR UPDATE
"""
_SAME_CAUSE: Final = """
SELECT flag_id, highest_severity, cleared_coil IS NOT NULL FROM millsight.flags
WHERE line_id = %(line_id)s AND group_id = %(group_id)s AND defect_class IS NOT DISTINCT FROM %(defect_class)s
  AND closed_at IS NULL
FOR UPDATE
"""
_ALIAS: Final = "INSERT INTO millsight.flag_aliases (flag_id, used_flag_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class KeptFlag:
    """The id under which a flag is kept, and what there is to tell about it."""

    flag_id: UUID
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    flag_id: UUID
    highest_severity: int
    was_cleared: bool


def save_flag(connection: Connection, flag: Flag) -> KeptFlag:
    """Write a flag within the caller's transaction; a new one makes its work order.

    While another flag of the same cause is open, that one takes up the evidence and keeps its onset; the new id
    then stands for it for ever.
    """
    parameters = _parameters(flag)
    known = _found(connection, _KNOWN, parameters)
    if known is None:
        if connection.execute(_INSERT, parameters).rowcount:
            return KeptFlag(flag.flag_id, (raised(flag, flag.flag_id),))
        known = _found(connection, _SAME_CAUSE, parameters)
        if known is None:
            # Closed between the two statements: nobody stands in the way any more.
            return save_flag(connection, flag)
        connection.execute(_ALIAS, (flag.flag_id, known.flag_id))
    is_itself = known.flag_id == flag.flag_id
    connection.execute(_UPDATE_ALL if is_itself else _UPDATE_WHAT, {**parameters, "used": known.flag_id})
    return KeptFlag(known.flag_id, tuple(_changes(flag, known)))


def _changes(flag: Flag, known: _Known) -> list[Notice]:
    notices = []
    if flag.severity > known.highest_severity:
        notices.append(escalated(flag, known.flag_id))
    if flag.cleared_coil is not None and not known.was_cleared:
        notices.append(cleared(flag, known.flag_id))
    if flag.cleared_coil is None and known.was_cleared:
        notices.append(raised(flag, known.flag_id))
    return notices


def _found(connection: Connection, query: str, parameters: Mapping[str, object]) -> _Known | None:
    row = connection.execute(query.encode(), parameters).fetchone()
    if row is None:
        return None
    return _Known(UUID(str(row[0])), int(str(row[1])), bool(row[2]))


def _parameters(flag: Flag) -> dict[str, object]:
    values: dict[str, object] = {name: getattr(flag, name) for name in _ALL}
    for name in ("machine_ids", "matched_rolls", "evidence"):
        values[name] = list(getattr(flag, name))
    return values | {
        "kind": flag.kind.value,
        "posterior": Jsonb(dict(flag.posterior)),
        "member_posterior": Jsonb(dict(flag.member_posterior)),
        "projected_coils": None if flag.projected_coils is None else list(flag.projected_coils),
    }
