"""Keeps a source at its frame rate without drift, and lets go at once when the room stops."""

import threading
import time
from collections.abc import Callable


class Pacer:
    """Ticks at a fixed rate on the monotonic clock; ticks that were missed are skipped, never made up for."""

    def __init__(
        self,
        frames_per_second: float,
        stop: threading.Event,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with an immediate first tick."""
        self._period_s = 1.0 / frames_per_second
        self._stop = stop
        self._monotonic_s = monotonic_s
        self._next_s = monotonic_s()

    def wait(self) -> bool:
        """Wait for the next tick; False when the room stops instead."""
        now_s = self._monotonic_s()
        if now_s > self._next_s + self._period_s:
            self._next_s = now_s
        stopped = self._stop.wait(max(0.0, self._next_s - now_s))
        self._next_s += self._period_s
        return not stopped
