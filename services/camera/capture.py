"""The capture loop of one camera: from the source to the spool, and never a wait for the broker."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from services.camera.ports import ImageSource, Spool
from services.contracts.capture import CapturedImage, RefusedImage
from services.runtime.metrics import FRAMES_CAPTURED, FRAMES_REFUSED

SILENT_AFTER_S: Final = 10.0
"""A source that has delivered nothing for so long is reported, unless its frame rate is lower still."""

_PERIODS_UNTIL_SILENT: Final = 3.0
_REFUSALS_LOGGED_EVERY_S: Final = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CaptureLimits:
    """What a captured frame may be, and how long a source may be silent."""

    max_image_bytes: int
    longest_period_s: float = 0.0

    @property
    def silent_after_s(self) -> float:
        """Seconds without a frame after which the source counts as silent."""
        return max(SILENT_AFTER_S, _PERIODS_UNTIL_SILENT * self.longest_period_s)


class CaptureLoop:
    """Runs a source in its own thread and appends what comes to the spool.

    The end of `frames()` ends the loop. An error that the source did not foresee ends the room: see `failure`.
    """

    def __init__(
        self,
        camera_id: str,
        source: ImageSource,
        spool: Spool,
        limits: CaptureLimits,
        on_frame: Callable[[], None],
    ) -> None:
        """Prepare; `on_frame` is called after each frame that was written."""
        self.failure: BaseException | None = None
        self._camera_id = camera_id
        self._source = source
        self._spool = spool
        self._limits = limits
        self._on_frame = on_frame
        self._started_s = time.monotonic()
        self._last_frame_s: float | None = None
        self._refusal_logged_s = float("-inf")
        self._thread = threading.Thread(target=self._run, name=f"capture-{camera_id}", daemon=True)

    def start(self) -> None:
        """Begin to capture."""
        self._started_s = time.monotonic()
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait until the loop has ended; the source was told to stop through its own event."""
        self._thread.join(timeout_s)

    @property
    def ended(self) -> bool:
        """Whether the source has come to its end."""
        return not self._thread.is_alive()

    @property
    def has_captured(self) -> bool:
        """Whether any frame has come."""
        return self._last_frame_s is not None

    def problem(self) -> str | None:
        """Return why no frames come, in words."""
        if self.ended:
            return None
        silent_s = time.monotonic() - (self._last_frame_s or self._started_s)
        if silent_s < self._limits.silent_after_s:
            return self._source.problem
        return self._source.problem or f"the source has delivered no frame for {silent_s:.0f} s"

    def _run(self) -> None:
        try:
            for frame in self._source.frames():
                self._take(frame)
        except BaseException as error:
            self.failure = error
            raise

    def _take(self, frame: CapturedImage | RefusedImage) -> None:
        if isinstance(frame, CapturedImage) and len(frame.image) > self._limits.max_image_bytes:
            frame = RefusedImage(
                "too_large", f"{len(frame.image)} bytes exceed the limit of {self._limits.max_image_bytes}"
            )
        if isinstance(frame, RefusedImage):
            self._refuse(frame)
            return
        self._last_frame_s = time.monotonic()
        FRAMES_CAPTURED.labels(self._camera_id).inc()
        if self._spool.append(frame):
            self._on_frame()

    def _refuse(self, refusal: RefusedImage) -> None:
        FRAMES_REFUSED.labels(self._camera_id, refusal.reason).inc()
        now_s = time.monotonic()
        if now_s - self._refusal_logged_s >= _REFUSALS_LOGGED_EVERY_S:
            self._refusal_logged_s = now_s
            logger.warning(
                "a frame is refused: %s",
                refusal.detail,
                extra={"camera": self._camera_id, "reason": refusal.reason},
            )
