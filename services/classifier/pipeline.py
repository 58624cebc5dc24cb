"""One batch from records to committed rows. Runs in a batch thread; several batches run at a time.

The steps stand in `BatchPipeline.process` in the order in which they must happen. A step that needs
infrastructure goes through `Hold`: it comes back with an answer, or the room stops. A message that is bad by
itself leaves the batch as a rejection and does not touch its neighbours.
"""

import logging
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final
from uuid import UUID

from services.classifier.looking import Decoder, Looker, Rejection, SeenFrame
from services.classifier.ports import DeadLetterSink, InspectionRepository
from services.classifier.rejection_limit import RejectionLimit
from services.classifier.retry import Hold
from services.classifier.sequence_watch import SequenceWatch
from services.classifier.stating import dead_letter_of, inspection_of, rejected_frame_of
from services.contracts.codec import decode_camera_status
from services.contracts.errors import DeadLetterLimitExceeded, RejectedMessage
from services.contracts.messages import CameraStatus
from services.contracts.records import Record
from services.contracts.topics import CAMERA_STATUS_TOPIC
from services.domain.inspection import StoreReport
from services.domain.topology import Topology
from services.runtime import metrics
from services.runtime.clock import Clock

logger = logging.getLogger(__name__)

APP_VERSION: Final = version("millsight")
_OLDEST_BELIEVABLE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """Everything that the pipeline joins; `clock` tells UTC."""

    topology: Topology
    decoder: Decoder
    looker: Looker
    repository: InspectionRepository
    dead_letters: DeadLetterSink
    limit: RejectionLimit
    hold: Hold
    clock: Clock
    watch: SequenceWatch
    evidence_max_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a batch: everything is stored or dead-lettered, except records of the topics set aside."""

    set_aside: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """What a batch has come to so far."""

    records: Sequence[Record]
    received_at: datetime
    statuses: dict[tuple[str, UUID], CameraStatus] = field(default_factory=dict)  # the newest of each session
    seen: list[SeenFrame] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


class BatchPipeline:
    """Brings batches from the broker's records to committed rows; safe to use from several threads."""

    def __init__(self, parts: PipelineParts) -> None:
        """Join the parts."""
        self._parts = parts

    def process(self, records: Sequence[Record]) -> Outcome:
        """Deal with a batch; returns when every record's fate is durable, or its topic is set aside.

        Raises:
            HoldAbandoned: The room stops while infrastructure is away; nothing may be committed.
        """
        work = _Work(records, self._parts.clock())
        self._read_statuses(work)
        self._look(work)
        set_aside = self._leave_out_topics_over_limit(work)
        report = self._store(work)
        self._publish_dead_letters(work)
        self._count(work, report)
        return Outcome(set_aside)

    def _read_statuses(self, work: _Work) -> None:
        for record in work.records:
            if record.position.topic != CAMERA_STATUS_TOPIC:
                continue
            try:
                status = decode_camera_status(record.value)
                work.statuses[status.camera_id, status.session_id] = status
            except RejectedMessage as error:
                work.rejected.append(Rejection(record, error.reason, error.detail))

    def _look(self, work: _Work) -> None:
        frames = [record for record in work.records if record.position.topic != CAMERA_STATUS_TOPIC]
        if not frames:
            return
        looker, decoder, hold = self._parts.looker, self._parts.decoder, self._parts.hold
        input_px = hold.until_done("infer", looker.input_px)
        with _timed("decode"):
            decoded, unreadable = hold.until_done("decode", lambda: decoder.decode(frames, input_px))
        work.rejected += unreadable
        if decoded:
            with _timed("infer"):
                work.seen, refused = hold.until_done("infer", lambda: looker.look(decoded))
            work.rejected += refused

    def _leave_out_topics_over_limit(self, work: _Work) -> dict[str, str]:
        messages = Tally(record.position.topic for record in work.records)
        rejected = Tally(rejection.record.position.topic for rejection in work.rejected)
        reasons: dict[str, str] = {}
        for topic, count in messages.items():
            try:
                self._parts.limit.admit(topic, count, rejected[topic], time.monotonic())
            except DeadLetterLimitExceeded as error:
                reasons[topic] = str(error)
        if reasons:
            work.seen = [each for each in work.seen if each.read.record.position.topic not in reasons]
            work.rejected = [each for each in work.rejected if each.record.position.topic not in reasons]
            work.statuses = {} if CAMERA_STATUS_TOPIC in reasons else work.statuses
        return reasons

    def _store(self, work: _Work) -> StoreReport:
        parts = self._parts
        inspections = [
            inspection_of(each, parts.topology, work.received_at, parts.evidence_max_bytes) for each in work.seen
        ]
        rejected = [rejected_frame_of(each, work.received_at) for each in work.rejected]
        report = StoreReport(inserted=0, duplicates=0)
        with _timed("store"):
            if inspections or rejected:
                report = parts.hold.until_done("store", lambda: parts.repository.store(inspections, rejected))
            if work.statuses:
                statuses = list(work.statuses.values())
                parts.hold.until_done("store", lambda: parts.repository.store_camera_status(statuses))
        return report

    def _publish_dead_letters(self, work: _Work) -> None:
        if not work.rejected:
            return
        letters = [dead_letter_of(each, work.received_at, APP_VERSION) for each in work.rejected]
        publish: Callable[[], None] = lambda: self._parts.dead_letters.publish_all(letters)  # noqa: E731 - typed
        self._parts.hold.until_done("dead_letter", publish)
        for letter in letters:
            metrics.DEAD_LETTERS.labels(letter.reason).inc()
            logger.warning(
                "message rejected",
                extra={
                    "frame_id": str(letter.frame_id),
                    "reason": letter.reason,
                    "detail": letter.detail,
                    "topic": letter.origin_topic,
                    "offset": letter.origin_offset,
                },
            )

    def _count(self, work: _Work, report: StoreReport) -> None:
        now = self._parts.clock()
        metrics.BATCH_SIZE.observe(len(work.records))
        metrics.FRAMES_PROCESSED.labels("inspected").inc(report.inserted)
        metrics.FRAMES_PROCESSED.labels("duplicate").inc(report.duplicates)
        metrics.FRAMES_PROCESSED.labels("rejected").inc(len(work.rejected) + report.unstorable)
        for seen in work.seen if report.inserted else ():  # a replay says nothing about latency
            frame = seen.read.frame
            age = now - frame.captured_at
            if timedelta(0) <= age <= _OLDEST_BELIEVABLE:
                metrics.END_TO_END_LATENCY.observe(age.total_seconds())
            else:
                metrics.CLOCK_SKEW.labels(frame.camera_id).inc()
        for topic, stamped in {each.position.topic: each.timestamp for each in work.records}.items():
            metrics.CONSUMER_LAG_SECONDS.labels(topic).set(max(0.0, (now - stamped).total_seconds()))


@contextmanager
def _timed(stage: str) -> Iterator[None]:
    started_s = time.monotonic()
    yield
    metrics.STAGE_DURATION.labels(stage).observe(time.monotonic() - started_s)
