"""Delivering dead letters: original bytes, the reason in the headers, and the broker's word that it has them."""

import threading
from collections.abc import Sequence
from typing import Final

from services.adapters.kafka.config import MAX_DEAD_LETTER_BYTES
from services.adapters.kafka.producer import OutgoingRecord, RecordPublisher
from services.contracts.codec import dead_letter_headers
from services.contracts.errors import DeliveryFailed
from services.contracts.messages import DeadLetter
from services.contracts.topics import DEAD_LETTER_TOPIC
from services.runtime.deadline import Deadline

MAX_PAYLOAD_BYTES: Final = MAX_DEAD_LETTER_BYTES - 16 * 1024
"""A rejected message larger than any legal frame keeps only its first bytes; a header then tells its true size."""

_KEPT_OF_OVERSIZED_BYTES: Final = 64 * 1024
_DELIVERY_S: Final = 8.0


class KafkaDeadLetterSink:
    """Publishes dead letters and waits for their delivery; safe to use from several threads."""

    def __init__(self, publisher: RecordPublisher) -> None:
        """Use a publisher that nobody else uses."""
        self._publisher = publisher
        self._lock = threading.Lock()

    def publish_all(self, letters: Sequence[DeadLetter]) -> None:
        """Return when every letter is delivered.

        Raises:
            DeliveryFailed: At least one is not, within 8 s; the others may be. Publishing all again is right:
                the header `dlq.frame_id` tells a copy from a new letter.
        """
        with self._lock:
            failures: list[DeliveryFailed] = []
            for letter in letters:
                self._publisher.publish(_record(letter), lambda fate: _note(failures, fate))
            if self._publisher.flush(Deadline.after(_DELIVERY_S)):
                self._publisher.abandon()
            if failures:
                raise failures[0]


def _note(failures: list[DeliveryFailed], fate: DeliveryFailed | None) -> None:
    if fate is not None:
        failures.append(fate)


def _record(letter: DeadLetter) -> OutgoingRecord:
    headers = dead_letter_headers(letter)
    payload = letter.payload
    if len(payload) > MAX_PAYLOAD_BYTES:
        headers.append(("dlq.payload_bytes", str(len(payload)).encode()))
        payload = payload[:_KEPT_OF_OVERSIZED_BYTES]
    return OutgoingRecord(DEAD_LETTER_TOPIC, letter.key, payload, headers)
