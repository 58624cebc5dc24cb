"""A message as the broker holds it, before anybody has looked inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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


class PartitionListener(Protocol):
    """Whoever must know which partitions come and go; called from inside the source's `poll_batch`."""

    def on_assigned(self, partitions: Sequence[Partition]) -> None:
        """These partitions are ours from now on, read from their committed offsets."""

    def on_revoked(self, partitions: Sequence[Partition]) -> None:
        """These partitions are about to go; offsets may still be committed until this returns."""

    def on_lost(self, partitions: Sequence[Partition]) -> None:
        """These partitions are gone and may be somebody else's: commit nothing."""

    def on_committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """The broker has taken offsets that `commit_soon` was given."""
