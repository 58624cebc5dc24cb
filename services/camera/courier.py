"""The courier of one camera: makes frames durable, hands them to the broker, releases what is acknowledged."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.camera.ports import FrameSink, Spool
from services.contracts.errors import DeliveryFailed
from services.contracts.messages import Frame
from services.runtime.backoff import backoff_delays_s
from services.runtime.deadline import Deadline
from services.runtime.metrics import DELIVERY_LATENCY, FRAMES_PUBLISHED

_IDLE_S: Final = 0.05
_REPORTS_S: Final = 0.005
_FIRST_RETRY_S: Final = 0.2
_LONGEST_RETRY_S: Final = 5.0
_LOGGED_AFTER_S: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InFlightLimits:
    """How much of a camera the client may hold at once."""

    max_bytes: int = 16 << 20
    max_frames: int = 512


class Courier:
    """Runs in its own thread; the only one that touches the sink and the sending side of the spool.

    Frames leave in order. When one is not delivered, nothing more is handed over until the fate of all that are
    under way is known; then everything unacknowledged is sent again, oldest first, with the same frame ids.
    """

    def __init__(
        self, camera_id: str, spool: Spool, sink: FrameSink, limits: InFlightLimits | None = None
    ) -> None:
        """Prepare; nothing is sent before `start`."""
        self.failure: BaseException | None = None
        self.problem: str | None = None
        self._camera_id = camera_id
        self._spool = spool
        self._sink = sink
        self._limits = limits or InFlightLimits()
        self._bytes_by_frame: dict[UUID, int] = {}
        self._bytes_in_flight = 0
        self._acknowledged: list[UUID] = []
        self._must_rewind = False
        self._delays_s = self._new_delays_s()
        self._not_before = Deadline.after(0.0)
        self._troubled_since_s = 0.0
        self._is_logged = False
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._drain_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"courier-{camera_id}", daemon=True)

    def start(self) -> None:
        """Begin to send, beginning with what an earlier run left."""
        self._thread.start()

    def wake(self) -> None:
        """Say that a frame was written."""
        self._wake.set()

    def stop(self, drain_s: float) -> None:
        """Ask to stop: what is under way may be acknowledged for `drain_s` seconds more; the rest stays."""
        self._drain_s = drain_s
        self._stop.set()
        self._wake.set()

    def join(self, timeout_s: float) -> None:
        """Wait until the courier has stopped."""
        self._thread.join(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether nothing is sent any more."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.step()
            self._finish()
        except BaseException as error:
            self.failure = error
            raise

    def step(self) -> None:
        """Do one round: durable, hand over, hear reports, release; waits at most 50 ms for something to do."""
        self._wake.clear()
        if self._make_durable():
            self._hand_over()
        if self._bytes_by_frame:
            self._sink.poll(_REPORTS_S if self.problem is None else _IDLE_S)
        else:
            self._wake.wait(_IDLE_S)
            self._sink.poll(0.0)
        self._settle()

    def _make_durable(self) -> bool:
        try:
            self._spool.sync()
        except OSError as error:
            self._back_off(f"the disk of the spool does not flush: {error.strerror}")
            return False
        return True

    def _hand_over(self) -> None:
        if self._must_rewind or not self._not_before.expired:
            return
        while (
            len(self._bytes_by_frame) < self._limits.max_frames
            and self._bytes_in_flight < self._limits.max_bytes
            and (frame := self._spool.take()) is not None
        ):
            try:
                self._publish(frame)
            except DeliveryFailed as error:
                self._fail(error)
                return

    def _publish(self, frame: Frame) -> None:
        frame_id, handed_over_s = frame.frame_id, time.monotonic()
        size = len(frame.image) if isinstance(frame.image, bytes) else 0

        def on_fate(error: DeliveryFailed | None) -> None:
            self._bytes_in_flight -= self._bytes_by_frame.pop(frame_id, 0)
            if error is not None:
                self._fail(error)
                return
            self._acknowledged.append(frame_id)
            DELIVERY_LATENCY.labels(self._camera_id).observe(time.monotonic() - handed_over_s)

        self._sink.publish(frame, on_fate)
        self._bytes_by_frame[frame_id] = size
        self._bytes_in_flight += size

    def _fail(self, error: DeliveryFailed) -> None:
        if not self._must_rewind:
            self._must_rewind = True
            self._back_off(str(error))

    def _back_off(self, problem: str) -> None:
        now_s = time.monotonic()
        if self.problem is None:
            self._troubled_since_s, self._is_logged = now_s, False
        if not self._is_logged and now_s - self._troubled_since_s > _LOGGED_AFTER_S:
            self._is_logged = True
            logger.warning("frames wait on disk: %s", problem, extra={"camera": self._camera_id})
        self.problem = problem
        self._not_before = Deadline.after(next(self._delays_s))

    def _settle(self) -> None:
        if self._acknowledged:
            FRAMES_PUBLISHED.labels(self._camera_id).inc(self._spool.release(self._acknowledged))
            self._acknowledged = []
            self._delays_s = self._new_delays_s()
            if not self._must_rewind:
                self._recovered()
        if self._must_rewind and not self._bytes_by_frame and self._not_before.expired:
            self._spool.rewind()
            self._must_rewind = False

    def _recovered(self) -> None:
        if self.problem is not None and self._is_logged:
            logger.info("the broker takes frames again", extra={"camera": self._camera_id})
        self.problem = None

    def _finish(self) -> None:
        """Spend the drain time on what is under way, then let go."""
        drained = Deadline.after(self._drain_s)
        while not drained.expired and (self._spool.status().waiting or self._bytes_by_frame):
            self.step()
        self._sink.close()
        self._settle()

    def _new_delays_s(self) -> Iterator[float]:
        return backoff_delays_s(_FIRST_RETRY_S, _LONGEST_RETRY_S)
