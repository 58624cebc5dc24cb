"""The one way from encoded bytes to what the model sees; trainer, classifier and bench all come through here.

Pixels that differ between training and operation cost accuracy without a sound, so the scaled decode and the
resize live in one place. The whole frame is squeezed to a square: aspect is not kept, EXIF orientation is ignored
(a camera is mounted one way), 16-bit PNG keeps its high byte, alpha is dropped, grey becomes three equal channels.
"""

import os
from typing import Final

import numpy as np
import numpy.typing as npt
import simplejpeg

from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.image_header import (
    DEFAULT_LIMITS,
    JPEG_MAGIC,
    PNG_MAGIC,
    ImageHeader,
    ImageLimits,
    check_image,
    encoding_of,
)
from services.contracts.messages import ImageEncoding

# OpenCV reads its limits once, when it is loaded; its own default is 2^30 pixels.
os.putenv("OPENCV_IO_MAX_IMAGE_PIXELS", str(DEFAULT_LIMITS.max_pixels))
import cv2

__all__ = [
    "DEFAULT_LIMITS",
    "ImageHeader",
    "ImageLimits",
    "check_image",
    "decode_checked",
    "decode_for_model",
    "encoding_of",
    "salvaged_jpeg",
    "thumbnail_jpeg",
]

Pixels = npt.NDArray[np.uint8]

_START_OF_SCAN: Final = b"\xff\xda"
_PNG_FLAGS: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


def decode_for_model(data: bytes, input_px: int, limits: ImageLimits = DEFAULT_LIMITS) -> Pixels:
    """Check and decode an image to what the model takes: uint8, `input_px` x `input_px` x 3, RGB.

    A JPEG is decoded with the largest DCT reduction that keeps both sides at least `input_px`, then area-averaged.

    Raises:
        RejectedMessage: The image breaks a limit, or the decoder has as much as a warning about it.
    """
    return decode_checked(data, check_image(data, limits), input_px)


def decode_checked(data: bytes, header: ImageHeader, input_px: int) -> Pixels:
    """Decode an image that `check_image` has accepted with this header; see `decode_for_model`.

    Raises:
        RejectedMessage: The decoder has as much as a warning about the data.
    """
    if header.encoding is ImageEncoding.JPEG:
        pixels = _decode_jpeg(data, header, input_px)
    else:
        pixels = _decode_png(data, header)
    if pixels.shape[:2] == (input_px, input_px):
        return pixels
    return cv2.resize(pixels, (input_px, input_px), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _decode_jpeg(data: bytes, header: ImageHeader, input_px: int) -> Pixels:
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, colorspace="RGB", min_height=input_px, min_width=input_px, strict=True
        )
    except ValueError as error:
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, f"the JPEG decoder objects: {error}") from error
    _compare_shape(pixels, header)
    return pixels


def _decode_png(data: bytes, header: ImageHeader) -> Pixels:
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _PNG_FLAGS)
    except cv2.error as error:
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, f"the PNG decoder objects: {error.err}") from error
    if bgr is None:
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the PNG decoder gives no image")
    pixels = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    _compare_shape(pixels, header)
    return pixels


def thumbnail_jpeg(data: bytes, header: ImageHeader, longest_px: int = 512) -> bytes:
    """Return a small JPEG of a checked image, aspect kept: evidence to look at, not what the model saw.

    Raises:
        RejectedMessage: The decoder has as much as a warning about the data.
    """
    scale = min(1.0, longest_px / max(header.width_px, header.height_px))
    width_px, height_px = max(1, round(header.width_px * scale)), max(1, round(header.height_px * scale))
    if header.encoding is ImageEncoding.JPEG:
        pixels = _decode_jpeg(data, header, min(width_px, height_px))
    else:
        pixels = _decode_png(data, header)
    small = cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA)
    jpeg: bytes = simplejpeg.encode_jpeg(np.ascontiguousarray(small), quality=80, colorspace="RGB")
    return jpeg


def salvaged_jpeg(message: bytes, limits: ImageLimits = DEFAULT_LIMITS, longest_px: int = 320) -> bytes | None:
    """Return a small JPEG of what a forgiving decoder makes of a refused message, for people to look at.

    The image is looked for anywhere in the message, since its envelope may be what is broken. Size, pixels and
    scans are limited as for frames.

    Returns:
        None when there is nothing to be seen.
    """
    starts = [at for magic in (JPEG_MAGIC, PNG_MAGIC) if (at := message.find(magic)) >= 0]
    if not starts or len(message) - min(starts) > limits.max_bytes:
        return None
    data = message[min(starts) :]
    try:
        pixels = _forgiving_jpeg(data, limits, longest_px) if data.startswith(JPEG_MAGIC) else _forgiving_png(data)
    except (ValueError, KeyError, cv2.error):  # KeyError: the JPEG library meets a colour space without a name
        return None
    if pixels is None:
        return None
    scale = min(1.0, longest_px / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    small = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return bytes(simplejpeg.encode_jpeg(small, quality=75, colorspace="RGB"))


def _forgiving_jpeg(data: bytes, limits: ImageLimits, longest_px: int) -> Pixels | None:
    height_px, width_px = simplejpeg.decode_jpeg_header(data, strict=False)[:2]
    pixels_in_all, scans = height_px * width_px, data.count(_START_OF_SCAN)
    if pixels_in_all > limits.max_pixels or not 0 < scans <= limits.max_scans:
        return None
    pixels: Pixels = simplejpeg.decode_jpeg(
        data, colorspace="RGB", min_height=longest_px, min_width=longest_px, strict=False
    )
    return pixels


def _forgiving_png(data: bytes) -> Pixels | None:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), _PNG_FLAGS)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _compare_shape(pixels: Pixels, header: ImageHeader) -> None:
    """Refuse pixels whose shape is no reduction (n/8, rounded up) of what the header says."""
    height_px, width_px = pixels.shape[:2]
    for eighths in range(1, 9):
        if (height_px, width_px) == (
            -(-header.height_px * eighths // 8),
            -(-header.width_px * eighths // 8),
        ):
            return
    raise RejectedMessage(
        RejectReason.CORRUPT_IMAGE,
        f"decoded to {width_px} x {height_px} px, but the header says {header.width_px} x {header.height_px} px",
    )
