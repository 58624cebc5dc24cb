"""Frames to test with: small pictures of known brightness, and their messages."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from uuid import UUID, uuid4

import numpy as np
import simplejpeg

from services.contracts.codec import encode_frame
from services.contracts.identity import frame_id_for_spooled
from services.contracts.messages import Frame, ImageEncoding

SESSION = UUID("00000000-0000-4000-8000-000000000001")


@cache
def jpeg(brightness: int = 100, width_px: int = 64, height_px: int = 48) -> bytes:
    """A grey picture; 128 or less and multiples of 10 survive JPEG well."""
    pixels = np.full((height_px, width_px, 3), brightness, np.uint8)
    data: bytes = simplejpeg.encode_jpeg(pixels, quality=95, colorspace="RGB")
    return data


def frame(
    camera_id: str = "cam-1", sequence: int = 0, image: bytes | None = None, session: UUID = SESSION
) -> Frame:
    data = jpeg() if image is None else image
    return Frame(
        frame_id=frame_id_for_spooled(camera_id, session, sequence),
        camera_id=camera_id,
        line_id="strip-1",
        coil_id="coil-7",
        material="steel_strip",
        captured_at=datetime.now(UTC),
        session_id=session,
        sequence=sequence,
        strip_position_m=12.5,
        width_px=64,
        height_px=48,
        encoding=ImageEncoding.JPEG,
        image=data,
        sha256=hashlib.sha256(data).digest(),
    )


def frame_message(camera_id: str = "cam-1", sequence: int = 0, image: bytes | None = None) -> bytes:
    return encode_frame(frame(camera_id, sequence, image))


def new_session() -> UUID:
    return uuid4()
