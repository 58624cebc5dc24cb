"""Publishes one bare image, as `kcat` would."""

from collections.abc import Collection
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from services.adapters.kafka.config import admin_config, producer_config
from services.adapters.kafka.producer import OutgoingRecord, RecordPublisher
from services.adapters.kafka.topics import ensure_topics, frame_topic_plan
from services.contracts.errors import ConfigurationError, DeliveryFailed, RejectedMessage
from services.contracts.image_header import check_image
from services.contracts.topics import frame_topic
from services.runtime.deadline import Deadline
from services.runtime.settings import KafkaSettings


def send_bare_image(kafka: KafkaSettings, camera_id: str, file: Path, timeout_s: float) -> str:
    """Publish a file's bytes to a camera's topic and wait for the acknowledgement; return the topic.

    Raises:
        ConfigurationError: The file cannot be read or is no image, or the camera id cannot name a topic.
        DeliveryFailed: The broker did not take it within `timeout_s` seconds.
    """
    topic = frame_topic(camera_id)
    try:
        data = file.read_bytes()
        check_image(data)
    except OSError as error:
        raise ConfigurationError(f"image {file} cannot be read: {error.strerror}") from error
    except RejectedMessage as refusal:
        raise ConfigurationError(f"image {file} would be rejected: {refusal.detail}") from refusal
    if topic not in _topics(kafka, timeout_s):
        ensure_topics(kafka, frame_topic_plan(camera_id))
    publisher = RecordPublisher(producer_config(kafka, f"millsight-send-{camera_id}", timeout_s))
    fates: list[DeliveryFailed | None] = []
    publisher.publish(OutgoingRecord(topic, camera_id.encode(), data), fates.append)
    publisher.flush(Deadline.after(timeout_s))
    if not fates:
        raise DeliveryFailed(f"the broker at {kafka.bootstrap_servers} did not answer within {timeout_s:g} s")
    if fates[0] is not None:
        raise fates[0]
    return topic


def _topics(kafka: KafkaSettings, timeout_s: float) -> Collection[str]:
    """Ask what topics there are: the first question, so that a broker that is away is told in one sentence."""
    admin = AdminClient({**admin_config(kafka, "millsight-send"), "log_level": 0})
    try:
        return admin.list_topics(timeout=timeout_s).topics
    except KafkaException as error:
        raise DeliveryFailed(
            f"the broker at {kafka.bootstrap_servers} does not answer: is it running, and is its address right?"
        ) from error
