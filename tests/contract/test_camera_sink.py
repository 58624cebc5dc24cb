"""The camera room's way out, against librdkafka's own mock cluster."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from typing_extensions import override

from services.adapters.kafka.broker_probe import BrokerProbe
from services.adapters.kafka.config import producer_config
from services.adapters.kafka.frame_sink import KafkaFrameSink, KafkaStatusSink
from services.adapters.kafka.producer import OnFate, OutgoingRecord, RecordPublisher
from services.adapters.kafka.send_image import send_bare_image
from services.adapters.kafka.topics import TopicPlan
from services.contracts.codec import (
    decode_camera_status,
    decode_frame,
    encode_camera_status,
    encode_frame,
)
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.contracts.identity import frame_id_for_spooled
from services.contracts.messages import CameraStatus, Frame, ImageEncoding
from services.contracts.topics import CAMERA_STATUS_TOPIC, frame_topic
from services.runtime.settings import KafkaSettings

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
SESSION = uuid4()


@pytest.fixture(scope="module")
def mock_broker() -> Iterator[tuple[Producer, str]]:
    """A mock cluster: the producer that hosts it, and its address."""
    host = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    broker = next(iter(host.list_topics(timeout=10).brokers.values()))
    yield host, f"{broker.host}:{broker.port}"
    host.flush(1.0)


def make_topic(host: Producer, topic: str) -> None:
    host.list_topics(topic, timeout=5)
    host.produce(topic, b"made")
    host.flush(5)


def frame(camera_id: str, sequence: int) -> Frame:
    return Frame(
        frame_id=frame_id_for_spooled(camera_id, SESSION, sequence),
        camera_id=camera_id,
        line_id="strip-1",
        coil_id="coil-1",
        material="steel_strip",
        captured_at=NOW,
        session_id=SESSION,
        sequence=sequence,
        strip_position_m=1.5,
        width_px=64,
        height_px=64,
        encoding=ImageEncoding.JPEG,
        image=b"\xff\xd8\xff" + sequence.to_bytes(4, "big"),
        sha256=b"\0" * 32,
    )


def read(bootstrap: str, topic: str, count: int) -> list[tuple[bytes, bytes]]:
    """Keys and values of a topic, the message that made it left out."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "log_level": 0})
    partitions = consumer.list_topics(topic, timeout=5).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    messages: list[tuple[bytes, bytes]] = []
    end = time.monotonic() + 10
    while len(messages) < count and time.monotonic() < end:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None and message.value() != b"made":
            messages.append((message.key() or b"", message.value() or b""))
    consumer.close()
    return messages


def real_sink(bootstrap: str, camera_id: str) -> KafkaFrameSink:
    properties = producer_config(KafkaSettings(bootstrap_servers=bootstrap), camera_id)
    return KafkaFrameSink(lambda: RecordPublisher(properties), encode_frame, lambda: None, lambda: 100.0)


def test_frames_arrive_keyed_by_their_camera_and_in_order(mock_broker: tuple[Producer, str]) -> None:
    host, bootstrap = mock_broker
    make_topic(host, frame_topic("cam-order"))
    sink = real_sink(bootstrap, "cam-order")
    fates: list[DeliveryFailed | None] = []
    for sequence in range(1, 101):
        sink.publish(frame("cam-order", sequence), fates.append)
    end = time.monotonic() + 10
    while len(fates) < 100 and time.monotonic() < end:
        sink.poll(0.1)
    assert fates == [None] * 100
    messages = read(bootstrap, frame_topic("cam-order"), 100)
    assert {key for key, _ in messages} == {b"cam-order"}
    assert [decode_frame(value).sequence for _, value in messages] == list(range(1, 101))
    assert decode_frame(messages[4][1]) == frame("cam-order", 5)


def test_statuses_arrive(mock_broker: tuple[Producer, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.adapters.kafka.frame_sink._STATUS_FLUSH_S", 10.0)  # for a busy machine
    host, bootstrap = mock_broker
    make_topic(host, CAMERA_STATUS_TOPIC)
    settings = KafkaSettings(bootstrap_servers=bootstrap)
    sink = KafkaStatusSink(RecordPublisher(producer_config(settings, "status")), encode_camera_status)
    status = CameraStatus("cam-1", SESSION, NOW, "waiting", "the broker is away", 9, 5, 1, 3, 1024, NOW)
    sink.publish([status])
    sink.close()
    ((key, value),) = read(bootstrap, CAMERA_STATUS_TOPIC, 1)
    assert (key, decode_camera_status(value)) == (b"cam-1", status)


def test_nothing_is_handed_over_before_the_broker_is_ready() -> None:
    sink = KafkaFrameSink(
        lambda: SilentPublisher({}), encode_frame, lambda: "the broker has not answered yet", lambda: 0.0
    )
    with pytest.raises(DeliveryFailed, match="has not answered yet"):
        sink.publish(frame("cam-1", 1), lambda _: None)


class SilentPublisher(RecordPublisher):
    """A client that is wedged: it takes records and never reports on any, until it is abandoned."""

    made = 0

    def __init__(self, properties: Mapping[str, str | int | float | bool]) -> None:
        type(self).made += 1
        self._held: list[OnFate] = []

    @property
    @override
    def problem(self) -> str | None:
        return None

    @override
    def publish(self, record: OutgoingRecord, on_fate: OnFate) -> None:
        self._held.append(on_fate)

    @override
    def poll(self, timeout_s: float) -> int:
        return 0

    @override
    def abandon(self) -> None:
        while self._held:
            self._held.pop()(DeliveryFailed("purged"))


@pytest.mark.parametrize(
    ("broker_answers_for_s", "renewals"),
    [
        pytest.param(lambda: 100.0, 1, id="the broker answers: the client is wedged"),
        pytest.param(lambda: 0.0, 0, id="the broker is away: waiting is right"),
        pytest.param(lambda: 0.05, 0, id="the broker has only just come back"),
    ],
)
def test_a_wedged_client_is_made_anew_and_its_frames_reported_as_failed(
    monkeypatch: pytest.MonkeyPatch, broker_answers_for_s: Callable[[], float], renewals: int
) -> None:
    monkeypatch.setattr(SilentPublisher, "made", 0)
    sink = KafkaFrameSink(
        lambda: SilentPublisher({}), encode_frame, lambda: None, broker_answers_for_s, stalled_after_s=0.1
    )
    fates: list[DeliveryFailed | None] = []
    sink.publish(frame("cam-1", 1), fates.append)
    sink.poll(0.0)
    assert fates == []
    time.sleep(0.15)
    sink.poll(0.0)
    assert (sink.renewed_total, SilentPublisher.made, len(fates)) == (renewals, 1 + renewals, renewals)
    sink.poll(0.0)
    assert sink.renewed_total == renewals  # nothing is outstanding any more


def test_the_probe_says_when_the_broker_answers(mock_broker: tuple[Producer, str]) -> None:
    host, bootstrap = mock_broker
    make_topic(host, frame_topic("cam-probe"))
    probe = BrokerProbe(KafkaSettings(bootstrap_servers=bootstrap), (TopicPlan(frame_topic("cam-probe")),))
    assert "has not answered yet" in (probe.problem or "")
    probe.start()
    end = time.monotonic() + 10
    while not probe.topics_ready and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.1)
    assert probe.problem is None
    assert probe.reachable_for_s > 0
    probe.stop()


def test_the_probe_names_a_broker_that_does_not_answer() -> None:
    with socket.socket() as black_hole:  # takes connections and never says a word
        black_hole.bind(("127.0.0.1", 0))
        black_hole.listen()
        address = f"127.0.0.1:{black_hole.getsockname()[1]}"
        probe = BrokerProbe(KafkaSettings(bootstrap_servers=address), (TopicPlan("frames.x"),))
        probe.start()
        time.sleep(2.5)
        assert f"the broker at {address} does not answer" in (probe.problem or "")
        assert (probe.reachable_for_s, probe.topics_ready) == (0.0, False)
        probe.stop()


def test_sending_something_that_is_no_image_is_refused_before_any_broker_is_asked(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_text("no image")
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(ConfigurationError, match=r"photo\.jpg would be rejected"):
        send_bare_image(settings, "cam-1", file, 1.0)
    with pytest.raises(ConfigurationError, match=r"gone\.jpg cannot be read: No such file"):
        send_bare_image(settings, "cam-1", tmp_path / "gone.jpg", 1.0)
    with pytest.raises(ConfigurationError, match="camera id 'dlq' cannot name a topic"):
        send_bare_image(settings, "dlq", file, 1.0)
