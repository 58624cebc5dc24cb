"""The record format of the spool: a checked prefix, a JSON header, the image bytes.

The prefix has its own checksum, so a scan can walk a file by prefixes alone and a damaged image costs one frame,
not the rest of the file.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from services.contracts.capture import CameraIdentity, CapturedImage
from services.contracts.identity import frame_id_for_spooled
from services.contracts.messages import Frame, ImageEncoding

_MAGIC: Final = b"MSR1"
_PREFIX: Final = struct.Struct("<4sIIQI")
_PREFIX_CRC: Final = struct.Struct("<I")
PREFIX_BYTES: Final = _PREFIX.size + _PREFIX_CRC.size


class DamagedRecord(Exception):
    """The bytes do not carry the checksum they were written with, or end early."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """What is known of a record before its body is read."""

    header_bytes: int
    image_bytes: int
    sequence: int
    body_crc: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a prefix.

        Raises:
            DamagedRecord: Too short, no record starts here, or the checksum is wrong.
        """
        if len(data) < PREFIX_BYTES:
            raise DamagedRecord(f"{len(data)} bytes are left where a record should start")
        magic, header_bytes, image_bytes, sequence, body_crc = _PREFIX.unpack_from(data)
        (crc,) = _PREFIX_CRC.unpack_from(data, _PREFIX.size)
        if magic != _MAGIC or crc != zlib.crc32(data[: _PREFIX.size]):
            raise DamagedRecord("no valid record starts here")
        return cls(header_bytes, image_bytes, sequence, body_crc)

    @property
    def record_bytes(self) -> int:
        """Size of the whole record on disk."""
        return PREFIX_BYTES + self.header_bytes + self.image_bytes


def encode_record(identity: CameraIdentity, captured: CapturedImage, sequence: int, sha256: bytes) -> list[bytes]:
    """Return the record as buffers for one `writev`, so that the image is not copied."""
    header = json.dumps(
        {
            "camera_id": identity.camera_id,
            "line_id": identity.line_id,
            "material": identity.material,
            "coil_id": captured.coil_id,
            "captured_at": captured.captured_at.isoformat(),
            "strip_position_m": captured.strip_position_m,
            "width_px": captured.width_px,
            "height_px": captured.height_px,
            "encoding": captured.encoding.value,
            "sha256": sha256.hex(),
        }
    ).encode()
    body_crc = zlib.crc32(captured.image, zlib.crc32(header))
    prefix = _PREFIX.pack(_MAGIC, len(header), len(captured.image), sequence, body_crc)
    return [prefix + _PREFIX_CRC.pack(zlib.crc32(prefix)) + header, captured.image]


def captured_at_of(header: bytes) -> datetime:
    """Return the capture time from a record's JSON header."""
    return datetime.fromisoformat(json.loads(header)["captured_at"])


def decode_record(session_id: UUID, prefix: Prefix, body: bytes) -> Frame:
    """Rebuild the frame: the same record always gives the same frame id.

    Raises:
        DamagedRecord: The body is short or fails its checksum.
    """
    if len(body) != prefix.header_bytes + prefix.image_bytes or zlib.crc32(body) != prefix.body_crc:
        raise DamagedRecord(f"frame {prefix.sequence} fails its checksum")
    header = json.loads(body[: prefix.header_bytes])
    return Frame(
        frame_id=frame_id_for_spooled(header["camera_id"], session_id, prefix.sequence),
        camera_id=header["camera_id"],
        line_id=header["line_id"],
        coil_id=header["coil_id"],
        material=header["material"],
        captured_at=datetime.fromisoformat(header["captured_at"]),
        session_id=session_id,
        sequence=prefix.sequence,
        strip_position_m=header["strip_position_m"],
        width_px=header["width_px"],
        height_px=header["height_px"],
        encoding=ImageEncoding(header["encoding"]),
        image=body[prefix.header_bytes :],
        sha256=bytes.fromhex(header["sha256"]),
    )
