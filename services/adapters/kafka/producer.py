"""Publishing records: every record's fate is reported exactly once, the memory in use is bounded."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from services.adapters.kafka.client_log import client_logger
from services.contracts.errors import DeliveryFailed
from services.runtime.deadline import Deadline

logger = logging.getLogger(__name__)

_FLUSH_SLICE_S: Final = 0.25

OnFate = Callable[[DeliveryFailed | None], None]
"""Called once per record, from `poll` or `flush`, in the caller's thread: None when the broker has it."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record to publish; `timestamp_ms` is Unix time in milliseconds, 0 lets the client stamp it."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = field(default=())
    timestamp_ms: int = 0


class RecordPublisher:
    """Hands records to librdkafka. Use it from one thread; nothing is reported unless `poll` is called.

    An acknowledged record is on all in-sync replicas. A failed one may be there all the same (its
    acknowledgement was lost): sending it again is right, and the frame id absorbs the copy. A fatal error of
    the client (it lost its idempotent producer id, for one) makes it start afresh at the next `publish`.
    """

    def __init__(self, properties: Mapping[str, str | int | float | bool]) -> None:
        """Prepare the client; connecting happens in the background."""
        self._properties = dict(properties)
        self._fatal: str | None = None
        self._unreachable: str | None = None
        self.recreated_total = 0
        self._producer = self._create()

    @property
    def problem(self) -> str | None:
        """Why nothing can be delivered at the moment, in words; None when nothing is known to be wrong."""
        return self._fatal or self._unreachable

    @property
    def waiting(self) -> int:
        """Records and reports that the client still holds."""
        return len(self._producer)

    def publish(self, record: OutgoingRecord, on_fate: OnFate) -> None:
        """Queue a record for sending.

        Raises:
            DeliveryFailed: The client's queue is full, or the record is larger than the client may send; it is not
                queued and `on_fate` will not be called.
        """
        if self._fatal is not None:
            self._start_afresh()
        try:
            self._producer.produce(
                record.topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=self._reporter(on_fate),
                timestamp=record.timestamp_ms,
            )
        except BufferError as error:
            raise DeliveryFailed("the producer's queue is full") from error
        except KafkaException as error:
            raise DeliveryFailed(f"the producer refuses a record: {error.args[0].str()}") from error

    def poll(self, timeout_s: float) -> int:
        """Report fates for up to `timeout_s` seconds; return how many events were served."""
        return int(self._producer.poll(timeout_s))

    def flush(self, deadline: Deadline) -> int:
        """Wait until every fate is reported or the deadline has passed; return how many are still unknown."""
        while len(self._producer) and not deadline.expired:
            self._producer.flush(min(_FLUSH_SLICE_S, deadline.remaining_s))
        return len(self._producer)

    def abandon(self) -> None:
        """Fail what is still queued or in flight, and report it."""
        self._producer.purge()
        self._producer.flush(_FLUSH_SLICE_S)

    def _create(self) -> Producer:
        return Producer({**self._properties, "error_cb": self._on_error}, logger=client_logger("producer"))

    def _start_afresh(self) -> None:
        logger.warning("the producer starts afresh", extra={"reason": self._fatal})
        self.abandon()
        self._fatal = None
        self._producer = self._create()
        self.recreated_total += 1

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = error.str()
        elif error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._unreachable = error.str()

    def _reporter(self, on_fate: OnFate) -> Callable[[KafkaError | None, Message], None]:
        def report(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                self._unreachable = None
                on_fate(None)
                return
            on_fate(DeliveryFailed(f"the broker did not take a record: {error.str()}"))

        return report
