"""A blemish on a camera's lens: it darkens the same place of every picture, whatever passes below."""

from typing import Final

import numpy as np
import numpy.typing as npt

from services.adapters.cameras.surface import Surface, blob, polygon, soft

_SEED: Final = 3
_PLACE: Final = (0.45, 0.62)
_RADII: Final = (14.0, 20.0)  # 224ths of a frame
_ROUGHNESS: Final = 0.12
_BLUR: Final = 1.0  # 224ths of a frame
_DARKENS: Final = 0.6


def blemish(width_px: int, height_px: int) -> npt.NDArray[np.float32]:
    """Return how much light passes the lens at each pixel, (height_px, width_px), 0 to 1: one dark drop.

    Shape and place are the same for every camera and every call.
    """
    clear = np.ones((height_px, width_px), dtype=np.float32)
    rng = np.random.default_rng(_SEED)
    lens = Surface(clear, np.zeros_like(clear), rng, left=0.0, right=float(width_px))
    drop = lens.blank()
    centre = (_PLACE[0] * width_px, _PLACE[1] * height_px)
    polygon(drop, blob(lens, centre, (lens.across(_RADII[0]), lens.along(_RADII[1])), _ROUGHNESS))
    lens.shade(soft(drop, lens.across(_BLUR)), -_DARKENS)
    return lens.image


def through(pixels: npt.NDArray[np.uint8], lens: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return a grey picture as it looks through a lens with a blemish; both of one shape."""
    seen: npt.NDArray[np.uint8] = np.rint(pixels * lens).astype(np.uint8)
    return seen
