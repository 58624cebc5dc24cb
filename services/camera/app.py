"""The camera room: captures on one side, delivers on the other, and says how it is doing."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.camera.capture import CaptureLimits, CaptureLoop
from services.camera.courier import Courier
from services.camera.ports import CameraState, FrameSink, ImageSource, Spool, StatusSink
from services.contracts.capture import SpoolStatus
from services.contracts.messages import CameraStatus
from services.runtime.clock import Clock
from services.runtime.metrics import SPOOL_BYTES, SPOOL_DROPPED, SPOOL_FRAMES, SPOOL_OLDEST_AGE

STATUS_EVERY_S: Final = 2.0
DRAIN_S: Final = 5.0
_TURN_S: Final = 0.25
_STOP_SOURCE_S: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Station:
    """One camera of the room: its source, its spool, its way out."""

    camera_id: str
    source: ImageSource
    spool: Spool
    sink: FrameSink
    limits: CaptureLimits
    courier: Courier = field(init=False)
    capture: CaptureLoop = field(init=False)
    _dropped_before: int = field(init=False)

    def __post_init__(self) -> None:
        self.courier = Courier(self.camera_id, self.spool, self.sink)
        self.capture = CaptureLoop(self.camera_id, self.source, self.spool, self.limits, self.courier.wake)
        self._dropped_before = self.spool.status().dropped

    @property
    def failure(self) -> BaseException | None:
        """The bug that ended one of the two threads, if any."""
        return self.capture.failure or self.courier.failure

    def state(self, books: SpoolStatus) -> tuple[CameraState, str | None]:
        """Return what the camera is doing, and why it is not well."""
        capture_problem = self.capture.problem()
        delivery_problem = self.courier.problem or self.sink.problem
        if books.problem is not None:
            return CameraState.FAILED, books.problem
        if capture_problem is not None:
            return CameraState.FAILED, capture_problem
        if delivery_problem is not None and books.waiting:
            return CameraState.WAITING, f"{books.waiting} frames wait on disk: {delivery_problem}"
        if self.capture.ended:
            return CameraState.STOPPED, None
        return CameraState.CAPTURING if self.capture.has_captured else CameraState.STARTING, None

    def report(self, clock: Clock) -> CameraStatus:
        """Return the camera's status, and bring its metrics up to date."""
        books = self.spool.status()
        state, reason = self.state(books)
        now = clock()
        oldest_at = books.oldest_waiting_at
        age_s = 0.0 if oldest_at is None else max(0.0, (now - oldest_at).total_seconds())
        SPOOL_FRAMES.labels(self.camera_id).set(books.waiting)
        SPOOL_BYTES.labels(self.camera_id).set(books.waiting_bytes)
        SPOOL_OLDEST_AGE.labels(self.camera_id).set(age_s)
        SPOOL_DROPPED.labels(self.camera_id).inc(books.dropped - self._dropped_before)
        self._dropped_before = books.dropped
        return CameraStatus(
            camera_id=self.camera_id,
            session_id=books.session_id,
            reported_at=now,
            state=state.value,
            reason=reason,
            captured_total=books.captured,
            published_total=books.published,
            dropped_total=books.dropped,
            spooled_frames=books.waiting,
            spool_bytes=books.waiting_bytes,
            oldest_spooled_at=oldest_at,
        )


class CameraRoom:
    """Runs the stations until it is told to stop, or all sources have ended and all frames are delivered."""

    def __init__(
        self,
        stations: Sequence[Station],
        statuses: StatusSink,
        clock: Clock,
        stop: threading.Event,
        tick: Callable[[], None],
    ) -> None:
        """Prepare; `stop` is the event that the sources listen to, `tick` is called as long as the room lives."""
        self._stations = stations
        self._statuses = statuses
        self._clock = clock
        self._stop = stop
        self._tick = tick

    def run(self) -> None:
        """Capture and deliver; returns after an orderly stop.

        Raises:
            BaseException: What ended a thread of the room: a bug, to end the process with its traceback.
        """
        for station in self._stations:
            station.courier.start()
            station.capture.start()
        try:
            self._watch()
        finally:
            self._close()
        for station in self._stations:
            if station.failure is not None:
                raise station.failure

    def problems(self) -> str | None:
        """Return what is wrong with any camera, in words."""
        told = [
            f"{station.camera_id}: {reason}"
            for station in self._stations
            if (reason := station.state(station.spool.status())[1]) is not None
        ]
        return "; ".join(told) or None

    def _watch(self) -> None:
        turns_between_reports = round(STATUS_EVERY_S / _TURN_S)
        turn = 0
        while not self._stop.is_set():
            self._tick()
            if any(station.failure is not None for station in self._stations) or self._finished():
                return
            if turn % turns_between_reports == 0:
                self._report()
            turn += 1
            self._stop.wait(_TURN_S)

    def _finished(self) -> bool:
        return all(station.capture.ended and station.spool.status().waiting == 0 for station in self._stations)

    def _report(self) -> None:
        self._statuses.publish([station.report(self._clock) for station in self._stations])

    def _close(self) -> None:
        """Stop capture first, then give what is under way five seconds; the rest stays on disk."""
        self._stop.set()
        for station in self._stations:
            station.capture.join(_STOP_SOURCE_S)
        for station in self._stations:
            station.courier.stop(DRAIN_S)
        for station in self._stations:
            station.courier.join(DRAIN_S + _STOP_SOURCE_S)
        self._report()
        self._statuses.close()
        for station in self._stations:
            books = station.spool.status()
            logger.info(
                "camera closed",
                extra={
                    "camera": station.camera_id,
                    "captured": books.captured,
                    "published": books.published,
                    "dropped": books.dropped,
                    "waiting": books.waiting,
                },
            )
            if station.capture.ended and station.courier.ended:
                station.spool.close()
