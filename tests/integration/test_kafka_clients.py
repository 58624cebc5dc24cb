"""The Kafka adapters against librdkafka's mock cluster: the real client over the real protocol on loopback."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Consumer, Producer

from services.adapters.kafka.config import GroupMembership, admin_config, consumer_config, producer_config
from services.adapters.kafka.dead_letters import MAX_PAYLOAD_BYTES, KafkaDeadLetterSink
from services.adapters.kafka.producer import OutgoingRecord, RecordPublisher
from services.adapters.kafka.resend import header_pairs
from services.adapters.kafka.source import KafkaRecordSource
from services.adapters.kafka.statistics import read_statistics
from services.contracts.codec import dead_letter_of
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.contracts.messages import DeadLetter
from services.contracts.topics import FRAME_TOPIC_PATTERN
from services.runtime.deadline import Deadline
from services.runtime.settings import KafkaSettings
from tests.fakes.record_source_behaviour import (
    Listener,
    RecordSourceBehaviour,
    World,
    new_topic,
    opened,
    take,
)

LETTER = DeadLetter(
    frame_id=UUID(int=7),
    reason="corrupt_image",
    detail="the JPEG decoder objects",
    origin_topic="frames.cam-1",
    origin_partition=0,
    origin_offset=12,
    origin_timestamp=datetime(2026, 1, 2, tzinfo=UTC),
    rejected_at=datetime(2026, 1, 3, tzinfo=UTC),
    app_version="0.1.0",
    key=b"cam-1",
    payload=b"original bytes",
)


@pytest.fixture(scope="module")
def mock_cluster() -> Iterator[KafkaSettings]:
    host = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock", "log_level": 0})
    brokers = host.list_topics(timeout=10).brokers.values()
    yield KafkaSettings(bootstrap_servers=",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    host.flush(1)


class MockWorld:
    """One group on the mock cluster; records go to partition 0, so that their order is known."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._group = uuid4().hex
        self._producer = Producer({"bootstrap.servers": kafka.bootstrap_servers})

    def publish(self, topic: str, *values: bytes) -> None:
        for value in values:
            self._producer.produce(topic, value, partition=0)
        assert self._producer.flush(10) == 0

    def new_source(self, topics: Sequence[str]) -> KafkaRecordSource:
        group = GroupMembership(self._group, uuid4().hex, session_timeout_s=6)
        return KafkaRecordSource(consumer_config(self._kafka, group), topics)


class TestKafkaRecordSource(RecordSourceBehaviour):
    @pytest.fixture
    def world(self, mock_cluster: KafkaSettings) -> World:
        return MockWorld(mock_cluster)


def test_the_pattern_finds_every_camera_and_never_the_dead_letters(mock_cluster: KafkaSettings) -> None:
    world = MockWorld(mock_cluster)
    names = ["cam-1", "d", "dl", "dlq", "dlq2", "dlx", "dog", "q", "Cam_9"]
    for name in names:
        world.publish(f"frames.{name}", name.encode())
    world.publish("other.topic", b"other")
    source = opened(world, FRAME_TOPIC_PATTERN)
    found: set[bytes] = set()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and len(found) < len(names) - 1:
        found |= {record.value for record in source.poll_batch(100, 0.1, 0.01) if len(record.value) < 8}
    found |= {record.value for record in source.poll_batch(100, 0.5, 0.01)}
    source.close()
    assert {name.encode() for name in names} - found == {b"dlq"}
    assert b"other" not in found


def test_a_partition_that_went_while_held_back_is_read_when_it_returns(mock_cluster: KafkaSettings) -> None:
    world = MockWorld(mock_cluster)
    topics = [new_topic(), new_topic()]
    for topic in topics:
        world.publish(topic, b"early")
    first = opened(world, *topics)
    assert {record.position.topic for record in take(first, 2)} == set(topics)
    first.hold()
    second = world.new_source(topics)
    listener = Listener()
    second.open(listener)
    deadline = time.monotonic() + 20
    while not listener.assigned and time.monotonic() < deadline:
        first.poll_batch(1, 0.05, 0.0)
        second.poll_batch(1, 0.05, 0.0)
    assert listener.assigned, "some partitions moved to the second member while the first held its own back"
    first.release()
    second.close()
    for topic in topics:
        world.publish(topic, b"late")
    late: set[str] = set()
    deadline = time.monotonic() + 20
    while late != set(topics) and time.monotonic() < deadline:
        late |= {record.position.topic for record in first.poll_batch(10, 0.1, 0.0) if record.value == b"late"}
    first.close()
    assert late == set(topics)


def test_the_source_tells_when_no_broker_answers() -> None:
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    source = KafkaRecordSource(consumer_config(kafka, GroupMembership("g", "c")), ["frames.cam-1"])
    world_started = time.monotonic()
    assert source.problem is not None
    source.poll_batch(1, 0.2, 0)
    assert source.problem is not None
    source.close()
    assert time.monotonic() - world_started < 10


def test_the_source_is_well_once_it_has_joined(mock_cluster: KafkaSettings) -> None:
    world = MockWorld(mock_cluster)
    world.publish("frames.cam-well", b"a")
    source = opened(world, "frames.cam-well")
    take(source, 1)
    deadline = time.monotonic() + 10
    while source.problem is not None and time.monotonic() < deadline:
        source.poll_batch(1, 0.1, 0)
    assert source.problem is None
    source.close()


def read_letters(kafka: KafkaSettings, count: int) -> list[DeadLetter]:
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": uuid4().hex,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 8_000_000,
        }
    )
    consumer.subscribe(["frames.dlq"])
    letters: list[DeadLetter] = []
    deadline = time.monotonic() + 10
    while len(letters) < count and time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None and message.headers():
            letters.append(dead_letter_of(dict(header_pairs(message)), message.key(), message.value() or b""))
    consumer.close()
    return letters


def test_dead_letters_arrive_with_bytes_key_and_headers(mock_cluster: KafkaSettings) -> None:
    publisher = RecordPublisher(producer_config(mock_cluster, "test"))
    oversized = replace(LETTER, frame_id=UUID(int=8), payload=bytes(MAX_PAYLOAD_BYTES + 1))
    KafkaDeadLetterSink(publisher).publish_all([LETTER, oversized])
    letters = {letter.frame_id: letter for letter in read_letters(mock_cluster, 2)}
    assert letters[LETTER.frame_id] == LETTER
    assert len(letters[oversized.frame_id].payload) == 64 * 1024


def test_dead_letters_that_cannot_be_delivered_raise() -> None:
    nowhere = producer_config(KafkaSettings(bootstrap_servers="127.0.0.1:1"), "test", delivery_timeout_s=0.5)
    with pytest.raises(DeliveryFailed):
        KafkaDeadLetterSink(RecordPublisher(nowhere)).publish_all([LETTER])


def test_every_record_meets_its_fate_once(mock_cluster: KafkaSettings) -> None:
    publisher = RecordPublisher(producer_config(mock_cluster, "test"))
    fates: list[DeliveryFailed | None] = []
    for number in range(50):
        publisher.publish(OutgoingRecord("frames.cam-fate", None, b"%d" % number), fates.append)
    assert publisher.flush(Deadline.after(10)) == 0
    assert fates == [None] * 50
    assert publisher.problem is None


def test_a_full_queue_refuses_a_record_and_loses_none() -> None:
    properties = producer_config(KafkaSettings(bootstrap_servers="127.0.0.1:1"), "test", delivery_timeout_s=30)
    publisher = RecordPublisher({**properties, "queue.buffering.max.messages": 10})
    fates: list[DeliveryFailed | None] = []
    record = OutgoingRecord("frames.cam-1", None, b"x")
    for _ in range(10):
        publisher.publish(record, fates.append)
    with pytest.raises(DeliveryFailed, match="full"):
        publisher.publish(record, fates.append)
    assert publisher.flush(Deadline.after(0.1)) == 10
    publisher.abandon()
    assert len(fates) == 10
    assert all(isinstance(fate, DeliveryFailed) for fate in fates)


def test_the_customers_properties_reach_every_client(tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text("# secured\nsecurity.protocol = SASL_SSL\nsasl.password=a=b\nlinger.ms=9\n\n")
    kafka = KafkaSettings(bootstrap_servers="k:9092", config_file=file)
    for properties in (
        producer_config(kafka, "c"),
        consumer_config(kafka, GroupMembership("g", "c")),
        admin_config(kafka, "c"),
    ):
        assert properties["security.protocol"] == "SASL_SSL"
        assert properties["sasl.password"] == "a=b"
    assert producer_config(kafka, "c")["linger.ms"] == "9"
    assert "linger.ms" not in admin_config(kafka, "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("enable.auto.commit=true", "enable.auto.commit", id="guarantee"),
        pytest.param("security.protocol", "line 1", id="no_value"),
        pytest.param(None, "cannot be read", id="no_file"),
    ],
)
def test_bad_properties_files_are_named(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "kafka.properties"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        producer_config(KafkaSettings(bootstrap_servers="k:9092", config_file=file), "c")


def test_offsets_are_never_committed_behind_our_back() -> None:
    properties = consumer_config(KafkaSettings(bootstrap_servers="k:9092"), GroupMembership("g", "c"))
    assert properties["enable.auto.commit"] is False
    assert properties["enable.auto.offset.store"] is False
    assert properties["auto.offset.reset"] == "earliest"


@pytest.mark.parametrize(
    ("broker_state", "group_state", "join_state", "well"),
    [
        pytest.param("UP", "up", "steady", True, id="member"),
        pytest.param("DOWN", "up", "steady", False, id="no_broker"),
        pytest.param("UP", "query-coord", "init", False, id="no_coordinator"),
        pytest.param("UP", "up", "wait-join", False, id="joining"),
    ],
)
def test_statistics_tell_whether_all_is_well(
    broker_state: str, group_state: str, join_state: str, well: bool
) -> None:
    partitions = {"0": {"partition": 0, "consumer_lag": 5}, "-1": {"partition": -1, "consumer_lag": -1}}
    text = json.dumps(
        {
            "brokers": {"b": {"nodeid": 1, "state": broker_state}, "boot": {"nodeid": -1, "state": "UP"}},
            "cgrp": {"state": group_state, "join_state": join_state},
            "topics": {"frames.cam-1": {"topic": "frames.cam-1", "partitions": partitions}},
        }
    )
    statistics = read_statistics(text)
    assert (statistics.problem is None) is well
    assert statistics.lag_records == {("frames.cam-1", 0): 5}
