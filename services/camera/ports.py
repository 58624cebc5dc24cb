"""What the camera room needs from the world."""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from services.contracts.capture import CapturedImage, RefusedImage, SpoolStatus
from services.contracts.errors import DeliveryFailed
from services.contracts.messages import CameraStatus, Frame

OnFate = Callable[[DeliveryFailed | None], None]
"""Called once per published frame, in the thread that polls: None when the broker has it for good."""


class CameraState(StrEnum):
    """What a camera is doing, as its status tells it."""

    STARTING = "starting"
    """No frame has come yet, and nothing is known to be wrong."""

    CAPTURING = "capturing"
    """Frames come and go out."""

    WAITING = "waiting"
    """Frames come and wait on disk, since the broker does not take them."""

    FAILED = "failed"
    """No frames come, or what comes cannot be kept."""

    STOPPED = "stopped"
    """The source has ended or the room is closing."""


class ImageSource(Protocol):
    """A camera, or what plays one."""

    problem: str | None
    """Why no frames come, in words; None when nothing is known to be wrong."""

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        """Yield frames as they come, until the source ends or the room stops.

        A source gets over its own troubles: it opens the device again, and yields a `RefusedImage` for what is no
        frame. It waits for pictures only, never for the room.
        """
        ...


class Spool(Protocol):
    """Durable store between capture and broker; see `services.adapters.spool`."""

    def append(self, captured: CapturedImage) -> bool:
        """Write a frame; False when the policy refused it and counted it as dropped."""
        ...

    def sync(self) -> None:
        """Make what was appended durable. Raises OSError when the disk fails."""
        ...

    def take(self) -> Frame | None:
        """Return the next durable frame in order; it is under way until released or rewound."""
        ...

    def release(self, frame_ids: Sequence[UUID]) -> int:
        """Let go of acknowledged frames; return how many were waiting."""
        ...

    def rewind(self) -> None:
        """Take again what is under way."""
        ...

    def status(self) -> SpoolStatus:
        """Return the books."""
        ...

    def close(self) -> None:
        """Flush and close."""
        ...


class FrameSink(Protocol):
    """Where frames go; used from one thread, and never waits for the broker but in `poll` and `flush`."""

    @property
    def problem(self) -> str | None:
        """Why frames are not delivered at the moment, in words."""
        ...

    def publish(self, frame: Frame, on_fate: OnFate) -> None:
        """Queue a frame.

        Raises:
            DeliveryFailed: It was not queued; `on_fate` will not be called.
        """
        ...

    def poll(self, timeout_s: float) -> None:
        """Report fates for up to `timeout_s` seconds."""
        ...

    def close(self) -> None:
        """Give up what is queued, reporting it as failed."""
        ...


class StatusSink(Protocol):
    """Where camera statuses go; best effort."""

    def publish(self, statuses: Sequence[CameraStatus]) -> None:
        """Send statuses, or lose them when the broker is away."""
        ...

    def close(self) -> None:
        """Wait a moment for what is on its way."""
        ...
