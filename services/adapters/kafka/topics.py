"""Creating the topics that the line needs, where the broker lets us."""

import logging
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from services.adapters.kafka.config import MAX_DEAD_LETTER_BYTES, MAX_FRAME_BYTES, admin_config
from services.contracts.errors import DeliveryFailed
from services.contracts.topics import CAMERA_STATUS_TOPIC, DEAD_LETTER_TOPIC, frame_topic
from services.runtime.settings import KafkaSettings

logger = logging.getLogger(__name__)

_DAY_MS: Final = 24 * 3600 * 1000
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it shall be created; a topic that is there already is left as it is."""

    name: str
    partitions: int = 1
    config: dict[str, str] = field(default_factory=dict)


def frame_topic_plan(camera_id: str, partitions: int = 1) -> TopicPlan:
    """Return the plan of a camera's topic: order per camera with one partition, kept for 7 days."""
    config = {"max.message.bytes": str(MAX_FRAME_BYTES), "retention.ms": str(7 * _DAY_MS)}
    return TopicPlan(frame_topic(camera_id), partitions, config)


DEAD_LETTER_PLAN: Final = TopicPlan(
    DEAD_LETTER_TOPIC,
    config={"max.message.bytes": str(MAX_DEAD_LETTER_BYTES), "retention.ms": str(14 * _DAY_MS)},
)
CAMERA_STATUS_PLAN: Final = TopicPlan(CAMERA_STATUS_TOPIC, config={"retention.ms": str(_DAY_MS)})


def ensure_topics(kafka: KafkaSettings, *plans: TopicPlan) -> None:
    """Create the topics that are missing. Without the right to create, say so and go on: they may be there.

    Raises:
        DeliveryFailed: The broker did not answer in time.
        ConfigurationError: The properties file cannot be used.
    """
    admin = AdminClient(admin_config(kafka, "millsight-topics"))
    topics = [
        NewTopic(plan.name, num_partitions=plan.partitions, replication_factor=-1, config=plan.config)
        for plan in plans
    ]
    for name, future in admin.create_topics(topics, request_timeout=_TIMEOUT_S).items():
        try:
            future.result(timeout=2 * _TIMEOUT_S)
            logger.info("topic created", extra={"topic": name})
        except KafkaException as error:
            _judge(name, error)
        except TimeoutError as error:
            raise DeliveryFailed(f"the broker did not answer about topic {name}") from error


def _judge(name: str, error: KafkaException) -> None:
    cause: KafkaError = error.args[0]
    if cause.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return
    if cause.code() in {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}:
        logger.warning("topic cannot be created by this user", extra={"topic": name, "reason": cause.str()})
        return
    raise DeliveryFailed(f"topic {name} cannot be created: {cause.str()}") from error
