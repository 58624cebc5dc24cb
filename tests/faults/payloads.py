"""Bad payloads of every kind, by name, as a broken or hostile camera would send them."""

import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from services.adapters.cameras.renderer import render
from services.contracts.codec import encode_frame
from services.contracts.messages import Frame, ImageEncoding
from tests.images import jpeg_bytes


def _frame(camera_id: str, image: bytes, digest: bytes | None = None) -> bytes:
    return encode_frame(
        Frame(
            frame_id=UUID(int=1),
            camera_id=camera_id,
            line_id=None,
            coil_id=None,
            material="steel_strip",
            captured_at=datetime(2026, 11, 23, tzinfo=UTC),
            session_id=UUID(int=2),
            sequence=1,
            strip_position_m=None,
            width_px=224,
            height_px=224,
            encoding=ImageEncoding.JPEG,
            image=image,
            sha256=sha256(image).digest() if digest is None else digest,
        )
    )


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png_bomb() -> bytes:
    """30,000 x 30,000 pixels of nothing in a few kilobytes."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", pixels) + _png_chunk(b"IEND", b"")
    )


def _jpeg_bomb(good: bytes) -> bytes:
    """A good JPEG whose start-of-frame claims 65,500 x 65,500 pixels."""
    at = next(index for index in range(len(good)) if good[index : index + 2] in (b"\xff\xc0", b"\xff\xc2"))
    return good[: at + 5] + struct.pack(">HH", 65_500, 65_500) + good[at + 9 :]


def bad_payloads(camera_id: str) -> Mapping[str, bytes]:
    """Return name to bytes; each must end as one dead letter and one row of `rejected_frames`."""
    good = jpeg_bytes(render("no_defect", 5, 224, 224))
    avro = _frame(camera_id, good)
    return {
        "empty": b"",
        "text": b"this is no image",
        "truncated_jpeg": good[: len(good) // 2],
        "jpeg_of_zeros": good[:300] + bytes(len(good) - 302) + good[-2:],
        "oversized_jpeg": good[:-2] + bytes(4_200_000) + good[-2:],
        "jpeg_bomb": _jpeg_bomb(good),
        "png_bomb": _png_bomb(),
        "tiny_jpeg": jpeg_bytes(render("no_defect", 5, 224, 224)[:8, :8]),
        "gif": b"GIF89a" + bytes(200),
        "avro_unknown_schema": avro[:2] + bytes(8) + avro[10:],
        "avro_truncated": avro[:-40],
        "avro_trailing_bytes": avro + b"\x00\x01",
        "avro_of_another_camera": _frame("somebody-else", good),
        "avro_wrong_checksum": _frame(camera_id, good, digest=bytes(32)),
        "avro_around_text": _frame(camera_id, b"this is no image"),
    }
