"""What every source of records promises, written once; run on the fake and on real clients.

A test class inherits `RecordSourceBehaviour` and gives the fixture `world`.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import uuid4

from services.classifier.ports import RecordSource
from services.contracts.records import Partition, Record


class World(Protocol):
    """A broker to publish to, and new members of one group that read the given topics."""

    def publish(self, topic: str, *values: bytes) -> None: ...

    def new_source(self, topics: Sequence[str]) -> RecordSource: ...


class Listener:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.assigned: set[Partition] = set()
        self.committed: dict[Partition, int] = {}

    def on_assigned(self, partitions: Sequence[Partition]) -> None:
        self.assigned |= set(partitions)

    def on_revoked(self, partitions: Sequence[Partition]) -> None:
        self.assigned -= set(partitions)

    def on_lost(self, partitions: Sequence[Partition]) -> None:
        self.assigned -= set(partitions)

    def on_committed(self, next_offsets: Mapping[Partition, int]) -> None:
        self.committed |= next_offsets


def new_topic() -> str:
    return f"frames.cam-{uuid4().hex[:8]}"


def opened(world: World, *topics: str) -> RecordSource:
    source = world.new_source(topics)
    source.open(Listener())
    return source


def take(source: RecordSource, count: int, seconds: float = 10.0) -> list[Record]:
    """Poll until `count` records have come."""
    records: list[Record] = []
    deadline = time.monotonic() + seconds
    while len(records) < count and time.monotonic() < deadline:
        records += source.poll_batch(count - len(records), 0.1, 0.0)
    assert len(records) == count, f"{len(records)} of {count} records came"
    return records


def nothing_comes(source: RecordSource, seconds: float = 0.5) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if source.poll_batch(10, 0.05, 0.0):
            return False
    return True


class RecordSourceBehaviour:
    """The tests."""

    def test_records_come_in_the_order_of_their_offsets(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, *(b"%d" % number for number in range(40)))
        source = opened(world, topic)
        records = take(source, 40)
        source.close()
        assert [record.value for record in records] == [b"%d" % number for number in range(40)]
        assert [record.position.offset for record in records] == list(range(40))
        assert records[0].position.cluster_id
        assert records[0].timestamp.utcoffset() is not None

    def test_the_listener_knows_a_partition_before_its_first_record(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"a")
        source, listener = world.new_source([topic]), Listener()
        source.open(listener)
        (record,) = take(source, 1)
        assert record.partition in listener.assigned
        source.close()

    def test_a_successor_starts_at_the_committed_offset(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"a", b"b", b"c")
        source = opened(world, topic)
        records = take(source, 3)
        source.commit({records[1].partition: records[1].next_offset})
        source.close()
        successor = opened(world, topic)
        assert [record.value for record in take(successor, 1)] == [b"c"]
        successor.close()

    def test_a_commit_that_does_not_wait_is_told_to_the_listener(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"a", b"b")
        source, listener = world.new_source([topic]), Listener()
        source.open(listener)
        records = take(source, 2)
        source.commit_soon({records[0].partition: records[0].next_offset})
        deadline = time.monotonic() + 10
        while not listener.committed and time.monotonic() < deadline:
            source.poll_batch(1, 0.05, 0.0)
        source.close()
        assert listener.committed == {records[0].partition: 1}
        successor = opened(world, topic)
        assert [record.value for record in take(successor, 1)] == [b"b"]
        successor.close()

    def test_what_is_not_committed_comes_again(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"a", b"b")
        source = opened(world, topic)
        take(source, 2)
        source.close()
        successor = opened(world, topic)
        assert len(take(successor, 2)) == 2
        successor.close()

    def test_nothing_comes_while_held_and_everything_after(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"a")
        source = opened(world, topic)
        take(source, 1)
        source.hold()
        world.publish(topic, b"b", b"c")
        assert nothing_comes(source)
        source.release()
        assert [record.value for record in take(source, 2)] == [b"b", b"c"]
        source.close()

    def test_a_topic_set_aside_starts_again_where_it_was_told(self, world: World) -> None:
        bad, good = new_topic(), new_topic()
        world.publish(bad, b"a", b"b", b"c")
        world.publish(good, b"x")
        source = opened(world, bad, good)
        records = take(source, 4)
        second = next(record for record in records if record.value == b"b")
        source.set_aside(bad)
        world.publish(good, b"y")
        assert [record.value for record in take(source, 1)] == [b"y"]
        source.hold()
        source.release()
        assert nothing_comes(source)
        source.take_back(bad, {second.partition: second.position.offset})
        assert [record.value for record in take(source, 2)] == [b"b", b"c"]
        source.close()

    def test_an_empty_value_is_empty_bytes(self, world: World) -> None:
        topic = new_topic()
        world.publish(topic, b"")
        source = opened(world, topic)
        assert take(source, 1)[0].value == b""
        source.close()
