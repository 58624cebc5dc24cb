"""Sends one message of a topic to that topic again, byte for byte."""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.adapters.kafka.client_log import client_logger
from services.adapters.kafka.producer import OutgoingRecord, RecordPublisher
from services.contracts.errors import DeliveryFailed, MessageGone
from services.domain.inspection import BrokerPosition
from services.runtime.deadline import Deadline

_ANSWER_S: Final = 10.0
_SLICE_S: Final = 0.2


class KafkaResender:
    """Reads a message where it lies and publishes it anew; nothing is committed, no group is disturbed."""

    def __init__(self, consumer: Mapping[str, str | int | float | bool], publisher: RecordPublisher) -> None:
        """Use a consumer's properties with a group id of its own, and a publisher that nobody else uses."""
        self._properties = {**consumer, "enable.partition.eof": True, "auto.offset.reset": "error"}
        self._publisher = publisher

    def resend(self, position: BrokerPosition) -> None:
        """Return when the broker has the message once more.

        Raises:
            MessageGone: The message is no longer there, or lies in another cluster.
            DeliveryFailed: The broker does not answer; try again later.
        """
        message = self._read(position)
        record = OutgoingRecord(
            position.topic, message.key(), message.value() or b"", header_pairs(message), message.timestamp()[1]
        )
        fates: list[DeliveryFailed | None] = []
        self._publisher.publish(record, fates.append)
        self._publisher.flush(Deadline.after(_ANSWER_S))
        if not fates:
            self._publisher.abandon()
            raise DeliveryFailed("the broker did not acknowledge the message")
        if fates[0] is not None:
            raise fates[0]

    def _read(self, position: BrokerPosition) -> Message:
        consumer = Consumer(self._properties, logger=client_logger("resend"))
        try:
            found = consumer.list_topics(position.topic, timeout=_ANSWER_S)
            if found.cluster_id and position.cluster_id != found.cluster_id:
                raise _gone("it lies in another Kafka cluster")
            if position.partition not in found.topics[position.topic].partitions:
                raise _gone("its topic is no longer there")
            consumer.assign([TopicPartition(position.topic, position.partition, position.offset)])
            return _first(consumer, position)
        except KafkaException as error:
            raise DeliveryFailed(f"the broker cannot be asked for the message: {error.args[0].str()}") from error
        finally:
            consumer.close()


def _first(consumer: Consumer, position: BrokerPosition) -> Message:
    until_s = time.monotonic() + _ANSWER_S
    while time.monotonic() < until_s:
        message = consumer.poll(_SLICE_S)
        if message is None:
            continue
        error = message.error()
        if error is not None and error.code() in (KafkaError._PARTITION_EOF, KafkaError._AUTO_OFFSET_RESET):
            raise _gone("it is no longer in its topic")
        if error is not None:
            continue
        if message.offset() != position.offset:
            raise _gone("it is no longer in its topic")
        return message
    raise DeliveryFailed("the broker did not hand the message out in time")


def _gone(why: str) -> MessageGone:
    return MessageGone(f"the message cannot be sent again: {why}")


def header_pairs(message: Message) -> list[tuple[str, bytes]]:
    """Return the headers of a message in their order; a header without a value is empty bytes."""
    given = message.headers() or []
    pairs = given.items() if isinstance(given, dict) else given
    return [(name, value.encode() if isinstance(value, str) else value or b"") for name, value in pairs]
