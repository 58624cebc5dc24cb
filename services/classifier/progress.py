"""Which offsets may be committed: batches finish in any order, offsets only count without gaps."""

from collections import deque
from collections.abc import Iterable, Mapping

from services.contracts.records import Partition, Record


class PartitionProgress:
    """One partition during one assignment: what was read and is not yet dealt with.

    The object belongs to one assignment. When the partition goes and comes back, a new object is made, and what
    is still in flight from before reports to the old one, where nobody listens.
    """

    def __init__(self) -> None:
        """Start with nothing read."""
        self._open: deque[int] = deque()
        self._finished: set[int] = set()
        self._committable: int | None = None
        self._committed: int | None = None

    def started(self, record: Record) -> None:
        """Say that a record was read; records come in the order of their offsets, which may have gaps."""
        self._open.append(record.next_offset)

    def finished(self, record: Record) -> None:
        """Say that a record is stored or dead-lettered, in whatever order."""
        self._finished.add(record.next_offset)
        while self._open and self._open[0] in self._finished:
            self._committable = self._open.popleft()
            self._finished.discard(self._committable)

    def committed(self, next_offset: int) -> None:
        """Say that the broker has taken an offset."""
        self._committed = next_offset

    @property
    def to_commit(self) -> int | None:
        """The next offset after the longest finished run from the start, None when the broker has it already."""
        return None if self._committable == self._committed else self._committable

    @property
    def resume_at(self) -> int | None:
        """The offset of the oldest record that is not dealt with, None when all are."""
        return self._open[0] - 1 if self._open else None


class Progress:
    """The progress of all partitions that are assigned at the moment."""

    def __init__(self) -> None:
        """Start without partitions."""
        self._partitions: dict[Partition, PartitionProgress] = {}

    def begin(self, partitions: Iterable[Partition]) -> None:
        """Count these partitions anew."""
        for partition in partitions:
            self._partitions[partition] = PartitionProgress()

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Count these partitions no more."""
        for partition in partitions:
            self._partitions.pop(partition, None)

    def of(self, partition: Partition) -> PartitionProgress:
        """Return the progress of a partition that is assigned."""
        return self._partitions[partition]

    def of_topic(self, topic: str) -> dict[Partition, PartitionProgress]:
        """Return the progress of all assigned partitions of a topic."""
        return {name: progress for name, progress in self._partitions.items() if name[0] == topic}

    def to_commit(self, partitions: Iterable[Partition] | None = None) -> dict[Partition, int]:
        """Return the next offsets that the broker should learn, of these partitions or of all."""
        names = self._partitions.keys() if partitions is None else partitions
        offsets = {name: self._partitions[name].to_commit for name in names if name in self._partitions}
        return {name: offset for name, offset in offsets.items() if offset is not None}

    def committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """Say that the broker has taken these offsets."""
        for name, offset in next_offsets.items():
            if name in self._partitions:
                self._partitions[name].committed(offset)
