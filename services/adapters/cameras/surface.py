"""A strip surface that is being painted, and the strokes to paint it with."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]

_REFERENCE_PX = 224.0
_SUBPIXEL_BITS = 4
_LEAST_BLUR_PX = 0.2


@dataclass(slots=True)
class Surface:
    """A strip surface being painted.

    Attributes:
        image: Grey values of the strip, not yet clipped; painters change it in place.
        outside: 1 where the camera looks past the strip, 0 on it; notches and holes add to it.
        rng: The frame's only source of randomness.
        left: First column of the strip (px).
        right: Column behind the last one of the strip (px).
        painting: Defect class that is being painted; empty when what is painted is no defect.
        touched: How strongly each defect class changed each pixel so far, 0 to about 1.
    """

    image: FloatImage
    outside: FloatImage
    rng: np.random.Generator
    left: float
    right: float
    painting: str = ""
    touched: dict[str, FloatImage] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Width of the frame in px."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height of the frame in px."""
        return int(self.image.shape[0])

    def across(self, units: float) -> float:
        """Turn a width in 224ths of a frame into px."""
        return units * self.width / _REFERENCE_PX

    def along(self, units: float) -> float:
        """Turn a length in 224ths of a frame into px."""
        return units * self.height / _REFERENCE_PX

    def spot(self, margin: float = 0.08) -> tuple[float, float]:
        """Choose a random place on the strip (px)."""
        inset = margin * (self.right - self.left)
        x = self.rng.uniform(self.left + inset, self.right - inset)
        return float(x), float(self.rng.uniform(0.06, 0.94) * self.height)

    def shade(self, mask: FloatImage, strength: float) -> None:
        """Darken (strength < 0) or brighten the strip where the mask is set, in proportion."""
        self.image *= 1 + strength * mask
        self._touch(np.abs(strength * mask))

    def pierce(self, mask: FloatImage) -> None:
        """Let the camera look through the strip where the mask is set."""
        self.outside = np.maximum(self.outside, mask)
        self._touch(mask)

    def _touch(self, strength: FloatImage) -> None:
        if self.painting:
            so_far = self.touched.get(self.painting)
            self.touched[self.painting] = strength if so_far is None else np.maximum(so_far, strength)

    def blank(self) -> npt.NDArray[np.uint8]:
        """Return an empty mask to draw on."""
        return np.zeros(self.image.shape, dtype=np.uint8)


def chance(rng: np.random.Generator, probability: float) -> bool:
    """Throw a coin that shows heads with this probability."""
    return bool(rng.random() < probability)


def lowered(points: npt.NDArray[np.float64], distance_px: float) -> npt.NDArray[np.float64]:
    """Move points down the frame."""
    moved: npt.NDArray[np.float64] = points + np.array([0.0, distance_px])
    return moved


def soft(mask: npt.NDArray[np.uint8], blur_px: float) -> FloatImage:
    """Turn a mask of 0 to 255 into one of 0 to 1 with blurred edges."""
    sharp: FloatImage = mask.astype(np.float32) / np.float32(255)
    if blur_px <= _LEAST_BLUR_PX:
        return sharp
    return np.asarray(cv2.GaussianBlur(sharp, (0, 0), blur_px), dtype=np.float32)


def line(mask: npt.NDArray[np.uint8], points: npt.NDArray[np.float64], thickness_px: int) -> None:
    """Draw an open line into a mask, antialiased; points in px."""
    scaled = np.rint(points * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.polylines(
        mask,
        [scaled],
        isClosed=False,
        color=255,
        thickness=thickness_px,
        lineType=cv2.LINE_AA,
        shift=_SUBPIXEL_BITS,
    )


def polygon(mask: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> None:
    """Fill a closed outline in a mask, antialiased; points in px."""
    scaled = np.rint(points * 2**_SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(mask, [scaled], 255, cv2.LINE_AA, _SUBPIXEL_BITS)


def blob(
    surface: Surface, centre: tuple[float, float], radii: tuple[float, float], roughness: float
) -> npt.NDArray[np.float64]:
    """Outline of an irregular ellipse; radii in px, roughness 0 (ellipse) to ~0.5."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    wobble = np.ones_like(angles)
    for order in (2, 3, 5):
        phase = surface.rng.uniform(0, 2 * np.pi)
        wobble += roughness / order * surface.rng.normal() * np.cos(order * angles + phase)
    wobble = np.maximum(wobble, 0.3)
    x = centre[0] + radii[0] * wobble * np.cos(angles)
    return np.column_stack([x, centre[1] + radii[1] * wobble * np.sin(angles)])


def thickness(surface: Surface, units: float) -> int:
    """Turn a thickness in 224ths of a frame into whole px, at least 1."""
    return max(1, round(surface.across(units)))
