"""The classifier: frames in, inspections out, nothing lost, nothing twice.

A walk through a frame's life here. Three kinds of threads take part:

1. The **intake thread** (whoever calls `Classifier.run`) owns the source, and nobody else touches it. It polls
   for records, forms a batch of what is there (at most `batch_size`, waiting `linger_s` for company) and hands it
   to a batch thread. It collects finished batches and commits offsets.
2. A **batch thread** (`batches_in_flight` of them) takes one batch all the way: decode, infer, store in one
   transaction, deliver dead letters (`pipeline.BatchPipeline.process`). While one batch waits for the model,
   another is decoded and a third one is stored, so the model always has work.
3. **Decode threads** share the images of a batch.

Why nothing is lost: an offset is committed only after the rows of all records before it are committed in the
database (`progress`), so whatever dies in between is read again. Why nothing is there twice: rows are keyed by
frame id and model version, and a row that is there already stays as it is.

When infrastructure is away (`TransientError`) the batch threads hold their batches and try again (`retry.Hold`).
Soon all of them are busy. The intake thread waits half a second for one to come free, then holds the source back
and goes on polling, so the consumer group sees a living member: no rebalance, no skipping, no dead letters.

When a message is bad (`RejectedMessage`), it alone leaves the batch for the dead letters. When too many of a topic
are bad (`rejection_limit`), the topic is set aside for a minute: its records are neither dead-lettered nor
committed, the other cameras go on, and then the source goes back to the first of them.

When partitions leave (`on_revoked`), batches in flight get a moment to finish, and what is stored is committed.
When they are lost, nothing is committed. Anything that is neither of the two error families is a bug: it comes out
of `run` and ends the process.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.classifier.in_flight import Batch, InFlight
from services.classifier.pipeline import BatchPipeline, PipelineParts
from services.classifier.ports import RecordSource
from services.classifier.progress import Progress
from services.classifier.retry import HoldAbandoned
from services.classifier.settings import ClassifierSettings
from services.contracts.errors import CommitFailed
from services.contracts.records import Partition
from services.contracts.topics import camera_id_of
from services.runtime import metrics
from services.runtime.deadline import Deadline
from services.runtime.health import Health

logger = logging.getLogger(__name__)

_SLOT_PATIENCE_S: Final = 0.5
_DRAIN_S: Final = 10.0
_COMMIT_RETRY_S: Final = 1.0
_TICK_S: Final = 1.0
_LAST_COMMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Aside:
    """A topic set aside: why, and until when."""

    reason: str
    until: Deadline


class Classifier:
    """The use case; the module's text walks through it."""

    def __init__(
        self, settings: ClassifierSettings, source: RecordSource, parts: PipelineParts, stop: threading.Event
    ) -> None:
        """Join the parts. `stop` is the one that `parts.hold` watches: setting it ends `run` and all holding."""
        self._settings = settings
        self._source = source
        self._hold = parts.hold
        self._watch = parts.watch
        self._stop = stop
        self._pipeline = BatchPipeline(parts)
        self._progress = Progress()
        self._in_flight = InFlight(settings.intake.batches_in_flight)
        self._aside: dict[str, _Aside] = {}
        self._commit_not_before = Deadline.after(0.0)
        self.health = Health(checks={"broker": lambda: source.problem, "intake": self._intake_problem})

    def run(self) -> None:
        """Classify until stopped, then finish what is in flight, commit it and leave the group.

        Raises:
            Exception: Whatever a batch thread raised that is no `TransientError` and no `RejectedMessage`: a bug.
        """
        self._source.open(self)
        try:
            while not self._stop.is_set():
                self._turn()
            self._finish()
        finally:
            self._stop.set()
            self._in_flight.close()
            self._source.close()

    def on_assigned(self, partitions: Sequence[Partition]) -> None:
        """Count new partitions from their committed offsets on."""
        self._progress.begin(partitions)

    def on_revoked(self, partitions: Sequence[Partition]) -> None:
        """Give batches a moment to finish, commit what is stored, count these partitions no more."""
        budget_s = min(_DRAIN_S, 0.2 * self._settings.group.max_poll_interval_s)
        self._await_batches(Deadline.after(budget_s), frozenset(partitions))
        self._commit_now(self._progress.to_commit(partitions))
        self._forget(partitions)

    def on_lost(self, partitions: Sequence[Partition]) -> None:
        """Count these partitions no more; they may be somebody else's, so nothing is committed."""
        self._forget(partitions)

    def on_committed(self, next_offsets: Mapping[Partition, int]) -> None:
        """Take note of what the broker has."""
        self._progress.committed(next_offsets)
        metrics.LAST_COMMIT.set_to_current_time()

    def _finish(self) -> None:
        """Let batches finish, and give the broker a moment to take their offsets."""
        self._source.hold()
        self._await_batches(Deadline.after(_DRAIN_S), frozenset())
        deadline = Deadline.after(_LAST_COMMIT_S)
        while self._progress.to_commit() and not deadline.expired:
            self._commit_soon()
            self._source.poll_batch(1, 0.05, 0.0)  # serves on_committed; what else comes stays uncommitted

    def _turn(self) -> None:
        """Do one round of the intake thread: collect, commit, take in more or wait for a batch thread."""
        self.health.tick()
        self._collect()
        if self._commit_not_before.expired:
            self._commit_soon()
            self._take_back_topics()
            self._count_gaps()
        if self._has_room(wait_s=_SLOT_PATIENCE_S):
            metrics.CONSUMER_PAUSED.set(0)
            self._source.release()
            self._take_in(self._settings.intake.poll_wait_s)
        else:
            metrics.CONSUMER_PAUSED.set(1)
            self._source.hold()
            self._take_in(0.0)  # polling keeps our membership; should a record come all the same, it is kept

    def _take_in(self, wait_s: float) -> None:
        intake = self._settings.intake
        records = self._source.poll_batch(intake.batch_size, wait_s, intake.linger_s)
        if not records:
            return
        progress = [self._progress.of(record.partition) for record in records]
        for record, its_progress in zip(records, progress, strict=True):
            its_progress.started(record)
        metrics.FRAMES_CONSUMED.inc(len(records))
        self._in_flight.start(self._pipeline.process, Batch(records, progress))

    def _has_room(self, wait_s: float) -> bool:
        if not self._in_flight.has_room:
            self._in_flight.wait(wait_s)
            self._collect()
        return self._in_flight.has_room

    def _collect(self) -> None:
        """Take note of finished batches; a bug in one of them comes out here."""
        for batch, future in self._in_flight.finished():
            try:
                outcome = future.result()
            except HoldAbandoned:  # the room stops: these are read again
                continue
            for record, progress in zip(batch.records, batch.progress, strict=True):
                if record.position.topic not in outcome.set_aside:
                    progress.finished(record)
            for topic, reason in outcome.set_aside.items():
                self._set_aside(topic, reason)

    def _await_batches(self, deadline: Deadline, partitions: frozenset[Partition]) -> None:
        """Wait for batches that touch these partitions (none named: all), unless infrastructure is away."""
        while not deadline.expired:
            self.health.tick()
            is_away = self._hold.problem is not None and not self._stop.is_set()
            if is_away or not self._in_flight.wait(min(_TICK_S, deadline.remaining_s), partitions):
                break
            self._collect()
        self._collect()

    def _commit_soon(self) -> None:
        """Tell the broker what is stored, without waiting for its answer."""
        self._commit_not_before = Deadline.after(self._settings.intake.commit_interval_s)
        next_offsets = self._progress.to_commit()
        try:
            if next_offsets:
                self._source.commit_soon(next_offsets)
        except CommitFailed as error:
            self._note_failed_commit(error)

    def _commit_now(self, next_offsets: dict[Partition, int]) -> None:
        """Tell the broker what is stored, and wait: these partitions are about to go."""
        if not next_offsets:
            return
        started_s = time.monotonic()
        try:
            self._source.commit(next_offsets)
            self.on_committed(next_offsets)
            metrics.STAGE_DURATION.labels("commit").observe(time.monotonic() - started_s)
        except CommitFailed as error:
            self._note_failed_commit(error)

    def _note_failed_commit(self, error: CommitFailed) -> None:
        metrics.TRANSIENT_ERRORS.labels("commit").inc()
        self._commit_not_before = Deadline.after(_COMMIT_RETRY_S)
        logger.warning("offsets wait for the next commit", extra={"reason": str(error)})

    def _set_aside(self, topic: str, reason: str) -> None:
        """Read nothing of a topic for a while; what is not dealt with stays open, so offsets do not pass it."""
        self._source.set_aside(topic)
        self._aside[topic] = _Aside(reason, Deadline.after(self._settings.dead_letters.pause_s))
        logger.error(reason, extra={"topic": topic})

    def _take_back_topics(self) -> None:
        """Go back to the first record of each topic that is not dealt with, once no batch touches the topic."""
        for topic in [topic for topic, aside in self._aside.items() if aside.until.expired]:
            parts = self._progress.of_topic(topic)
            if parts and self._in_flight.wait(0.0, frozenset(parts)):
                continue
            next_offsets = {name: part.resume_at for name, part in parts.items() if part.resume_at is not None}
            self._progress.begin(next_offsets)
            self._source.take_back(topic, next_offsets)
            del self._aside[topic]
            logger.warning("topic taken back", extra={"topic": topic})

    def _forget(self, partitions: Sequence[Partition]) -> None:
        self._progress.drop(partitions)
        self._watch.forget(frozenset(camera_id_of(topic) for topic, _ in partitions))

    def _count_gaps(self) -> None:
        for camera_id, missing in self._watch.overdue(time.monotonic()).items():
            metrics.SEQUENCE_GAPS.labels(camera_id).inc(missing)
            logger.warning("frames are missing", extra={"camera_id": camera_id, "missing": missing})

    def _intake_problem(self) -> str | None:
        return self._hold.problem or next((aside.reason for aside in list(self._aside.values())), None)
