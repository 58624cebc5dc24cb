"""The messages on the wire, as plain values; `proto/*.avsc` is their language-neutral truth."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ImageEncoding(StrEnum):
    """How the bytes of a frame are encoded."""

    JPEG = "JPEG"
    PNG = "PNG"


@dataclass(frozen=True, slots=True)
class FrameReference:
    """An image kept outside the message (claim check): its URI and size in bytes."""

    uri: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One captured image of the strip.

    `captured_at` is the device's clock in UTC; `session_id` and `sequence` come from the camera's durable spool
    (None for a bare image). `sha256` is the digest of the image bytes, 32 bytes.
    """

    frame_id: UUID
    camera_id: str
    line_id: str | None
    coil_id: str | None
    material: str
    captured_at: datetime
    session_id: UUID | None
    sequence: int | None
    strip_position_m: float | None
    width_px: int
    height_px: int
    encoding: ImageEncoding
    image: bytes | FrameReference
    sha256: bytes


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected message with the reason, where it lay, and its original bytes unchanged.

    On the wire the payload is the record's value and everything else a record header (see
    `proto/dead_letter.v1.avsc` and its README for the header names).
    """

    frame_id: UUID
    reason: str
    detail: str
    origin_topic: str
    origin_partition: int
    origin_offset: int
    origin_timestamp: datetime
    rejected_at: datetime
    app_version: str
    key: bytes | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """What a camera room says about one of its cameras, every few seconds; counters since the session began."""

    camera_id: str
    session_id: UUID
    reported_at: datetime
    state: str
    reason: str | None
    captured_total: int
    published_total: int
    dropped_total: int
    spooled_frames: int
    spool_bytes: int
    oldest_spooled_at: datetime | None
