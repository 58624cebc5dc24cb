"""A broker in memory: a log per partition, committed offsets, and sources that read them.

Not shown here, only on the real broker: the time a group takes to move partitions, and retention.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from services.contracts.errors import CommitFailed
from services.contracts.records import Partition, PartitionListener, Record
from services.domain.inspection import BrokerPosition

CLUSTER = "memory"


class MemoryBroker:
    """What lies in the broker and what the group has committed; outlives the sources."""

    def __init__(self) -> None:
        self.log: dict[Partition, list[Record]] = {}
        self.committed: dict[Partition, int] = {}
        self._lock = threading.Lock()

    def append(
        self, topic: str, value: bytes, key: bytes | None = None, partition: int = 0, at: datetime | None = None
    ) -> Record:
        with self._lock:
            records = self.log.setdefault((topic, partition), [])
            place = BrokerPosition(CLUSTER, topic, partition, len(records))
            records.append(Record(place, at or datetime.now(UTC), key, value))
            return records[-1]

    @property
    def lag(self) -> int:
        """Records that are not committed."""
        return sum(len(records) - self.committed.get(part, 0) for part, records in self.log.items())


class MemorySource:
    """Reads a `MemoryBroker` as the only member of its group."""

    problem: str | None = None

    def __init__(self, broker: MemoryBroker) -> None:
        self.broker = broker
        self.commits: list[dict[Partition, int]] = []
        self.holds = 0
        self.polls = 0
        self.closed = False
        self.commit_failures = 0
        self.stale_polls = 0
        """How often a topic that is set aside delivers once more, as a client's fetch queue may."""
        self._held = False
        self._aside: set[str] = set()
        self._position: dict[Partition, int] = {}
        self._leaving: list[tuple[str, Sequence[Partition]]] = []
        self._banned: set[Partition] = set()
        self._listener: PartitionListener | None = None

    def open(self, listener: PartitionListener) -> None:
        self._listener = listener

    def revoke(self, partitions: Sequence[Partition]) -> None:
        """Take partitions away at the next poll, after asking."""
        self._leaving.append(("revoked", partitions))

    def lose(self, partitions: Sequence[Partition]) -> None:
        """Take partitions away at the next poll, without asking."""
        self._leaving.append(("lost", partitions))

    def give_back(self, partitions: Iterable[Partition]) -> None:
        """Assign partitions again that were taken away."""
        self._banned -= set(partitions)

    def poll_batch(self, max_records: int, wait_s: float, linger_s: float) -> list[Record]:
        self.polls += 1
        self._move_partitions()
        deadline = time.monotonic() + wait_s
        while True:
            records = self._read(max_records)
            if records or time.monotonic() >= deadline:
                return records
            time.sleep(0.001)

    def commit_soon(self, next_offsets: Mapping[Partition, int]) -> None:
        self.commit(next_offsets)
        assert self._listener is not None
        self._listener.on_committed(next_offsets)

    def commit(self, next_offsets: Mapping[Partition, int]) -> None:
        if self.commit_failures:
            self.commit_failures -= 1
            raise CommitFailed("the coordinator is away")
        self.commits.append(dict(next_offsets))
        self.broker.committed |= next_offsets

    def hold(self) -> None:
        self.holds += 0 if self._held else 1
        self._held = True

    def release(self) -> None:
        self._held = False

    def set_aside(self, topic: str) -> None:
        self._aside.add(topic)

    def take_back(self, topic: str, next_offsets: Mapping[Partition, int]) -> None:
        self._aside.discard(topic)
        self._position |= {part: at for part, at in next_offsets.items() if part in self._position}

    def close(self) -> None:
        assert self._listener is not None
        if self._position:
            self._listener.on_revoked(list(self._position))
        self._position = {}
        self.closed = True

    def _move_partitions(self) -> None:
        assert self._listener is not None
        while self._leaving:
            how, partitions = self._leaving.pop(0)
            tell = self._listener.on_revoked if how == "revoked" else self._listener.on_lost
            tell(partitions)
            self._banned |= set(partitions)
            for partition in partitions:
                self._position.pop(partition, None)
        arriving = [
            part for part in list(self.broker.log) if part not in self._position and part not in self._banned
        ]
        if arriving:
            self._position |= {part: self.broker.committed.get(part, 0) for part in arriving}
            self._listener.on_assigned(arriving)

    def _is_stale(self) -> bool:
        self.stale_polls -= 1
        return self.stale_polls >= 0

    def _read(self, max_records: int) -> list[Record]:
        records: list[Record] = []
        for part in self._position:
            if self._held or (part[0] in self._aside and not self._is_stale()):
                continue
            start = self._position[part]
            taken = self.broker.log[part][start : start + max_records - len(records)]
            self._position[part] += len(taken)
            records += taken
        return records
