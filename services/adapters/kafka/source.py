"""Reading records in a consumer group: the classifier's source, on confluent-kafka."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Consumer, KafkaError, KafkaException, Message, TopicPartition

from services.adapters.kafka.client_log import client_logger
from services.adapters.kafka.statistics import NO_BROKER, read_statistics
from services.contracts.errors import CommitFailed
from services.contracts.records import Partition, PartitionListener, Record
from services.domain.inspection import BrokerPosition
from services.runtime.clock import utc_now
from services.runtime.metrics import CONSUMER_LAG_RECORDS, REBALANCES

logger = logging.getLogger(__name__)

_CLUSTER_ID_TIMEOUT_S: Final = 5.0
"""Only a bound: the id came with the metadata that the assignment was made from."""

_NO_CLUSTER_ID: Final = "unknown"
"""For brokers that have none (before 0.10.1)."""


class KafkaRecordSource:
    """Reads records; all methods but `problem` belong to the one thread that polls.

    Offsets: what `poll_batch` returns is merely read. Nothing is committed until `commit_soon` or `commit`, which
    take for each partition the offset of the first record that is NOT dealt with yet. Partitions that arrive while
    everything is held back, or whose topic is set aside, arrive held back as well.
    """

    def __init__(self, properties: Mapping[str, str | int | float | bool], patterns: Sequence[str]) -> None:
        """Prepare the client; `patterns` are topic names or expressions that begin with `^`."""
        self._problem: str | None = "the broker has not answered yet"
        self._cluster_id: str | None = None
        self._assigned: set[Partition] = set()
        self._held = False
        self._aside: set[str] = set()
        self._listener: PartitionListener | None = None
        self._commit_pending = False
        self._patterns = list(patterns)
        self._consumer = Consumer(
            {
                **properties,
                "error_cb": self._on_error,
                "stats_cb": self._on_statistics,
                "on_commit": self._on_commit,
            },
            logger=client_logger("consumer"),
        )

    def open(self, listener: PartitionListener) -> None:
        """Join the group; partitions arrive later, during `poll_batch`."""
        self._listener = listener
        self._consumer.subscribe(
            self._patterns, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self._consumer.close()

    @property
    def problem(self) -> str | None:
        """Why nothing arrives, in words; None when all is well, partitions or not. Safe from any thread."""
        return self._problem

    def poll_batch(self, max_records: int, wait_s: float, linger_s: float) -> list[Record]:
        """Return up to `max_records` records: waits `wait_s` for the first, then `linger_s` for company.

        Calls the listener when partitions move. Must be called at least every `max.poll.interval.ms`, also while
        everything is held back.
        """
        first = self._consumer.poll(wait_s)
        if first is None:
            return []
        messages = [first]
        if max_records > 1:
            messages += self._consumer.consume(max_records - 1, linger_s)
        records = (self._record(message) for message in messages if self._is_data(message))
        return [record for record in records if record.partition in self._assigned]

    def commit_soon(self, next_offsets: Mapping[Partition, int]) -> None:
        """Begin to commit; the listener's `on_committed` tells when the broker has taken it.

        Does nothing while an earlier commit is under way: a commit waits as long as no coordinator answers. One
        that fails is not told; the next one covers it.

        Raises:
            CommitFailed: The client refuses at once.
        """
        if self._commit_pending:
            return
        try:
            self._consumer.commit(offsets=_places(next_offsets), asynchronous=True)
        except KafkaException as error:
            raise CommitFailed(f"offsets were not committed: {error.args[0].str()}") from error
        self._commit_pending = True

    def commit(self, next_offsets: Mapping[Partition, int]) -> None:
        """Commit, and wait for the broker's answer; for `on_revoked`, where a coordinator has just spoken to us.

        Raises:
            CommitFailed: At least one partition was not committed; committing again later is right and harmless.
        """
        if self._problem == NO_BROKER:
            raise CommitFailed("offsets were not committed: no broker answers")
        try:
            answers = self._consumer.commit(offsets=_places(next_offsets), asynchronous=False)
        except KafkaException as error:
            raise CommitFailed(f"offsets were not committed: {error.args[0].str()}") from error
        for answer in answers or []:
            if answer.error is not None:
                raise CommitFailed(f"offsets of {answer.topic} were not committed: {answer.error.str()}")

    def hold(self) -> None:
        """Deliver nothing until `release`; polling goes on."""
        if not self._held:
            self._held = True
            self._pause(self._assigned)

    def release(self) -> None:
        """Deliver again what `hold` held back, except for topics set aside."""
        if self._held:
            self._held = False
            self._resume(part for part in self._assigned if part[0] not in self._aside)

    def set_aside(self, topic: str) -> None:
        """Deliver nothing of one topic until `take_back`."""
        self._aside.add(topic)
        self._pause(part for part in self._assigned if part[0] == topic)

    def take_back(self, topic: str, next_offsets: Mapping[Partition, int]) -> None:
        """Deliver a topic again that was set aside, from `next_offsets` on where a partition is named."""
        self._aside.discard(topic)
        for place in _places(next_offsets):
            if (place.topic, place.partition) in self._assigned:
                self._consumer.seek(place)
        if not self._held:
            self._resume(part for part in self._assigned if part[0] == topic)

    def _pause(self, partitions: Iterable[Partition]) -> None:
        self._consumer.pause([TopicPartition(*partition) for partition in partitions])

    def _resume(self, partitions: Iterable[Partition]) -> None:
        self._consumer.resume([TopicPartition(*partition) for partition in partitions])

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        arrived = _names(partitions)
        self._assigned.update(arrived)
        waiting = {part for part in arrived if self._held or part[0] in self._aside}
        self._pause(waiting)
        # librdkafka keeps the pause of a partition that went while it was paused (confluent-kafka-go issue 193).
        self._resume(part for part in arrived if part not in waiting)
        self._cluster_id = None
        REBALANCES.labels("assigned").inc(len(arrived))
        logger.info("partitions assigned", extra={"partitions": arrived})
        if self._listener is not None:
            self._listener.on_assigned(arrived)

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = _names(partitions)
        REBALANCES.labels("revoked").inc(len(leaving))
        logger.info("partitions revoked", extra={"partitions": leaving})
        if self._listener is not None:
            self._listener.on_revoked(leaving)
        self._forget(leaving)

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = _names(partitions)
        REBALANCES.labels("lost").inc(len(gone))
        logger.warning("partitions lost", extra={"partitions": gone})
        if self._listener is not None:
            self._listener.on_lost(gone)
        self._forget(gone)

    def _forget(self, partitions: Iterable[Partition]) -> None:
        for topic, partition in partitions:
            self._assigned.discard((topic, partition))
            CONSUMER_LAG_RECORDS.labels(topic, partition).set(0)

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        self._commit_pending = False
        taken = {
            (each.topic, each.partition): each.offset for each in places if error is None and each.error is None
        }
        if len(taken) < len(places):
            reason = next((each.error for each in places if each.error is not None), error)
            logger.warning("offsets were not committed", extra={"reason": str(reason)})
        if taken and self._listener is not None:
            self._listener.on_committed(taken)

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._problem = NO_BROKER
        logger.debug("the client reports", extra={"reason": error.str()})

    def _on_statistics(self, text: str) -> None:
        statistics = read_statistics(text)
        self._problem = statistics.problem
        for partition in self._assigned & statistics.lag_records.keys():
            CONSUMER_LAG_RECORDS.labels(*partition).set(statistics.lag_records[partition])

    def _is_data(self, message: Message) -> bool:
        error = message.error()
        if error is None:
            return True
        if error.fatal():
            raise KafkaException(error)
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            logger.debug("a topic is not there yet", extra={"reason": error.str()})
        elif error.code() != KafkaError._PARTITION_EOF:
            logger.warning("the consumer reports", extra={"topic": message.topic(), "reason": error.str()})
        return False

    def _ask_cluster_id(self) -> str:
        """Return the cluster's id, asked anew after each assignment.

        Never ask inside a callback: confluent-kafka notes for each thread which call serves callbacks, a call that
        waits wipes the note, and the outer call's next callback then aborts the process (`cs != NULL`).
        """
        if self._cluster_id is None:
            self._cluster_id = self._consumer.cluster_id(_CLUSTER_ID_TIMEOUT_S) or _NO_CLUSTER_ID
        return self._cluster_id

    def _record(self, message: Message) -> Record:
        kind, stamp_ms = message.timestamp()
        stamped = utc_now() if kind == TIMESTAMP_NOT_AVAILABLE else datetime.fromtimestamp(stamp_ms / 1000, UTC)
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None and partition is not None and offset is not None  # noqa: S101, PT018 - a read record has a place
        position = BrokerPosition(self._ask_cluster_id(), topic, partition, offset)
        return Record(position, stamped, message.key(), message.value() or b"")


def _places(next_offsets: Mapping[Partition, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in next_offsets.items()]


def _names(partitions: Iterable[TopicPartition]) -> list[Partition]:
    return [(each.topic, each.partition) for each in partitions]
