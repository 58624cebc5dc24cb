"""RTSP as OpenCV really speaks it, against a small camera on loopback."""

import threading
from itertools import islice

import cv2
import numpy as np

from services.adapters.cameras.opencv import LiveSource, StreamOptions
from services.contracts.capture import CapturedImage
from services.contracts.image_header import check_image
from services.runtime.clock import utc_now
from tests.fakes.rtsp_camera import RtspCamera


def brightness(frame: object) -> float:
    assert isinstance(frame, CapturedImage)
    pixels = cv2.imdecode(np.frombuffer(frame.image, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return float(pixels.mean())


def test_a_stream_becomes_jpeg_frames_in_order() -> None:
    camera = RtspCamera()
    source = LiveSource(camera.url, StreamOptions(), utc_now, threading.Event())
    frames = list(islice(source.frames(), 10))
    camera.close()
    values = [brightness(frame) for frame in frames]
    assert values == sorted(values)
    assert values[-1] - values[0] >= 8
    assert isinstance(frames[0], CapturedImage)
    header = check_image(frames[0].image)
    assert (header.width_px, header.height_px) == camera.size


def test_a_stream_that_breaks_off_is_opened_again() -> None:
    camera = RtspCamera(frames_per_connection=8)
    source = LiveSource(camera.url, StreamOptions(), utc_now, threading.Event())
    frames = list(islice(source.frames(), 20))
    camera.close()
    assert len(frames) == 20
    assert camera.connections >= 3
