"""The outbox: what a receiver has not got waits for it, and everything that became of an alert is seen."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.adapters.postgres.alert_outbox import PostgresAlertOutbox
from services.adapters.postgres.monitor_store import PostgresMonitorStore
from services.contracts.monitor_records import CoilResult
from services.domain.alerts import AlertKind, Cause
from services.domain.monitoring.facts import FlagKind
from tests.fakes.coil_facts import a_coil, a_flag
from tests.fixtures_postgres import Database

NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE = timedelta(minutes=1)
SKINPASS = Cause("strip-1", ("skinpass-1",), None, "rolled_pit")
CAMERA = Cause("strip-1", (), "cam-2", None)


@pytest.fixture
def outbox(database: Database, monitor_store: PostgresMonitorStore) -> Iterator[PostgresAlertOutbox]:
    """Two alerts: severity 2 about a camera first, then severity 4 about a machine."""
    dirty = a_flag(kind=FlagKind.CAMERA, group_id="camera:cam-2", machine_ids=(), defect_class=None, severity=2)
    monitor_store.save_coil(CoilResult(a_coil(5), (), [dirty]))
    monitor_store.save_coil(CoilResult(a_coil(6), (), [a_flag(severity=4)]))
    outbox = PostgresAlertOutbox(database.monitor_settings)
    yield outbox
    outbox.close()


def _ids(outbox: PostgresAlertOutbox, receiver: str = "mail") -> list[int]:
    return [delivery.alert.alert_id for delivery in outbox.pending(receiver, 100)]


def test_everything_is_pending_for_everybody_most_severe_first(outbox: PostgresAlertOutbox) -> None:
    pending = outbox.pending("mail", 100)
    assert [(p.alert.kind, p.alert.severity, p.alert.cause, p.attempts, p.next_attempt_at) for p in pending] == [
        (AlertKind.FLAG_RAISED, 4, SKINPASS, 0, None),
        (AlertKind.FLAG_RAISED, 2, CAMERA, 0, None),
    ]
    assert pending[0].alert.text.startswith("rolled pits every 1.618 m")
    assert len(outbox.pending("mail", 1)) == 1


def test_what_was_sent_suppressed_or_given_up_is_no_longer_pending_for_this_receiver(
    outbox: PostgresAlertOutbox, database: Database
) -> None:
    severe, mild = _ids(outbox)
    for _ in range(2):
        outbox.mark_sent("mail", [severe], NOW)
        outbox.mark_suppressed("mail", [mild])
        outbox.mark_given_up("phone", [severe])
    assert _ids(outbox) == []
    assert _ids(outbox, "phone") == [mild]
    assert database.rows("SELECT receiver, state, sent_at FROM alert_deliveries ORDER BY receiver, alert_id") == [
        ("mail", "suppressed", None), ("mail", "sent", NOW), ("phone", "failed", None),
    ]  # fmt: skip


def test_failed_attempts_are_counted_once_and_stay_pending(
    outbox: PostgresAlertOutbox, database: Database
) -> None:
    severe, mild = _ids(outbox)
    for at in (NOW, NOW, NOW + MINUTE):
        outbox.mark_failed("mail", [severe], "the server\0said no", at)
    waiting = {p.alert.alert_id: (p.attempts, p.next_attempt_at) for p in outbox.pending("mail", 9)}
    assert waiting == {severe: (2, NOW + MINUTE), mild: (0, None)}
    outbox.mark_given_up("mail", [severe])
    assert database.rows("SELECT state, attempts, last_error FROM alert_deliveries") == [
        ("failed", 2, "the server\N{REPLACEMENT CHARACTER}said no")
    ]


def test_the_last_message_about_each_cause_is_known(outbox: PostgresAlertOutbox) -> None:
    severe, mild = _ids(outbox)
    outbox.mark_sent("mail", [severe], NOW)
    outbox.mark_sent("mail", [mild], NOW - 5 * MINUTE)
    assert outbox.last_sent("mail", NOW - 9 * MINUTE) == {SKINPASS: NOW, CAMERA: NOW - 5 * MINUTE}
    assert outbox.last_sent("mail", NOW - MINUTE) == {SKINPASS: NOW}
    assert outbox.last_sent("phone", NOW - MINUTE) == {}


def test_a_kind_of_a_newer_program_waits(outbox: PostgresAlertOutbox, database: Database) -> None:
    database.execute("UPDATE alert_outbox SET kind = 'strip_torn' WHERE severity = 4")
    assert len(_ids(outbox)) == 1
