"""Takes alerts from the outbox to their receivers: each in its own thread, nothing lost, nothing delayed.

At least once: an alert stays pending until its receiver has taken it and that is recorded. Only when the process
dies between the two is a message sent again, with the same `message_id`.
"""

import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final, Protocol

from services.contracts.alert_messages import AlertChannel, render_message
from services.contracts.errors import ConfigurationError, TransientError
from services.domain.alert_plan import plan_deliveries, retry_delay_s
from services.domain.alerts import Cause, Message, PendingDelivery, ReceiverPolicy
from services.runtime.clock import Clock
from services.runtime.deadline import Deadline

MOST_PENDING: Final = 2000
"""Alerts of one receiver that are looked at in one turn: the most severe, then the oldest."""

logger = logging.getLogger(__name__)


class Outbox(Protocol):
    """The alerts that wait, and what became of them; every method raises `StorageUnavailable`.

    What is marked may be marked again, when the first answer got lost.
    """

    def pending(self, receiver: str, limit: int) -> Sequence[PendingDelivery]:
        """Return what the receiver has not got, also what waits for another attempt: most severe, oldest first."""
        ...

    def last_sent(self, receiver: str, since: datetime) -> Mapping[Cause, datetime]:
        """Return when the receiver last got a message about each cause, as far as that was after `since`."""
        ...

    def mark_sent(self, receiver: str, alert_ids: Sequence[int], at: datetime) -> None:
        """Note that the receiver has taken them."""

    def mark_failed(self, receiver: str, alert_ids: Sequence[int], error: str, next_attempt_at: datetime) -> None:
        """Note one more failed attempt; they stay pending."""

    def mark_given_up(self, receiver: str, alert_ids: Sequence[int]) -> None:
        """Set them to failed, for people to see; the last error stays beside them."""

    def mark_suppressed(self, receiver: str, alert_ids: Sequence[int]) -> None:
        """Note that the receiver did not ask for them."""


class DeliveryResult(StrEnum):
    """What became of an alert in a turn."""

    SENT = "sent"
    ATTEMPT_FAILED = "attempt_failed"
    GIVEN_UP = "given_up"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class TurnReport:
    """What one turn came to.

    Attributes:
        alerts: Number of alerts by receiver and result, as far as recorded in this turn.
        busy: Receivers whose sending goes on.
        problem: Why the outbox did not answer, or None.
    """

    alerts: Mapping[tuple[str, DeliveryResult], int]
    busy: tuple[str, ...]
    problem: str | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    message: Message
    at: datetime
    error: str | None


class _Lane:
    """One receiver and the only thread that talks to it."""

    def __init__(self, policy: ReceiverPolicy, channel: AlertChannel, clock: Clock, batch_s: float) -> None:
        self.policy = policy
        self.unrecorded: deque[_Outcome] = deque()
        self.problem: str | None = None
        self.batch: Future[None] | None = None
        self._channel = channel
        self._clock = clock
        self._batch_s = batch_s
        self._outcomes: SimpleQueue[_Outcome] = SimpleQueue()
        self._closing = Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"alerts-{policy.name}")

    @property
    def is_busy(self) -> bool:
        return self.batch is not None and not self.batch.done()

    def offer(self, messages: Sequence[Message]) -> None:
        """Begin to send; the thread must be idle."""
        self.batch = self._thread.submit(self._send_all, messages)

    def collect(self) -> bool:
        """Move outcomes to `unrecorded`; whether the batch is complete. A bug in the thread is raised here."""
        is_complete = not self.is_busy
        while True:
            try:
                self.unrecorded.append(self._outcomes.get_nowait())
            except Empty:
                break
        if is_complete and self.batch is not None:
            self.batch.result()
        return is_complete

    def close(self) -> None:
        self._closing.set()
        self._thread.shutdown(wait=False)

    def _send_all(self, messages: Sequence[Message]) -> None:
        """Send in order, at least one; what the time does not suffice for stays pending and is planned again."""
        deadline = Deadline.after(self._batch_s)
        for message in messages:
            error = self._attempt(message)
            self._outcomes.put(_Outcome(message, self._clock(), error))
            if self._closing.is_set() or deadline.expired:
                return

    def _attempt(self, message: Message) -> str | None:
        try:
            self._channel.send(render_message(message))
        except (TransientError, ConfigurationError) as error:
            return str(error)
        return None


class AlertCourier:
    """Brings alerts out; `turn` and `close` are called by one thread, which alone touches the outbox."""

    def __init__(
        self,
        outbox: Outbox,
        receivers: Sequence[tuple[ReceiverPolicy, AlertChannel]],
        clock: Clock,
        batch_s: float = 30.0,
    ) -> None:
        """Take one policy and channel per receiver; a receiver's thread starts no message after `batch_s`."""
        self._outbox = outbox
        self._clock = clock
        self._lanes = [_Lane(policy, channel, clock, batch_s) for policy, channel in receivers]

    @property
    def problems(self) -> dict[str, str]:
        """Receivers whose last attempt failed, with the sentence that says why."""
        return {lane.policy.name: lane.problem for lane in self._lanes if lane.problem is not None}

    def turn(self, wait_s: float = 1.0) -> TurnReport:
        """Send what is due to every receiver that is idle; wait at most `wait_s` for it, record the rest later.

        Infrastructure that fails is recorded and reported, never raised: a receiver in the outbox and `problems`,
        the outbox in the report; what was sent meanwhile is recorded first when it answers again.
        """
        results: Counter[tuple[str, DeliveryResult]] = Counter()
        problem = None
        try:
            for lane in self._lanes:
                if lane.collect():
                    self._record(lane, results)
                    self._begin(lane, results)
            wait([lane.batch for lane in self._lanes if lane.batch is not None], timeout=wait_s)
            for lane in self._lanes:
                lane.collect()
                self._record(lane, results)
        except TransientError as error:
            problem = str(error)
            logger.warning("alerts wait for the outbox", extra={"reason": problem})
        return TurnReport(results, tuple(lane.policy.name for lane in self._lanes if lane.is_busy), problem)

    def close(self, timeout_s: float) -> None:
        """Begin nothing more, wait `timeout_s` for messages under way and record them; the others stay pending."""
        for lane in self._lanes:
            lane.close()
        wait([lane.batch for lane in self._lanes if lane.batch is not None], timeout=timeout_s)
        try:
            for lane in self._lanes:
                lane.collect()
                self._record(lane, Counter())
        except TransientError as error:
            logger.warning(
                "sent alerts could not be recorded and will be sent again", extra={"reason": str(error)}
            )

    def _begin(self, lane: _Lane, results: Counter[tuple[str, DeliveryResult]]) -> None:
        policy, now = lane.policy, self._clock()
        pending = self._outbox.pending(policy.name, MOST_PENDING)
        if not pending:
            return
        last_sent = self._outbox.last_sent(policy.name, now - timedelta(seconds=policy.cooldown_s))
        plan = plan_deliveries(pending, last_sent, policy, now)
        if plan.suppressed:
            self._outbox.mark_suppressed(policy.name, plan.suppressed)
            results[policy.name, DeliveryResult.SUPPRESSED] += len(plan.suppressed)
        if plan.given_up:
            self._outbox.mark_given_up(policy.name, plan.given_up)
            results[policy.name, DeliveryResult.GIVEN_UP] += len(plan.given_up)
            logger.error("alerts were given up", extra={"receiver": policy.name, "alert_ids": list(plan.given_up)})
        if plan.send_now:
            lane.offer(plan.send_now)

    def _record(self, lane: _Lane, results: Counter[tuple[str, DeliveryResult]]) -> None:
        """Write outcomes down in order; one leaves the list only when it is written."""
        name = lane.policy.name
        while lane.unrecorded:
            outcome = lane.unrecorded[0]
            ids = outcome.message.alert_ids
            if outcome.error is None:
                self._outbox.mark_sent(name, ids, outcome.at)
            else:
                wait_s = retry_delay_s(outcome.message.attempts + 1)
                self._outbox.mark_failed(name, ids, outcome.error, outcome.at + timedelta(seconds=wait_s))
            lane.unrecorded.popleft()
            result = DeliveryResult.SENT if outcome.error is None else DeliveryResult.ATTEMPT_FAILED
            results[name, result] += len(ids)
            self._note(lane, outcome.error)

    @staticmethod
    def _note(lane: _Lane, error: str | None) -> None:
        if error is not None and lane.problem is None:
            logger.warning("alerts wait for a receiver", extra={"receiver": lane.policy.name, "reason": error})
        if error is None and lane.problem is not None:
            logger.info("a receiver takes alerts again", extra={"receiver": lane.policy.name})
        lane.problem = error
