"""Pictures for the page: a kept frame, or the frame with the places the model looked at tinted."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, UnidentifiedImageError

_FORMATS: Final = ("JPEG", "PNG")
_MAX_PIXELS: Final = 25_000_000
_TINT: Final = np.array([230.0, 85.0, 0.0])
_STRONGEST: Final = 0.6
_SHOWN_PX: Final = 480


def picture(image: bytes, evidence: Sequence[Sequence[float]] | None = None) -> bytes | None:
    """Return a JPEG at most 480 px wide, tinted where the evidence for the named class was strongest.

    Returns:
        None when the kept bytes are no readable JPEG or PNG.
    """
    try:
        with Image.open(io.BytesIO(image), formats=_FORMATS) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                return None
            frame = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    frame.thumbnail((_SHOWN_PX, _SHOWN_PX))
    if evidence:
        frame = _tinted(frame, np.asarray(evidence, dtype=np.float32))
    encoded = io.BytesIO()
    frame.save(encoded, format="JPEG", quality=85)
    return encoded.getvalue()


def _tinted(frame: Image.Image, evidence: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Image.Image:
    positive = np.clip(np.nan_to_num(evidence), 0.0, None)
    highest = float(positive.max(initial=0.0))
    if positive.ndim != 2 or highest <= 0.0:  # noqa: PLR2004 - a map has two axes
        return frame
    small = Image.fromarray((positive / highest * 255.0).astype(np.uint8))
    strength = np.asarray(small.resize(frame.size, Image.Resampling.BICUBIC), dtype=np.float32) / 255.0
    opacity = (strength * _STRONGEST)[..., np.newaxis]
    mixed = np.asarray(frame, dtype=np.float32) * (1.0 - opacity) + _TINT * opacity
    return Image.fromarray(mixed.astype(np.uint8))
