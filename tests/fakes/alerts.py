"""Alerts, an outbox in memory and channels that do as they are told."""

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contracts.alert_messages import AlertMessage
from services.contracts.errors import StorageUnavailable
from services.domain.alerts import Alert, AlertKind, Cause, PendingDelivery

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SKINPASS_PITS = Cause("strip-1", ("skinpass-1",), defect_class="rolled_pit")
LEVELLER_CREASES = Cause("strip-1", ("leveller-1", "leveller-2"), defect_class="crease")
CAM_3 = Cause("strip-1", camera_id="cam-3")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def alert(
    number: int,
    cause: Cause = SKINPASS_PITS,
    severity: int = 3,
    *,
    after_s: float | None = None,
    kind: AlertKind = AlertKind.FLAG_RAISED,
    **fields: Any,
) -> Alert:
    """Return an alert that happened `after_s` (default: its number) seconds after the start."""
    values = {"subject": f"subject {number}", "text": f"text {number}", "flag_id": f"flag-{number}", **fields}
    moment = at(number if after_s is None else after_s)
    return Alert(alert_id=number, created_at=moment, cause=cause, severity=severity, kind=kind, **values)


class MovableClock:
    """A clock that stands where it is put."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class MemoryOutbox:
    """Deliveries of any receivers over one list of alerts; `is_away` makes it a database that does not answer."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.is_away = False
        self.fails_to_mark_sent = 0
        self.sent: dict[str, dict[int, datetime]] = defaultdict(dict)
        self.settled: dict[str, dict[int, str]] = defaultdict(dict)
        self.failed: dict[str, dict[int, tuple[int, datetime, str]]] = defaultdict(dict)
        self.threads: set[int] = set()

    def _answer(self) -> None:
        self.threads.add(threading.get_ident())
        if self.is_away:
            raise StorageUnavailable("the database does not answer")

    def pending(self, receiver: str, limit: int) -> Sequence[PendingDelivery]:
        self._answer()
        waiting = [
            each
            for each in self.alerts
            if each.alert_id not in self.sent[receiver] and each.alert_id not in self.settled[receiver]
        ]
        waiting.sort(key=lambda each: (-each.severity, each.created_at, each.alert_id))
        nothing = (0, None, None)
        return [
            PendingDelivery(each, *self.failed[receiver].get(each.alert_id, nothing)[:2])
            for each in waiting[:limit]
        ]

    def last_sent(self, receiver: str, since: datetime) -> Mapping[Cause, datetime]:
        self._answer()
        last: dict[Cause, datetime] = {}
        for each in self.alerts:
            moment = self.sent[receiver].get(each.alert_id)
            if moment is not None and moment > since:
                last[each.cause] = max(moment, last.get(each.cause, moment))
        return last

    def mark_sent(self, receiver: str, alert_ids: Sequence[int], at: datetime) -> None:
        self._answer()
        if self.fails_to_mark_sent:
            self.fails_to_mark_sent -= 1
            raise StorageUnavailable("the database went away")
        self.sent[receiver] |= dict.fromkeys(alert_ids, at)

    def mark_failed(self, receiver: str, alert_ids: Sequence[int], error: str, next_attempt_at: datetime) -> None:
        self._answer()
        for number in alert_ids:
            attempts = self.failed[receiver].get(number, (0, START, ""))[0]
            self.failed[receiver][number] = (attempts + 1, next_attempt_at, error)

    def mark_given_up(self, receiver: str, alert_ids: Sequence[int]) -> None:
        self._answer()
        self.settled[receiver] |= dict.fromkeys(alert_ids, "failed")

    def mark_suppressed(self, receiver: str, alert_ids: Sequence[int]) -> None:
        self._answer()
        self.settled[receiver] |= dict.fromkeys(alert_ids, "suppressed")


class ScriptedChannel:
    """Takes messages, unless `error` is set or `gate` is closed."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()
        self.messages: list[AlertMessage] = []
        self.attempts = 0

    def send(self, message: AlertMessage) -> None:
        self.attempts += 1
        self.begun.set()
        self.gate.wait(20)
        if self.error is not None:
            raise self.error
        self.messages.append(message)
