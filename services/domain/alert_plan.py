"""When a receiver is told: the plan of the messages that are due.

Rules, per receiver:

1. An alert the policy does not ask for (kind, severity) is suppressed.
2. Alerts of one cause travel in one message. After a message, its cause is silent for the cooldown; what happens
   meanwhile is folded into the next message of that cause.
3. With a digest, alerts of all causes are collected for `digest_every_s`, counted from the oldest that waits, and
   travel in one message, most severe first.
4. Severity 4 waits for neither; what else is pending of its cause travels along.
5. A message that failed is tried again after a doubling wait, until `give_up_after_s` and at least
   `MIN_ATTEMPTS` attempts are over; then its alerts are given up, visibly.

Every alert is in exactly one of: a message that is due, suppressed, given up, or still pending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.domain.alerts import URGENT, Cause, Message, PendingDelivery, ReceiverPolicy

MIN_ATTEMPTS: Final = 20
"""An alert is tried at least this often before it is given up, however old it is."""

MESSAGE_ALERTS: Final = 100
"""Alerts in one message at most; more make several messages."""

_FIRST_RETRY_S: Final = 5.0
_LONGEST_RETRY_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """What to do now for one receiver.

    Attributes:
        send_now: Messages that are due, most severe first, then oldest first.
        suppressed: Numbers of alerts the receiver did not ask for, ascending.
        given_up: Numbers of alerts that are no longer tried, ascending.
        wait_until: When the next of the waiting alerts is due; None when none waits.
    """

    send_now: tuple[Message, ...]
    suppressed: tuple[int, ...]
    given_up: tuple[int, ...]
    wait_until: datetime | None


def retry_delay_s(attempts: int) -> float:
    """Seconds to wait after the n-th failed attempt: 5, 10, 20, ... up to 15 minutes."""
    return min(_LONGEST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(attempts - 1, 10))


def plan_deliveries(
    pending: Sequence[PendingDelivery],
    last_sent: Mapping[Cause, datetime],
    policy: ReceiverPolicy,
    now: datetime,
) -> DeliveryPlan:
    """Decide what one receiver gets now; the order of `pending` has no influence.

    Args:
        pending: Everything the receiver has not got, waiting for another attempt or not; each alert once.
        last_sent: When the receiver last got a message about a cause.
        policy: What it wants.
        now: The present moment, aware.
    """
    wanted = [delivery for delivery in pending if policy.wants(delivery.alert)]
    living = [delivery for delivery in wanted if not _is_given_up(delivery, policy, now)]
    due: list[Message] = []
    waits: list[datetime] = []
    for group in _groups(living, policy):
        due_at = _due_at(group, last_sent, policy, now)
        if due_at > now:
            waits.append(due_at)
        else:
            due.extend(_messages(group, policy))
    return DeliveryPlan(
        send_now=tuple(sorted(due, key=_urgency)),
        suppressed=_numbers(pending, wanted),
        given_up=_numbers(wanted, living),
        wait_until=min(waits, default=None),
    )


@dataclass(frozen=True, slots=True)
class _Group:
    """Deliveries that become due together, oldest first; of one cause, or a digest when `cause` is None."""

    cause: Cause | None
    deliveries: tuple[PendingDelivery, ...]

    @property
    def urgent(self) -> list[PendingDelivery]:
        return [delivery for delivery in self.deliveries if delivery.alert.severity >= URGENT]


def _groups(living: Sequence[PendingDelivery], policy: ReceiverPolicy) -> list[_Group]:
    urgent = {delivery.alert.cause for delivery in living if delivery.alert.severity >= URGENT}
    found: dict[Cause | None, list[PendingDelivery]] = {}
    for delivery in sorted(living, key=lambda each: (each.alert.created_at, each.alert.alert_id)):
        cause = delivery.alert.cause
        collected = policy.digest_every_s is not None and cause not in urgent
        found.setdefault(None if collected else cause, []).append(delivery)
    return [_Group(cause, tuple(deliveries)) for cause, deliveries in found.items()]


def _due_at(group: _Group, last_sent: Mapping[Cause, datetime], policy: ReceiverPolicy, now: datetime) -> datetime:
    """Return when a group may go; an urgent alert that was never tried does not even wait for a retry."""
    if any(delivery.attempts == 0 for delivery in group.urgent):
        return now
    retries = [each.next_attempt_at for each in group.deliveries if each.next_attempt_at is not None]
    retry_at = max(retries, default=now)
    if group.urgent:
        return retry_at
    oldest_at = group.deliveries[0].alert.created_at
    if group.cause is None:
        return max(retry_at, oldest_at + timedelta(seconds=policy.digest_every_s or 0.0))
    sent_at = last_sent.get(group.cause)
    return retry_at if sent_at is None else max(retry_at, sent_at + timedelta(seconds=policy.cooldown_s))


def _messages(group: _Group, policy: ReceiverPolicy) -> list[Message]:
    """Cut a group into messages; of one cause oldest first, of a digest most severe first."""
    deliveries = list(group.deliveries)
    if group.cause is None:
        deliveries.sort(key=lambda each: -each.alert.severity)
    messages = []
    for start in range(0, len(deliveries), MESSAGE_ALERTS):
        part = deliveries[start : start + MESSAGE_ALERTS]
        alerts = [delivery.alert for delivery in part]
        if group.cause is not None:
            alerts.reverse()
        attempts = max(delivery.attempts for delivery in part)
        messages.append(Message(policy.name, tuple(alerts), group.cause is None, attempts))
    return messages


def _is_given_up(delivery: PendingDelivery, policy: ReceiverPolicy, now: datetime) -> bool:
    age_s = (now - delivery.alert.created_at).total_seconds()
    return delivery.attempts >= MIN_ATTEMPTS and age_s >= policy.give_up_after_s


def _numbers(before: Sequence[PendingDelivery], after: Sequence[PendingDelivery]) -> tuple[int, ...]:
    """Return the alerts that are in the first and not in the second, ascending."""
    kept = {delivery.alert.alert_id for delivery in after}
    return tuple(sorted(each.alert.alert_id for each in before if each.alert.alert_id not in kept))


def _urgency(message: Message) -> tuple[int, datetime, int]:
    oldest = min(message.alerts, key=lambda alert: (alert.created_at, alert.alert_id))
    return -message.severity, oldest.created_at, oldest.alert_id
