"""The outbox of alerts: what each receiver has not got yet, and what became of the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from services.adapters.postgres.rows import clean
from services.adapters.postgres.session import Session
from services.domain.alerts import Alert, AlertKind, Cause, PendingDelivery
from services.runtime.settings import PostgresSettings

_ERROR_CHARACTERS: Final = 1000

# An alert of a kind that this program does not know waits for the program that does.
_PENDING: Final = b"""
SELECT o.alert_id, o.created_at, o.flag_id::text, o.kind, o.severity, o.subject, o.body, coalesce(d.attempts, 0),
       d.next_attempt_at
FROM millsight.alert_outbox o
LEFT JOIN millsight.alert_deliveries d ON d.alert_id = o.alert_id AND d.receiver = %s
WHERE coalesce(d.state, 'pending') = 'pending' AND o.kind = ANY (%s)
ORDER BY o.severity DESC, o.created_at, o.alert_id LIMIT %s
"""
_LAST_SENT: Final = b"""
SELECT o.body ->> 'line_id', o.body -> 'machines', o.body ->> 'camera_id', o.body ->> 'defect_class',
       max(d.sent_at)
FROM millsight.alert_deliveries d JOIN millsight.alert_outbox o USING (alert_id)
WHERE d.receiver = %s AND d.state = 'sent' AND d.sent_at > %s
GROUP BY 1, 2, 3, 4
"""
_SENT: Final = b"""
INSERT INTO millsight.alert_deliveries (alert_id, receiver, state, sent_at)
SELECT alert_id, %(receiver)s, 'sent', %(at)s FROM unnest(%(ids)s::bigint[]) AS alert_id
ON CONFLICT (alert_id, receiver) DO UPDATE SET state = 'sent', sent_at = excluded.sent_at, next_attempt_at = NULL
"""
_FAILED: Final = b"""
INSERT INTO millsight.alert_deliveries AS known (alert_id, receiver, state, attempts, last_error, next_attempt_at)
SELECT alert_id, %(receiver)s, 'pending', 1, %(error)s, %(next)s FROM unnest(%(ids)s::bigint[]) AS alert_id
ON CONFLICT (alert_id, receiver) DO UPDATE SET attempts = known.attempts + 1, last_error = excluded.last_error,
    next_attempt_at = excluded.next_attempt_at
WHERE known.state = 'pending' AND known.next_attempt_at IS DISTINCT FROM excluded.next_attempt_at
"""
_FINAL: Final = b"""
INSERT INTO millsight.alert_deliveries (alert_id, receiver, state)
SELECT alert_id, %(receiver)s, %(state)s FROM unnest(%(ids)s::bigint[]) AS alert_id
ON CONFLICT (alert_id, receiver) DO UPDATE SET state = excluded.state, next_attempt_at = NULL
"""


class PostgresAlertOutbox:
    """Alerts that wait, for one courier; every method raises StorageUnavailable and may then be called again."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._session = Session(settings, application_name="millsight alerts")

    def pending(self, receiver: str, limit: int) -> Sequence[PendingDelivery]:
        """Return what the receiver has not got, also what waits for another attempt: most severe, oldest first.

        Raises:
            StorageUnavailable: Try again later.
        """
        kinds = [kind.value for kind in AlertKind]
        with self._session as connection:
            rows = connection.execute(_PENDING, (receiver, kinds, limit)).fetchall()
        return [_delivery(row) for row in rows]

    def last_sent(self, receiver: str, since: datetime) -> Mapping[Cause, datetime]:
        """Return when the receiver last got a message about each cause, as far as that was after `since`.

        Raises:
            StorageUnavailable: Try again later.
        """
        with self._session as connection:
            rows = connection.execute(_LAST_SENT, (receiver, since)).fetchall()
        return {_cause(row[0], row[1], row[2], row[3]): row[4] for row in rows if isinstance(row[4], datetime)}

    def mark_sent(self, receiver: str, alert_ids: Sequence[int], at: datetime) -> None:
        """Note that the receiver has taken them.

        Raises:
            StorageUnavailable: Not noted, or not certainly.
        """
        self._mark(_SENT, {"receiver": receiver, "ids": list(alert_ids), "at": at})

    def mark_failed(self, receiver: str, alert_ids: Sequence[int], error: str, next_attempt_at: datetime) -> None:
        """Note one more failed attempt; they stay pending. The same attempt noted twice counts once.

        Raises:
            StorageUnavailable: Not noted, or not certainly.
        """
        reason = clean(error, _ERROR_CHARACTERS)
        values = {"receiver": receiver, "ids": list(alert_ids), "error": reason, "next": next_attempt_at}
        self._mark(_FAILED, values)

    def mark_given_up(self, receiver: str, alert_ids: Sequence[int]) -> None:
        """Set them to failed, for people to see; the last error stays beside them.

        Raises:
            StorageUnavailable: Not noted, or not certainly.
        """
        self._mark(_FINAL, {"receiver": receiver, "ids": list(alert_ids), "state": "failed"})

    def mark_suppressed(self, receiver: str, alert_ids: Sequence[int]) -> None:
        """Note that the receiver did not ask for them.

        Raises:
            StorageUnavailable: Not noted, or not certainly.
        """
        self._mark(_FINAL, {"receiver": receiver, "ids": list(alert_ids), "state": "suppressed"})

    def close(self) -> None:
        """Close the connection; a later call would open a new one."""
        self._session.close()

    def _mark(self, statement: bytes, values: Mapping[str, object]) -> None:
        with self._session as connection:
            connection.execute(statement, values)


def _delivery(row: tuple[object, ...]) -> PendingDelivery:
    alert_id, created_at, flag_id, kind, severity, subject, body, attempts, next_attempt_at = row
    if not (isinstance(created_at, datetime) and isinstance(body, dict)):
        raise TypeError("an alert of another type than the schema has")
    link, details = body.get("link"), body.get("details")
    alert = Alert(
        alert_id=int(str(alert_id)),
        created_at=created_at,
        flag_id=None if flag_id is None else str(flag_id),
        cause=_cause(body.get("line_id"), body.get("machines"), body.get("camera_id"), body.get("defect_class")),
        severity=int(str(severity)),
        kind=AlertKind(str(kind)),
        subject=str(subject),
        text=str(body.get("text") or ""),
        link=None if link is None else str(link),
        details=details if isinstance(details, dict) else {},
    )
    waits_until = next_attempt_at if isinstance(next_attempt_at, datetime) else None
    return PendingDelivery(alert, int(str(attempts)), waits_until)


def _cause(line_id: object, machines: object, camera_id: object, defect_class: object) -> Cause:
    return Cause(
        line_id=str(line_id),
        machines=tuple(map(str, machines)) if isinstance(machines, list) else (),
        camera_id=None if camera_id is None else str(camera_id),
        defect_class=None if defect_class is None else str(defect_class),
    )
