"""Doubles of cameras."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.contracts.capture import CapturedImage, RefusedImage
from services.contracts.messages import ImageEncoding

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)


def captured_image(number: int = 0, size: int = 10_240, at: datetime = START) -> CapturedImage:
    """An image whose bytes tell its number."""
    return CapturedImage(number.to_bytes(4, "big") * (size // 4), ImageEncoding.JPEG, at, 224, 200, 12.5, "coil-7")


class ListedSource:
    """Delivers what it was given, then ends or waits for the room's stop."""

    def __init__(
        self, frames: Sequence[CapturedImage | RefusedImage], stop: threading.Event | None = None
    ) -> None:
        self.problem: str | None = None
        self._frames = frames
        self._stop = stop

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        yield from self._frames
        if self._stop is not None:
            self._stop.wait()


class BrokenSource:
    """Breaks in a way nobody foresaw."""

    problem: str | None = None

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        yield from self._broken()

    def _broken(self) -> Iterator[CapturedImage | RefusedImage]:
        raise ZeroDivisionError("a bug in a source")
