"""Grey frames of a rolled strip surface, clean or with one of the ten defect classes.

The renderer is what the demo line shows and one of the domains the model is trained on. A frame is a
pure function of class, seed and size: two processes that render the same arguments get the same pixels.
The strip runs downwards, so a weld is horizontal and a rolling line vertical. Sizes are given in units
of a 224 px frame and scaled, so a frame looks alike at every resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.adapters.cameras import rendered_defects
from services.adapters.cameras.surface import Surface
from services.domain.classes import SURFACE_LABELS

GreyImage = npt.NDArray[np.uint8]

DEFAULT_SIZE_PX = 224
_MIN_SIZE_PX = 16
_EDGE_PROBABILITY = 0.35
_EVEN = 0.5
_ALWAYS_WITH_EDGE = "crescent_gap"
_VISIBLE_CHANGE = 0.06
"""Least relative change of brightness that is marked."""
_MARK_GAP = 0.02
"""Share of the frame's width below which two strokes are one mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle around a painted defect; sides are fractions of the frame's width and height."""

    defect_class: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class _Edge:
    """Where the strip ends sideways: it covers the columns from left to right (px)."""

    left: float
    right: float
    backdrop: float


def render(
    defect_class: str,
    rng_seed: int,
    width_px: int = DEFAULT_SIZE_PX,
    height_px: int = DEFAULT_SIZE_PX,
) -> GreyImage:
    """Render one frame.

    Args:
        defect_class: One of `SURFACE_LABELS`; `no_defect` gives a clean strip.
        rng_seed: Any non-negative integer; everything random comes from it.
        width_px: Width of the frame, at least 16.
        height_px: Height of the frame, at least 16.

    Returns:
        A uint8 array of shape (height_px, width_px).

    Raises:
        ValueError: The class is unknown or the size too small.
    """
    return render_marked(defect_class, rng_seed, width_px, height_px)[0]


def render_marked(
    defect_class: str,
    rng_seed: int,
    width_px: int = DEFAULT_SIZE_PX,
    height_px: int = DEFAULT_SIZE_PX,
) -> tuple[GreyImage, tuple[Mark, ...]]:
    """Render the frame of `render`, and say where its defects are; a weld beside a hole is marked as a weld.

    Arguments and errors are those of `render`.
    """
    if defect_class not in SURFACE_LABELS:
        raise ValueError(f"unknown defect class {defect_class!r}")
    if min(width_px, height_px) < _MIN_SIZE_PX:
        raise ValueError(f"a frame needs at least {_MIN_SIZE_PX} px a side")
    rng = np.random.default_rng([rng_seed, SURFACE_LABELS.index(defect_class)])
    edge = _choose_edge(rng, width_px, always=defect_class == _ALWAYS_WITH_EDGE)
    surface = Surface(
        image=_clean_strip(rng, width_px, height_px),
        outside=_outside_mask(edge, width_px, height_px),
        rng=rng,
        left=edge.left,
        right=edge.right,
    )
    rendered_defects.paint(defect_class, surface)
    marks = tuple(mark for name, touched in surface.touched.items() for mark in _marks(name, touched, edge))
    return _expose(surface, edge), marks


def _marks(defect_class: str, touched: npt.NDArray[np.float32], edge: _Edge) -> list[Mark]:
    """Rectangles around what was visibly changed on the strip; strokes close to each other are one mark."""
    height_px, width_px = touched.shape
    seen = (touched > _VISIBLE_CHANGE).astype(np.uint8)
    seen[:, : int(edge.left)] = 0
    seen[:, math.ceil(edge.right) :] = 0
    gap_px = 1 + 2 * round(_MARK_GAP * width_px)
    _, places = cv2.connectedComponents(cv2.dilate(seen, np.ones((gap_px, gap_px), np.uint8)))
    marks = []
    for place in range(1, int(places.max()) + 1):
        left, top, width, height = cv2.boundingRect(seen * (places == place).astype(np.uint8))
        marks.append(
            Mark(
                defect_class, left / width_px, top / height_px,
                (left + width) / width_px, (top + height) / height_px,
            )
        )  # fmt: skip
    return marks


def _choose_edge(rng: np.random.Generator, width_px: int, *, always: bool) -> _Edge:
    backdrop = rng.uniform(4.0, 34.0)
    if not always and rng.random() > _EDGE_PROBABILITY:
        return _Edge(0.0, float(width_px), backdrop)
    inset = width_px * rng.uniform(0.12, 0.6)
    if rng.random() < _EVEN:
        return _Edge(inset, float(width_px), backdrop)
    return _Edge(0.0, width_px - inset, backdrop)


def _outside_mask(edge: _Edge, width_px: int, height_px: int) -> npt.NDArray[np.float32]:
    columns = np.arange(width_px, dtype=np.float32) + 0.5
    inside = np.clip(columns - edge.left, 0, 1) * np.clip(edge.right - columns, 0, 1)
    if edge.left <= 0:
        inside = np.clip(edge.right - columns, 0, 1)
    elif edge.right >= width_px:
        inside = np.clip(columns - edge.left, 0, 1)
    return np.repeat(1 - inside[None, :], height_px, axis=0).astype(np.float32)


def _smooth_noise(
    rng: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Noise of unit variance on a grid of (columns, rows), interpolated to (width, height)."""
    grid = rng.standard_normal((cells[1], cells[0]), dtype=np.float32)
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _clean_strip(rng: np.random.Generator, width_px: int, height_px: int) -> npt.NDArray[np.float32]:
    size = (width_px, height_px)
    level = float(rng.choice([rng.uniform(45, 130), rng.uniform(110, 190)], p=[0.75, 0.25]))
    shading = 1 + rng.uniform(0.03, 0.22) * _smooth_noise(rng, (4, 1), size)
    shading += rng.uniform(0.0, 0.04) * _smooth_noise(rng, (2, 3), size)
    shading += rng.uniform(0.005, 0.035) * _smooth_noise(rng, (int(rng.integers(30, 90)), 2), size)
    shading += rng.uniform(0.0, 0.025) * _smooth_noise(rng, (int(rng.integers(90, 224)), 8), size)
    shading += rng.uniform(0.0, 0.03) * _smooth_noise(rng, (9, 9), size)
    grain = rng.standard_normal((height_px, width_px), dtype=np.float32)
    if rng.random() < _EVEN:
        grain = 2 * np.asarray(cv2.GaussianBlur(grain, (3, 3), 0.7), dtype=np.float32)
    shading += rng.uniform(0.012, 0.045) * grain
    return np.asarray(level * np.maximum(shading, 0.15), dtype=np.float32)


def _expose(surface: Surface, edge: _Edge) -> GreyImage:
    rng = surface.rng
    height_px, width_px = surface.image.shape
    stripes = _smooth_noise(rng, (24, 1), (width_px, height_px))
    backdrop = edge.backdrop * (1 + 0.25 * stripes)
    image = surface.image * (1 - surface.outside) + backdrop * surface.outside
    image += rng.uniform(0.5, 2.0) * rng.standard_normal(image.shape, dtype=np.float32)
    gain = rng.uniform(0.85, 1.15)
    return np.clip(np.rint(image * gain), 0, 255).astype(np.uint8)
