"""Cameras through OpenCV: video files, RTSP streams, USB devices; every picture is encoded as JPEG once."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

# OpenCV and FFmpeg write to standard error by themselves; what went wrong is told in our own words instead.
os.putenv("OPENCV_FFMPEG_LOGLEVEL", "-8")
os.putenv("OPENCV_LOG_LEVEL", "SILENT")
import cv2

from services.adapters.cameras.pacing import Pacer
from services.contracts.capture import CapturedImage, RefusedImage
from services.contracts.errors import ConfigurationError
from services.contracts.messages import ImageEncoding
from services.runtime.backoff import backoff_delays_s
from services.runtime.clock import Clock

_OPEN_TIMEOUT_MS: Final = 10_000
_READ_TIMEOUT_MS: Final = 10_000
_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 15.0
_FALLBACK_FPS: Final = 25.0
_PLAUSIBLE_FPS: Final = 1000.0

logger = logging.getLogger(__name__)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How a stream is read.

    Attributes:
        frames_per_second: At most this many frames are taken a second; None takes all there are.
        jpeg_quality: 1 to 100.
        loop: Whether a video file starts over at its end.
    """

    frames_per_second: float | None = None
    jpeg_quality: int = 90
    loop: bool = True


def redacted(address: str) -> str:
    """Return an address without the user and password it may hold, for logs and messages."""
    return re.sub(r"(?<=://)[^/@]*@", "***@", address)


def encode_jpeg(pixels: Pixels, quality: int) -> bytes | None:
    """Return pixels (grey or BGR) as JPEG, or None when they cannot be encoded."""
    encoded, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(data) if encoded else None


def _captured(pixels: Pixels, quality: int, clock: Clock) -> CapturedImage | RefusedImage:
    captured_at = clock()
    data = encode_jpeg(pixels, quality)
    if data is None:
        return RefusedImage("not_encodable", f"a picture of shape {pixels.shape} cannot be encoded")
    height_px, width_px = pixels.shape[:2]
    return CapturedImage(data, ImageEncoding.JPEG, captured_at, width_px, height_px)


class VideoSource:
    """Plays a video file at its own frame rate or a given one."""

    def __init__(self, path: Path, options: StreamOptions, clock: Clock, stop: threading.Event) -> None:
        """Check that the file is a video.

        Raises:
            ConfigurationError: It is missing, or OpenCV cannot decode it.
        """
        self.problem: str | None = None
        self._path = path
        self._options = options
        self._clock = clock
        self._stop = stop
        self._open().release()

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        """Yield a picture a tick until the end or the room's stop."""
        while True:
            video = self._open()
            try:
                yield from self._play(video)
            finally:
                video.release()
            if self._stop.is_set() or not self._options.loop:
                return

    def _play(self, video: cv2.VideoCapture) -> Iterator[CapturedImage | RefusedImage]:
        own_fps = video.get(cv2.CAP_PROP_FPS)
        fps = own_fps if 0 < own_fps < _PLAUSIBLE_FPS else _FALLBACK_FPS
        pacer = Pacer(self._options.frames_per_second or fps, self._stop)
        while pacer.wait():
            read, pixels = video.read()
            if not read:
                return
            yield _captured(pixels.astype(np.uint8, copy=False), self._options.jpeg_quality, self._clock)

    def _open(self) -> cv2.VideoCapture:
        if not self._path.is_file():
            raise ConfigurationError(f"video file {self._path} is not there")
        video = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not video.isOpened() or not video.grab():
            raise ConfigurationError(f"video file {self._path} cannot be decoded: is it a video?")
        video.set(cv2.CAP_PROP_POS_FRAMES, 0)
        return video


class LiveSource:
    """Reads an RTSP stream or a USB device; when it fails it is opened again, with growing pauses."""

    def __init__(
        self,
        device: str | int,
        options: StreamOptions,
        clock: Clock,
        stop: threading.Event,
        open_capture: Callable[[str | int], cv2.VideoCapture] | None = None,
    ) -> None:
        """Take an RTSP address or the number of a USB device; nothing is opened yet."""
        self.problem: str | None = None
        self._device = device
        self._name = f"usb:{device}" if isinstance(device, int) else redacted(device)
        self._options = options
        self._clock = clock
        self._stop = stop
        self._open_capture = open_capture or _open_capture

    def probe(self) -> None:
        """Open once and let go, to tell a user's mistake from a camera that comes later.

        Raises:
            ConfigurationError: The device cannot be opened.
        """
        capture = self._open_capture(self._device)
        opened = capture.isOpened()
        capture.release()
        if not opened:
            raise ConfigurationError(self._cannot_open)

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        """Yield pictures as they come, until the room's stop."""
        delays_s = self._delays_s()
        while not self._stop.is_set():
            capture = self._open_capture(self._device)
            try:
                for frame in self._read(capture):
                    delays_s = self._delays_s()
                    yield frame
            finally:
                capture.release()
            logger.warning("%s", self.problem, extra={"source": self._name})
            self._stop.wait(next(delays_s))

    @property
    def _cannot_open(self) -> str:
        if isinstance(self._device, int):
            return (
                f"camera {self._name} cannot be opened: is it plugged in, is /dev/video{self._device} readable"
                " for this user, and is no other program using it?"
            )
        return f"camera {self._name} cannot be opened: check address, user, password and network"

    def _read(self, capture: cv2.VideoCapture) -> Iterator[CapturedImage | RefusedImage]:
        if not capture.isOpened():
            self.problem = self._cannot_open
            return
        fps = self._options.frames_per_second
        pacer = None if fps is None else _Thinner(1.0 / fps)
        while not self._stop.is_set():
            if not capture.grab():
                self.problem = f"camera {self._name} delivers no more pictures: opening it again"
                return
            if pacer is not None and not pacer.due(time.monotonic()):
                continue
            read, pixels = capture.retrieve()
            if read:
                self.problem = None
                yield _captured(pixels.astype(np.uint8, copy=False), self._options.jpeg_quality, self._clock)

    def _delays_s(self) -> Iterator[float]:
        return backoff_delays_s(_FIRST_RETRY_S, _LONGEST_RETRY_S)


class _Thinner:
    """Says which pictures of a faster stream to take."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._next_s = 0.0

    def due(self, now_s: float) -> bool:
        if now_s < self._next_s:
            return False
        self._next_s = max(self._next_s + self._period_s, now_s)
        return True


def _open_capture(device: str | int) -> cv2.VideoCapture:
    if isinstance(device, int):
        return cv2.VideoCapture(device, cv2.CAP_V4L2)
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        _OPEN_TIMEOUT_MS,
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        _READ_TIMEOUT_MS,
    ]
    return cv2.VideoCapture(device, cv2.CAP_FFMPEG, timeouts)
