"""A refused message is sent to its topic again: real Kafka, real PostgreSQL, the classifier's own loop."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from dashboard import access
from dashboard.access import NotAllowed, Person
from dashboard.database import Database as Reader
from dashboard.planner import Refused
from dashboard.refused_data import refused_messages
from dashboard.writing import ask_second_look
from services.adapters.kafka.config import GroupMembership, consumer_config, producer_config
from services.adapters.kafka.producer import RecordPublisher
from services.adapters.kafka.resend import KafkaResender
from services.adapters.postgres.roles import OWNER
from services.adapters.postgres.second_looks import PostgresSecondLooks
from services.classifier.second_looks import give_second_looks
from services.contracts.errors import DeliveryFailed, MessageGone
from services.contracts.user_file import Role
from services.domain.inspection import BrokerPosition
from services.runtime.settings import KafkaSettings, PostgresSettings
from tests.fakes.dashboard_login import log_in
from tests.fixtures_postgres import Database, Repository, a_reject


class Broker:
    """A topic of its own on the broker."""

    def __init__(self, servers: str) -> None:
        self.topic = f"frames.cam-{uuid4().hex[:8]}"
        self._servers = servers
        self._producer = Producer({"bootstrap.servers": servers})
        self._producer.produce(
            self.topic, b"broken", key=b"cam", headers=[("trace", b"7")], timestamp=1_700_000_000_000
        )
        assert self._producer.flush(20) == 0
        self.cluster_id = str(self._producer.list_topics(timeout=10).cluster_id)

    def position(self, **changes: Any) -> BrokerPosition:
        here = BrokerPosition(self.cluster_id, self.topic, self._place().partition, 0)
        return replace(here, **changes)

    def _place(self) -> TopicPartition:
        consumer = Consumer({"bootstrap.servers": self._servers, "group.id": "look"})
        for number in self._producer.list_topics(self.topic, timeout=10).topics[self.topic].partitions:
            place = TopicPartition(self.topic, number)
            if consumer.get_watermark_offsets(place, timeout=10)[1] > 0:
                consumer.close()
                return place
        raise AssertionError("the message lies in no partition")

    def messages(self) -> list[tuple[object, ...]]:
        place = self._place()
        consumer = Consumer({"bootstrap.servers": self._servers, "group.id": "look"})
        end = consumer.get_watermark_offsets(place, timeout=10)[1]
        consumer.assign([TopicPartition(self.topic, place.partition, 0)])
        found = [consumer.poll(10) for _ in range(end)]
        consumer.close()
        return [
            (each.key(), each.value(), each.headers(), each.timestamp()[1]) for each in found if each is not None
        ]


@pytest.fixture
def broker(kafka: str) -> Broker:
    return Broker(kafka)


@pytest.fixture
def resender(kafka: str) -> KafkaResender:
    settings = KafkaSettings(bootstrap_servers=kafka)
    alone = GroupMembership(f"resend-{uuid4().hex[:8]}", "resend", 6)
    publisher = RecordPublisher(producer_config(settings, "resend", delivery_timeout_s=7.0))
    return KafkaResender(consumer_config(settings, alone), publisher)


@pytest.fixture
def looks(database: Database) -> Iterator[PostgresSecondLooks]:
    opened = PostgresSecondLooks(PostgresSettings.model_validate({"url": database.classifier_url}))
    yield opened
    opened.close()


@pytest.fixture
def ada(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engineer is logged in, and the dashboard has its planner's URL."""
    log_in(monkeypatch, tmp_path, database.planner_url, Role.ENGINEER)


def test_a_message_comes_again_byte_for_byte_with_key_headers_and_time(
    broker: Broker, resender: KafkaResender
) -> None:
    resender.resend(broker.position())
    one, other = broker.messages()
    assert one == other == (b"cam", b"broken", [("trace", b"7")], 1_700_000_000_000)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"cluster_id": "elsewhere"}, "another Kafka cluster", id="cluster"),
        pytest.param({"offset": 99}, "no longer in its topic", id="offset"),
        pytest.param({"partition": 77}, "no longer there", id="partition"),
    ],
)
def test_a_message_that_is_gone_is_said_to_be(
    broker: Broker, resender: KafkaResender, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(MessageGone, match=sentence):
        resender.resend(broker.position(**changes))


def test_a_broker_that_is_away_is_tried_again_later(broker: Broker) -> None:
    settings = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    publisher = RecordPublisher(producer_config(settings, "resend", delivery_timeout_s=1.0))
    away = KafkaResender(consumer_config(settings, GroupMembership("resend", "resend", 6)), publisher)
    with pytest.raises(DeliveryFailed):
        away.resend(broker.position())


def test_what_an_engineer_asks_for_is_done_and_told(
    broker: Broker,
    resender: KafkaResender,
    looks: PostgresSecondLooks,
    database: Database,
    repository: Repository,
    ada: None,
) -> None:
    now = datetime.now(UTC)
    there = a_reject(position=broker.position(), rejected_at=now)
    gone = a_reject(position=broker.position(offset=99), rejected_at=now)
    repository.store([], [there, gone])
    for frame in (there, gone):
        ask_second_look(frame.frame_id)
    stop = threading.Event()
    loop = threading.Thread(target=give_second_looks, args=(looks, resender, stop, 0.1), daemon=True)
    loop.start()
    reader = Reader(database.dashboard_url)

    def told() -> dict[object, tuple[object, object]]:
        return {each.frame_id: (each.second_look, each.problem) for each in refused_messages(reader)}

    for _ in range(200):
        if all(state != "waiting" for state, _ in told().values()):
            break
        stop.wait(0.1)
    stop.set()
    loop.join(timeout=30)
    assert told() == {
        there.frame_id: ("sent", None),
        gone.frame_id: ("failed", "the message cannot be sent again: it is no longer in its topic"),
    }
    assert len(broker.messages()) == 2
    reader.close()


def test_a_request_goes_to_one_classifier_and_comes_again_when_that_one_dies(
    broker: Broker, looks: PostgresSecondLooks, database: Database, repository: Repository, ada: None
) -> None:
    refused = a_reject(position=broker.position())
    repository.store([], [refused])
    ask_second_look(refused.frame_id)
    ((number, position),) = looks.take()
    assert position == broker.position()
    assert looks.take() == []
    database.execute("UPDATE second_looks SET taken_at = now() - interval '2 minutes'", OWNER)
    assert [each for each, _ in looks.take()] == [number]
    looks.finish(number, None)
    looks.finish(number, "too late")
    assert database.rows("SELECT state, problem, who FROM second_looks") == [("sent", None, "Ada")]


def test_who_may_not_ask_and_what_cannot_be_asked_is_refused(
    broker: Broker, database: Database, repository: Repository, ada: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = a_reject(position=broker.position())
    repository.store([], [refused])
    with pytest.raises(Refused, match="no such refused message"):
        ask_second_look(uuid4())
    ask_second_look(refused.frame_id)
    with pytest.raises(Refused, match="waits to be sent again already"):
        ask_second_look(refused.frame_id)
    monkeypatch.setattr(access, "person", lambda: Person("Bob", Role.OPERATOR))
    with pytest.raises(NotAllowed):
        ask_second_look(refused.frame_id)
