"""Frames and camera statuses out to Kafka."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from services.adapters.kafka.producer import OnFate, OutgoingRecord, RecordPublisher
from services.contracts.errors import DeliveryFailed
from services.contracts.messages import CameraStatus, Frame
from services.contracts.topics import CAMERA_STATUS_TOPIC, frame_topic
from services.runtime.deadline import Deadline

STALLED_AFTER_S: Final = 10.0
"""No report for so long while records are outstanding and the broker answers: the client is wedged."""

_STATUS_FLUSH_S: Final = 1.0

logger = logging.getLogger(__name__)


class KafkaFrameSink:
    """Publishes the frames of one camera, in order, from one thread.

    A watchdog makes the client anew when it is wedged: librdkafka was seen to retry for ever after a broker had
    forgotten its producer id. What was outstanding is then reported as failed, so the spool sends it again.
    """

    def __init__(
        self,
        new_publisher: Callable[[], RecordPublisher],
        encode: Callable[[Frame], bytes],
        broker_problem: Callable[[], str | None],
        broker_answers_for_s: Callable[[], float],
        stalled_after_s: float = STALLED_AFTER_S,
    ) -> None:
        """Create the client.

        Args:
            new_publisher: Makes a client; called again when one is wedged.
            encode: Frame to message bytes.
            broker_problem: Why nothing should be handed over yet (topics not there), None when all is well.
            broker_answers_for_s: How long the broker has answered other requests without a break, in seconds.
            stalled_after_s: See `STALLED_AFTER_S`.
        """
        self.renewed_total = 0
        self._new_publisher = new_publisher
        self._encode = encode
        self._broker_problem = broker_problem
        self._broker_answers_for_s = broker_answers_for_s
        self._stalled_after_s = stalled_after_s
        self._publisher = new_publisher()
        self._outstanding = 0
        self._last_progress_s = time.monotonic()

    @property
    def problem(self) -> str | None:
        """Why frames are not delivered at the moment, in words."""
        return self._broker_problem() or self._publisher.problem

    def publish(self, frame: Frame, on_fate: OnFate) -> None:
        """Queue a frame.

        Raises:
            DeliveryFailed: It was not queued: the broker is not ready, or the client's queue is full.
        """
        problem = self._broker_problem()
        if problem is not None:
            raise DeliveryFailed(problem)
        record = OutgoingRecord(frame_topic(frame.camera_id), frame.camera_id.encode(), self._encode(frame))

        def report(error: DeliveryFailed | None) -> None:
            self._outstanding -= 1
            self._last_progress_s = time.monotonic()
            on_fate(error)

        self._publisher.publish(record, report)
        if self._outstanding == 0:
            self._last_progress_s = time.monotonic()
        self._outstanding += 1

    def poll(self, timeout_s: float) -> None:
        """Report fates for up to `timeout_s` seconds; renew the client when it is wedged."""
        self._publisher.poll(timeout_s)
        if self._stalled():
            self._renew()

    def close(self) -> None:
        """Give up what is queued, reporting it as failed."""
        self._publisher.abandon()

    def _stalled(self) -> bool:
        if self._outstanding == 0:
            return False
        silent_s = time.monotonic() - self._last_progress_s
        return min(silent_s, self._broker_answers_for_s()) > self._stalled_after_s

    def _renew(self) -> None:
        logger.error(
            "the broker answers but acknowledges nothing: the producer is made anew, its frames are sent again",
            extra={"outstanding": self._outstanding, "stalled_after_s": self._stalled_after_s},
        )
        self._publisher.abandon()
        self._publisher = self._new_publisher()
        self.renewed_total += 1
        self._last_progress_s = time.monotonic()


class KafkaStatusSink:
    """Publishes camera statuses; one that does not get through is replaced by the next, two seconds later."""

    def __init__(self, publisher: RecordPublisher, encode: Callable[[CameraStatus], bytes]) -> None:
        """Use a client of its own, so that frames never wait behind statuses."""
        self._publisher = publisher
        self._encode = encode

    def publish(self, statuses: Sequence[CameraStatus]) -> None:
        """Send statuses without waiting."""
        for status in statuses:
            record = OutgoingRecord(CAMERA_STATUS_TOPIC, status.camera_id.encode(), self._encode(status))
            try:
                self._publisher.publish(record, _forget)
            except DeliveryFailed as error:
                logger.debug("camera status not queued: %s", error)
        self._publisher.poll(0.0)

    def close(self) -> None:
        """Wait a moment for the last statuses."""
        self._publisher.flush(Deadline.after(_STATUS_FLUSH_S))
        self._publisher.abandon()


def _forget(_error: DeliveryFailed | None) -> None:
    """Nobody waits for the fate of a status."""
