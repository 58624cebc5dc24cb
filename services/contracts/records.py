"""A message as the broker holds it, before anybody has looked inside."""

from dataclasses import dataclass
from datetime import datetime

from services.domain.inspection import BrokerPosition

Partition = tuple[str, int]
"""A topic and the number of one of its partitions."""


@dataclass(frozen=True, slots=True)
class Record:
    """One message: where it lay, when the broker or the producer stamped it (aware UTC), key and value.

    `value` is empty when the message has none (a tombstone).
    """

    position: BrokerPosition
    timestamp: datetime
    key: bytes | None
    value: bytes

    @property
    def partition(self) -> Partition:
        """The partition it lay in."""
        return (self.position.topic, self.position.partition)

    @property
    def next_offset(self) -> int:
        """The offset to commit once this message and all before it are dealt with."""
        return self.position.offset + 1
