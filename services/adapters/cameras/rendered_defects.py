"""How each of the ten defect classes looks on a rendered strip surface."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from services.adapters.cameras.surface import (
    Surface,
    blob,
    chance,
    line,
    lowered,
    polygon,
    soft,
    thickness,
)

_WELDING_LINE = "welding_line"


def paint(defect_class: str, surface: Surface) -> None:
    """Paint the defect onto the surface; `no_defect` leaves it clean."""
    painter = _PAINTERS.get(defect_class)
    if painter is not None:
        surface.painting = defect_class
        painter(surface)


def _weld(surface: Surface, y: float | None = None) -> float:
    """A straight seam over the full width; the two coils differ in brightness. Returns its y (px)."""
    rng, around = surface.rng, surface.painting
    surface.painting = _WELDING_LINE
    if y is None:
        y = float(rng.uniform(0.12, 0.88) * surface.height)
    tilt = surface.along(rng.normal(0, 0.8))
    rows = np.arange(surface.height, dtype=np.float32)[:, None]
    below = np.clip(rows - y, 0, 1)
    surface.image *= 1 + float(rng.choice([-1, 1]) * rng.uniform(0.06, 0.22)) * below
    ends = np.array([[-5.0, y - tilt], [surface.width + 5.0, y + tilt]])
    dark = surface.blank()
    line(dark, ends, thickness(surface, rng.choice([1, 1, 2])))
    surface.shade(soft(dark, surface.along(0.4)), -rng.uniform(0.3, 0.6))
    if chance(rng, 0.7):
        bright = surface.blank()
        line(bright, lowered(ends, surface.along(rng.uniform(1.2, 2.5))), 1)
        surface.shade(soft(bright, surface.along(0.4)), rng.uniform(0.12, 0.4))
    if chance(rng, 0.3):
        second = surface.blank()
        line(second, lowered(ends, -surface.along(rng.uniform(3, 7))), 1)
        surface.shade(soft(second, surface.along(0.6)), -rng.uniform(0.1, 0.3))
    surface.painting = around
    return y


def _crease(surface: Surface) -> None:
    rng = surface.rng
    span = surface.right - surface.left
    for _ in range(int(rng.integers(1, 4))):
        length = span * rng.uniform(0.25, 0.65)
        start = rng.choice([surface.left, surface.right - length, surface.left + 0.3 * span])
        x = np.linspace(start, min(start + length, surface.right), 14)
        y0 = rng.uniform(0.1, 0.9) * surface.height
        bow = surface.along(rng.normal(0, 7))
        drift = np.cumsum(rng.normal(0, 1, x.size))
        y = y0 + bow * np.linspace(-1, 1, x.size) ** 2 + surface.along(1.3) * drift
        points = np.column_stack([x, y])
        dark, bright = surface.blank(), surface.blank()
        line(dark, points, thickness(surface, rng.choice([1, 1, 2])))
        line(bright, lowered(points, surface.along(3)), thickness(surface, 2))
        surface.shade(soft(dark, surface.along(rng.uniform(0.4, 0.9))), -rng.uniform(0.45, 0.8))
        surface.shade(soft(bright, surface.along(1.2)), rng.uniform(0.1, 0.35))
        specks = surface.blank()
        for index in rng.integers(0, x.size, int(rng.integers(2, 8))):
            radii = (surface.across(rng.uniform(1, 5)), surface.along(rng.uniform(0.7, 2)))
            polygon(specks, blob(surface, (x[index], y[index]), radii, 0.4))
        surface.shade(soft(specks, surface.across(0.5)), -rng.uniform(0.3, 0.6))


def _crescent_gap(surface: Surface) -> None:
    rng = surface.rng
    side = surface.left if surface.left > 0 else surface.right
    y = float(rng.uniform(0.05, 0.95) * surface.height)
    if chance(rng, 0.55):
        _weld(surface, y)
    radius_y = surface.along(rng.uniform(40, 75))
    radius_x = surface.across(rng.uniform(18, 34))
    bite = surface.blank()
    centre = (side + np.sign(side - surface.width / 2) * radius_x * rng.uniform(0.1, 0.4), y)
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    outline = [centre[0] + radius_x * np.cos(angles), centre[1] + radius_y * np.sin(angles)]
    polygon(bite, np.column_stack(outline))
    surface.pierce(soft(bite, 0.0))


def _inclusion(surface: Surface) -> None:
    rng = surface.rng
    streaks = chance(rng, 0.4)
    for _ in range(int(rng.integers(1, 5))):
        mask = surface.blank()
        x, y = surface.spot()
        if streaks:
            length = surface.along(rng.uniform(12, 50))
            steps = np.linspace(0, length, 8)
            drift = surface.across(0.5) * np.cumsum(rng.normal(0, 1, 8))
            line(mask, np.column_stack([x + drift, y + steps]), 1)
        else:
            radii = (surface.across(rng.uniform(1.2, 4)), surface.along(rng.uniform(1.5, 5)))
            polygon(mask, blob(surface, (x, y), radii, 0.7))
        surface.shade(soft(mask, surface.across(0.35)), -rng.uniform(0.5, 0.85))


def _oil_spot(surface: Surface) -> None:
    rng = surface.rng
    x, _ = surface.spot(0.12)
    count = int(rng.integers(1, 7))
    pitch = surface.height / count
    offset = rng.uniform(0.2, 0.8) * pitch
    radius = rng.uniform(4.5, 9)
    for index in range(count):
        mask = surface.blank()
        size = radius * rng.uniform(0.75, 1.2)
        radii = (surface.across(size), surface.along(size * rng.uniform(1.1, 1.9)))
        centre = (x + surface.across(rng.normal(0, 2)), offset + index * pitch)
        polygon(mask, blob(surface, centre, radii, 0.12))
        surface.shade(soft(mask, surface.across(rng.uniform(0.6, 1.4))), -rng.uniform(0.25, 0.6))


def _punching_hole(surface: Surface) -> None:
    rng = surface.rng
    x, y = surface.spot(0.05)
    if chance(rng, 0.5):
        weld_y = _weld(surface)
        y = weld_y + surface.along(rng.choice([-1, 1]) * rng.uniform(15, 60))
        y = float(np.clip(y, 0.05 * surface.height, 0.95 * surface.height))
    size = rng.uniform(4, 6.5)
    radii = (surface.across(size), surface.along(size * rng.uniform(1.0, 1.25)))
    rim, hole = surface.blank(), surface.blank()
    polygon(rim, blob(surface, (x, y), (radii[0] * 1.25, radii[1] * 1.25), 0.02))
    surface.shade(soft(rim, surface.across(0.5)), rng.uniform(-0.1, 0.4))
    polygon(hole, blob(surface, (x, y), radii, 0.02))
    surface.pierce(soft(hole, 0.0))


def _rolled_pit(surface: Surface) -> None:
    rng = surface.rng
    x, y = surface.spot(0.12)
    pitch = surface.along(rng.uniform(60, 150))
    size = rng.uniform(5, 12)
    texture = rng.standard_normal(surface.image.shape, dtype=np.float32)
    texture = 1.6 * np.asarray(cv2.GaussianBlur(texture, (3, 3), 0.8), dtype=np.float32)
    for index in range(int(rng.integers(1, 4))):
        centre = (x + surface.across(rng.normal(0, 3)), (y + index * pitch) % surface.height)
        radii = (surface.across(size), surface.along(size * rng.uniform(0.5, 1.1)))
        mask = surface.blank()
        polygon(mask, blob(surface, centre, radii, 0.35))
        pit = soft(mask, surface.across(0.6))
        ring = np.clip(pit - soft(mask, surface.across(2.2)), 0, 1)
        surface.shade(pit * np.clip(texture, -2, 2), rng.uniform(0.25, 0.4))
        surface.shade(ring, -rng.uniform(0.6, 1.1))
        surface.shade(pit, -rng.uniform(0.05, 0.25))


def _silk_spot(surface: Surface) -> None:
    rng = surface.rng
    size = (surface.width, surface.height)
    span = surface.right - surface.left
    centre = rng.uniform(surface.left + 0.2 * span, surface.right - 0.2 * span)
    half = span * rng.uniform(0.2, 0.5)
    columns = np.arange(surface.width, dtype=np.float32)
    band = np.exp(-(((columns - centre) / half) ** 4))[None, :]
    cells = (int(rng.integers(70, 140)), int(rng.integers(30, 70)))
    fine = rng.standard_normal((cells[1], cells[0]), dtype=np.float32)
    coarse = rng.standard_normal((8, 14), dtype=np.float32)
    blotches = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    clouds = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    dark = np.clip(blotches + 0.6 * clouds - 0.4, 0, 1.5) * band
    surface.shade(dark.astype(np.float32), -rng.uniform(0.14, 0.34))
    surface.shade((np.clip(-clouds, 0, 1) * band).astype(np.float32), rng.uniform(0.02, 0.12))


def _waist_folding(surface: Surface) -> None:
    rng = surface.rng
    centre, _ = surface.spot(0.2)
    spread = (surface.right - surface.left) * rng.uniform(0.12, 0.35)
    for strength, count in ((rng.uniform(0.12, 0.3), 40), (rng.uniform(0.35, 1.0), 12)):
        mask = surface.blank()
        for _ in range(int(count * rng.uniform(0.6, 1.4))):
            x = float(np.clip(rng.normal(centre, spread), surface.left, surface.right))
            y = rng.uniform(0.03, 0.97) * surface.height
            length = surface.across(rng.uniform(5, 34))
            dip = surface.along(rng.normal(0, 0.7))
            line(mask, np.array([[x - length / 2, y], [x, y + dip], [x + length / 2, y]]), 1)
        surface.shade(soft(mask, surface.along(0.4)), strength)


def _water_spot(surface: Surface) -> None:
    rng = surface.rng
    if chance(rng, 0.3):
        x, y = surface.spot(0.2)
        radii = (surface.across(rng.uniform(12, 26)), surface.along(rng.uniform(25, 60)))
        mask = surface.blank()
        polygon(mask, blob(surface, (x, y), radii, 0.5))
        body = soft(mask, surface.across(0.8))
        rim = np.clip(body - soft(mask, surface.across(3)), 0, 1)
        surface.shade(body, -rng.uniform(0.1, 0.2))
        surface.shade(rim, -rng.uniform(0.3, 0.6))
        return
    x, y = surface.spot(0.15)
    lean = rng.uniform(-0.5, 0.5)
    for _ in range(int(rng.integers(1, 5))):
        length = surface.along(rng.uniform(35, 95))
        steps = np.linspace(-0.5, 0.5, 12)
        drift = surface.across(1.6) * np.cumsum(rng.normal(0, 1, 12))
        centre = (x + surface.across(rng.normal(0, 9)), y + surface.along(rng.normal(0, 14)))
        points = np.column_stack([centre[0] + lean * length * steps + drift, centre[1] + length * steps])
        mask = surface.blank()
        line(mask, points, thickness(surface, rng.uniform(2, 6)))
        line(mask, points[3:9], thickness(surface, rng.uniform(4, 8)))
        surface.shade(soft(mask, surface.across(rng.uniform(0.7, 1.4))), -rng.uniform(0.18, 0.42))


def _welding_line(surface: Surface) -> None:
    _weld(surface)


_PAINTERS: dict[str, Callable[[Surface], None]] = {
    "crease": _crease,
    "crescent_gap": _crescent_gap,
    "inclusion": _inclusion,
    "oil_spot": _oil_spot,
    "punching_hole": _punching_hole,
    "rolled_pit": _rolled_pit,
    "silk_spot": _silk_spot,
    "waist_folding": _waist_folding,
    "water_spot": _water_spot,
    _WELDING_LINE: _welding_line,
}
