"""Doubles of the camera room's ways out."""

from collections import deque
from collections.abc import Sequence

from services.camera.ports import OnFate
from services.contracts.errors import DeliveryFailed
from services.contracts.messages import CameraStatus, Frame


class ScriptedFrameSink:
    """Holds frames until the test says what becomes of them; `deliver_all` makes it a broker that works.

    `delivered` holds what the broker has, in order, copies included.
    """

    def __init__(self, *, deliver_all: bool = False, capacity: int = 1_000_000) -> None:
        self.problem: str | None = None
        self.delivered: list[Frame] = []
        self.queued: deque[tuple[Frame, OnFate]] = deque()
        self.closed = False
        self.deliver_all = deliver_all
        self.capacity = capacity

    def publish(self, frame: Frame, on_fate: OnFate) -> None:
        if len(self.queued) >= self.capacity:
            raise DeliveryFailed("the producer's queue is full")
        self.queued.append((frame, on_fate))

    def poll(self, timeout_s: float) -> None:
        if self.deliver_all:
            self.deliver(len(self.queued))

    def deliver(self, count: int) -> None:
        """Acknowledge the oldest `count` frames."""
        for _ in range(count):
            frame, on_fate = self.queued.popleft()
            self.delivered.append(frame)
            on_fate(None)

    def fail(self, count: int, *, lost_acknowledgement: bool = False) -> None:
        """Report the oldest `count` frames as failed; the broker may have them all the same."""
        for _ in range(count):
            frame, on_fate = self.queued.popleft()
            if lost_acknowledgement:
                self.delivered.append(frame)
            on_fate(DeliveryFailed("timed out"))

    def close(self) -> None:
        self.closed = True
        self.fail(len(self.queued))


class RecordingStatusSink:
    """Remembers all statuses."""

    def __init__(self) -> None:
        self.published: list[CameraStatus] = []
        self.closed = False

    def publish(self, statuses: Sequence[CameraStatus]) -> None:
        self.published += statuses

    def close(self) -> None:
        self.closed = True
