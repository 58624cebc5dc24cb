"""Reads what JPEG and PNG files say about themselves, and refuses what we will not decode.

Nothing is allocated and no pixel is decoded here: a file that claims too many pixels, hides hundreds of scans or
ends too early is refused from its bytes alone, before an image library sees it.
"""

import re
import struct
import zlib
from dataclasses import dataclass
from typing import Final

from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.messages import ImageEncoding

JPEG_MAGIC: Final = b"\xff\xd8\xff"
PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"

_SOF_HANDLED: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended sequential, progressive
_SOF_OTHER: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_MARK: Final = 0xFF
_SOS: Final = 0xDA
_EOI: Final = 0xD9
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_PADDING: Final = b"\x00\xff\r\n"

_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_DEPTHS: Final = frozenset({8, 16})
_PNG_PALETTE: Final = 3
_MAX_PNG_CHUNKS: Final = 4096


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a frame's image may be. Sides in pixels, sizes in bytes."""

    max_bytes: int = 4 * 1024 * 1024
    min_side_px: int = 32
    max_side_px: int = 8192
    max_pixels: int = 25_000_000
    max_scans: int = 100


DEFAULT_LIMITS: Final = ImageLimits()


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an accepted image says about itself; sides in pixels."""

    encoding: ImageEncoding
    width_px: int
    height_px: int


def encoding_of(data: bytes) -> ImageEncoding | None:
    """Return the encoding that the first bytes announce, or None."""
    if data.startswith(JPEG_MAGIC):
        return ImageEncoding.JPEG
    if data.startswith(PNG_MAGIC):
        return ImageEncoding.PNG
    return None


def check_image(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> ImageHeader:
    """Check an encoded image against the limits without decoding it.

    JPEG: baseline, extended sequential or progressive, 8 bit, 1 or 3 components, at most `max_scans` scans, ended
    by EOI. PNG: grey, RGB or palette with or without alpha, 8 or 16 bit, every chunk whole with its checksum
    right, ended by IEND, not animated.

    Raises:
        RejectedMessage: The bytes break a rule; the detail names it.
    """
    if not data:
        raise RejectedMessage(RejectReason.EMPTY, "the image is empty")
    if len(data) > limits.max_bytes:
        raise RejectedMessage(RejectReason.TOO_LARGE, f"{len(data)} bytes exceed the limit of {limits.max_bytes}")
    encoding = encoding_of(data)
    if encoding is None:
        raise RejectedMessage(RejectReason.NOT_AN_IMAGE, "the bytes are neither JPEG nor PNG")
    is_jpeg = encoding is ImageEncoding.JPEG
    width_px, height_px = _JpegWalk(data, limits).sides_px() if is_jpeg else _png_sides_px(data, limits)
    return ImageHeader(encoding, width_px, height_px)


def _check_sides(width_px: int, height_px: int, limits: ImageLimits) -> None:
    if min(width_px, height_px) < limits.min_side_px:
        raise RejectedMessage(
            RejectReason.UNSUPPORTED_IMAGE,
            f"{width_px} x {height_px} px: a side is shorter than {limits.min_side_px} px",
        )
    if max(width_px, height_px) > limits.max_side_px or width_px * height_px > limits.max_pixels:
        raise RejectedMessage(
            RejectReason.TOO_MANY_PIXELS,
            f"{width_px} x {height_px} px exceed {limits.max_side_px} px a side or {limits.max_pixels} px in all",
        )


def _truncated(what: str) -> RejectedMessage:
    return RejectedMessage(RejectReason.TRUNCATED_IMAGE, f"the image ends too early: {what}")


class _JpegWalk:
    """Walks once from marker to marker, jumping over entropy-coded data with a compiled expression."""

    def __init__(self, data: bytes, limits: ImageLimits) -> None:
        self._data = data
        self._limits = limits
        self._sides_px: tuple[int, int] | None = None
        self._scans = 0

    def sides_px(self) -> tuple[int, int]:
        position = 2
        while True:
            marker, position = self._marker(position)
            if marker == _EOI:
                return self._finish(position)
            if marker in _ALONE:
                continue
            end = self._segment_end(position)
            if marker == _SOS:
                position = self._scan(end)
                continue
            self._header(marker, position, end)
            position = end

    def _marker(self, position: int) -> tuple[int, int]:
        data = self._data
        if position + 1 >= len(data):
            raise _truncated("no end-of-image marker")
        if data[position] != _MARK:
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, f"a JPEG marker is missing at byte {position}")
        while position < len(data) and data[position] == _MARK:
            position += 1
        if position >= len(data):
            raise _truncated("no end-of-image marker")
        return data[position], position + 1

    def _segment_end(self, position: int) -> int:
        length = int.from_bytes(self._data[position : position + 2], "big")
        if position + 2 > len(self._data) or position + length > len(self._data):
            raise _truncated("a JPEG segment is longer than the file")
        if length < 2:  # noqa: PLR2004 - the length counts its own two bytes
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "a JPEG segment has no length")
        return position + length

    def _header(self, marker: int, position: int, end: int) -> None:
        if marker in _SOF_OTHER:
            raise RejectedMessage(
                RejectReason.UNSUPPORTED_IMAGE,
                "the JPEG is neither baseline nor progressive with Huffman coding",
            )
        if marker not in _SOF_HANDLED:
            return
        if self._sides_px is not None:
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the JPEG has two frame headers")
        if end - position < 8:  # noqa: PLR2004 - length 2, precision 1, sides 4, components 1
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the JPEG's frame header is too short")
        precision, height_px, width_px, components = struct.unpack_from(">BHHB", self._data, position + 2)
        if precision != 8 or components not in {1, 3}:  # noqa: PLR2004 - bits
            raise RejectedMessage(
                RejectReason.UNSUPPORTED_IMAGE,
                f"the JPEG has {components} components of {precision} bit: 1 or 3 of 8 bit are read",
            )
        _check_sides(width_px, height_px, self._limits)
        self._sides_px = (width_px, height_px)

    def _scan(self, start: int) -> int:
        self._scans += 1
        if self._scans > self._limits.max_scans:
            raise RejectedMessage(
                RejectReason.UNSUPPORTED_IMAGE,
                f"the JPEG has more than {self._limits.max_scans} scans",
            )
        if self._sides_px is None:
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "a JPEG scan comes before its header")
        found = _AFTER_SCAN.search(self._data, start)
        if found is None:
            raise _truncated("no end-of-image marker")
        return found.start()

    def _finish(self, end: int) -> tuple[int, int]:
        if self._sides_px is None or self._scans == 0:
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the JPEG holds no image")
        if len(self._data) > end and self._data[end:].strip(_PADDING):
            raise RejectedMessage(RejectReason.CORRUPT_IMAGE, f"bytes follow the end of the JPEG at byte {end}")
        return self._sides_px


def _png_sides_px(data: bytes, limits: ImageLimits) -> tuple[int, int]:
    sides_px = _png_header(data, limits)
    position = len(PNG_MAGIC)
    has_pixels = False
    for _ in range(_MAX_PNG_CHUNKS):
        kind, position = _png_chunk(data, position)
        if kind == b"acTL":
            raise RejectedMessage(RejectReason.UNSUPPORTED_IMAGE, "the PNG is animated")
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
    else:
        raise RejectedMessage(RejectReason.UNSUPPORTED_IMAGE, f"the PNG has more than {_MAX_PNG_CHUNKS} chunks")
    if not has_pixels:
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the PNG holds no image data")
    if data[position:].strip(_PADDING):
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "bytes follow the end of the PNG")
    return sides_px


def _png_header(data: bytes, limits: ImageLimits) -> tuple[int, int]:
    if len(data) < 33:  # noqa: PLR2004 - magic 8, length 4, name 4, IHDR 13, checksum 4
        raise _truncated("the PNG's header is not whole")
    length, kind, width_px, height_px, depth, colour = struct.unpack_from(">I4sIIBB", data, 8)
    if kind != b"IHDR" or length != 13:  # noqa: PLR2004 - fixed by the format
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "the PNG does not begin with its header")
    _check_sides(width_px, height_px, limits)
    if (
        colour not in _PNG_CHANNELS or depth not in _PNG_DEPTHS or (colour == _PNG_PALETTE and depth != 8)  # noqa: PLR2004 - bits
    ):
        raise RejectedMessage(
            RejectReason.UNSUPPORTED_IMAGE,
            f"the PNG has colour type {colour} with {depth} bit: 8 or 16 bit are read",
        )
    return width_px, height_px


def _png_chunk(data: bytes, position: int) -> tuple[bytes, int]:
    if position + 12 > len(data):
        raise _truncated("no IEND chunk")
    length, kind = struct.unpack_from(">I4s", data, position)
    end = position + 12 + length
    if end > len(data):
        raise _truncated("a PNG chunk is longer than the file")
    (checksum,) = struct.unpack_from(">I", data, end - 4)
    if zlib.crc32(memoryview(data)[position + 4 : end - 4]) != checksum:
        raise RejectedMessage(RejectReason.CORRUPT_IMAGE, "a PNG chunk's checksum is wrong")
    return kind, end
