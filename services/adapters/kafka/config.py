"""Settings of librdkafka, in one place: what is promised to the line, and what a customer's file may add.

A customer's properties file (`config_file`: `security.protocol=SASL_SSL`, ...) is laid over our values, but what
the delivery guarantee rests on cannot be changed by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError
from services.runtime.settings import KafkaSettings

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024 + 64 * 1024
"""Largest record on a frame topic: the largest legal image and 64 KiB for the rest of the message."""

MAX_DEAD_LETTER_BYTES: Final = MAX_FRAME_BYTES + 64 * 1024
"""Largest record on the dead-letter topic: the largest legal frame and its headers."""

_PROTECTED: Final = frozenset(
    {
        "bootstrap.servers",
        "group.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "auto.offset.reset",
        "acks",
    }
)

Properties = dict[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """How a consumer belongs to its group. `client_id` must differ from worker to worker (librdkafka#4783)."""

    group_id: str
    client_id: str
    session_timeout_s: float = 10.0
    max_poll_interval_s: float = 300.0


def producer_config(kafka: KafkaSettings, client_id: str, delivery_timeout_s: float = 120.0) -> Properties:
    """Return the properties of a producer: acknowledged by all replicas, in order, bounded in memory (64 MB).

    A record that is not acknowledged within `delivery_timeout_s` is reported as failed; whoever holds it (the
    camera's spool, the classifier's batch) sends it again.

    Raises:
        ConfigurationError: The properties file cannot be used.
    """
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": client_id,
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "compression.type": "none",
        "message.max.bytes": MAX_DEAD_LETTER_BYTES,
        "delivery.timeout.ms": int(delivery_timeout_s * 1000),
        "queue.buffering.max.kbytes": 65536,
        "queue.buffering.max.messages": 10_000,
        "socket.timeout.ms": 15_000,
        **_connection(),
        **_customer_properties(kafka.config_file),
    }


def consumer_config(kafka: KafkaSettings, group: GroupMembership) -> Properties:
    """Return the properties of a consumer that commits by itself what it has stored, and never anything else.

    The classic group protocol with cooperative rebalancing works on every broker from 2.4 on; the newer one
    (KIP-848) needs Kafka 4.0, so it is not the default. Topics that appear later are found within the 2 s of
    `topic.metadata.refresh.interval.ms`.

    Raises:
        ConfigurationError: The properties file cannot be used.
    """
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": group.client_id,
        "group.id": group.group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": int(group.session_timeout_s * 1000),
        "heartbeat.interval.ms": int(group.session_timeout_s * 1000 / 4),
        "max.poll.interval.ms": int(group.max_poll_interval_s * 1000),
        "topic.metadata.refresh.interval.ms": 2000,
        "metadata.max.age.ms": 6000,
        "queued.min.messages": 64,
        "queued.max.messages.kbytes": 32768,
        "fetch.queue.backoff.ms": 20,
        "fetch.wait.max.ms": 50,
        "fetch.message.max.bytes": MAX_FRAME_BYTES,
        "fetch.max.bytes": 33_554_432,
        "receive.message.max.bytes": 104_857_600,
        "check.crcs": True,
        "allow.auto.create.topics": False,
        "statistics.interval.ms": 2000,
        "socket.timeout.ms": 6000,  # also the longest that a commit blocks while no coordinator answers
        **_connection(),
        **_customer_properties(kafka.config_file),
    }


def admin_config(kafka: KafkaSettings, client_id: str) -> Properties:
    """Return the properties of an administrative client.

    Raises:
        ConfigurationError: The properties file cannot be used.
    """
    return {
        "bootstrap.servers": kafka.bootstrap_servers,
        "client.id": client_id,
        "socket.timeout.ms": 10_000,
        **_connection(),
        **_customer_properties(kafka.config_file, only=("security.", "sasl.", "ssl.", "broker.address.")),
    }


def _connection() -> Properties:
    return {
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 1000,
        "socket.keepalive.enable": True,
        "log.connection.close": False,
    }


def _customer_properties(path: Path | None, only: tuple[str, ...] = ("",)) -> Mapping[str, str]:
    if path is None:
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the Kafka properties file {path} cannot be read: {error}") from error
    properties = dict(_property(path, number, line) for number, line in enumerate(lines, 1) if _speaks(line))
    refused = sorted(_PROTECTED & properties.keys())
    if refused:
        raise ConfigurationError(
            f"the Kafka properties file {path} sets {refused[0]}, which Millsight decides: remove it"
        )
    return {name: value for name, value in properties.items() if name.startswith(only)}


def _speaks(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _property(path: Path, number: int, line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.strip():
        raise ConfigurationError(f"the Kafka properties file {path}, line {number}: write name=value")
    return name.strip(), value.strip()
