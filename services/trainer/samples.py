"""One training sample: cutting windows, pasting defects onto clean strip, changing pixels and boxes together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from services.trainer.frames import Box, GreyImage, LabelledFrame

_ANY = 0
"""Label of a box that only says where."""
WINDOW_TRIES = 12
_BOX_MARGIN = 0.03
_EVEN = 0.5
_STRIP_GREY = 30
_MIN_STRIP_SHARE = 0.35
_PASTE_MARGIN = 0.4
_LARGEST_PASTED = 0.35
_LEAST_LEFT = 0.25
"""A box of which less than this share is left in the picture is no mark any more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its label. `boxes` is None when nobody marked where the defect is."""

    image: GreyImage
    label: int
    boxes: tuple[Box, ...] | None


def whole(frame: LabelledFrame, image: GreyImage) -> Sample:
    """Take the whole frame."""
    return Sample(image, frame.label, frame.boxes or None)


def _window_size(rng: np.random.Generator) -> tuple[float, float]:
    """One distribution of window sizes for clean and defect windows: size must tell nothing."""
    return float(rng.uniform(0.42, 0.9)), float(rng.uniform(0.42, 0.9))


def _cut(image: GreyImage, window: Box) -> GreyImage:
    height, width = image.shape
    rows = slice(round(window.top * height), round(window.bottom * height))
    return image[rows, round(window.left * width) : round(window.right * width)]


def boxes_within(boxes: tuple[Box, ...], window: Box) -> tuple[Box, ...]:
    """Return what a window shows of the boxes, in fractions of the window."""
    width, height = window.right - window.left, window.bottom - window.top
    seen = []
    for box in boxes:
        if window.overlap(box) < _LEAST_LEFT * box.area or not box.area:
            continue
        seen.append(
            Box(
                box.label,
                (max(box.left, window.left) - window.left) / width,
                (max(box.top, window.top) - window.top) / height,
                (min(box.right, window.right) - window.left) / width,
                (min(box.bottom, window.bottom) - window.top) / height,
            )
        )
    return tuple(seen)


def clean_window(frame: LabelledFrame, image: GreyImage, rng: np.random.Generator) -> GreyImage | None:
    """Cut a random window that touches no box, or return None when this draw touches one."""
    width, height = _window_size(rng)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    window = Box(_ANY, left, top, left + width, top + height)
    grown = Box(
        _ANY,
        left - _BOX_MARGIN,
        top - _BOX_MARGIN,
        window.right + _BOX_MARGIN,
        window.bottom + _BOX_MARGIN,
    )
    if any(grown.overlap(box) > 0 for box in frame.boxes):
        return None
    pixels = _cut(image, window)
    if float(np.mean(pixels > _STRIP_GREY)) < _MIN_STRIP_SHARE:
        return None
    return pixels


def defect_window(frame: LabelledFrame, image: GreyImage, rng: np.random.Generator) -> Sample:
    """Cut a window around one box of the frame's class; the whole frame when none can be had."""
    own = [box for box in frame.boxes if box.label == frame.label]
    if not own:
        return whole(frame, image)
    box = own[int(rng.integers(len(own)))]
    for _ in range(WINDOW_TRIES):
        width, height = _window_size(rng)
        left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        window = Box(frame.label, left, top, left + width, top + height)
        seen = window.overlap(box)
        if seen >= min(0.6 * box.area, 0.5 * window.area):
            return Sample(_cut(image, window), frame.label, boxes_within(frame.boxes, window))
    return whole(frame, image)


def pasted(
    frame: LabelledFrame, image: GreyImage, background: GreyImage, rng: np.random.Generator
) -> Sample | None:
    """Paste one small marked defect of a frame onto clean strip of another coil; None when it has none.

    The patch is brought to the brightness of its new place and fades out towards its rim, so that neither coil nor
    seam tells the class.
    """
    small = [
        box for box in frame.boxes
        if box.label == frame.label and box.right - box.left < _LARGEST_PASTED
        and box.bottom - box.top < _LARGEST_PASTED
    ]  # fmt: skip
    if not small:
        return None
    box = small[int(rng.integers(len(small)))]
    pad_x = _PASTE_MARGIN * (box.right - box.left) + 0.01
    pad_y = _PASTE_MARGIN * (box.bottom - box.top) + 0.01
    around = Box(
        box.label, max(0.0, box.left - pad_x), max(0.0, box.top - pad_y),
        min(1.0, box.right + pad_x), min(1.0, box.bottom + pad_y),
    )  # fmt: skip
    patch = _cut(image, around).astype(np.float32)
    height, width = background.shape
    rows, columns = patch.shape
    if rows >= height or columns >= width or not patch.size:
        return None
    top, left = int(rng.integers(0, height - rows)), int(rng.integers(0, width - columns))
    place = background[top : top + rows, left : left + columns].astype(np.float32)
    if float(place.mean()) < _STRIP_GREY:
        return None
    patch *= (float(np.median(place)) + 1) / (float(np.median(patch)) + 1)
    alpha = _fading(rows, columns)
    result = background.copy()
    mixed = np.clip(alpha * patch + (1 - alpha) * place, 0, 255)
    result[top : top + rows, left : left + columns] = np.rint(mixed).astype(np.uint8)
    moved = Box(
        box.label,
        (left + (box.left - around.left) * image.shape[1]) / width,
        (top + (box.top - around.top) * image.shape[0]) / height,
        (left + (box.right - around.left) * image.shape[1]) / width,
        (top + (box.bottom - around.top) * image.shape[0]) / height,
    )
    return Sample(result, frame.label, (moved,))


def _fading(rows: int, columns: int) -> npt.NDArray[np.float32]:
    """Weight of a patch: 1 inside, falling to 0 at the rim."""
    share = _PASTE_MARGIN / (1 + 2 * _PASTE_MARGIN)

    def ramp(length: int) -> npt.NDArray[np.float32]:
        position = (np.arange(length, dtype=np.float32) + 0.5) / length
        return np.clip(np.minimum(position, 1 - position) / share, 0, 1)

    return np.asarray(np.minimum.outer(ramp(rows), ramp(columns)), np.float32)


def augment(sample: Sample, image_px: int, rng: np.random.Generator) -> Sample:
    """Flip, shift, rescale a little, change the gamma, and resize to the training size; boxes go along."""
    height, width = sample.image.shape
    pad_x, pad_y = max(1, width // 8), max(1, height // 8)
    padded = cv2.copyMakeBorder(sample.image, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REFLECT_101)
    zoom = rng.uniform(0.92, 1.08)
    crop_w, crop_h = round(width * zoom), round(height * zoom)
    left = int(rng.integers(0, padded.shape[1] - crop_w + 1))
    top = int(rng.integers(0, padded.shape[0] - crop_h + 1))
    crop = padded[top : top + crop_h, left : left + crop_w]
    method = cv2.INTER_AREA if min(crop_w, crop_h) > image_px else cv2.INTER_LINEAR
    pixels = cv2.resize(crop, (image_px, image_px), interpolation=method)
    boxes = sample.boxes
    if boxes is not None:
        x0, y0 = (left - pad_x) / width, (top - pad_y) / height
        boxes = boxes_within(boxes, Box(_ANY, x0, y0, x0 + crop_w / width, y0 + crop_h / height))
    if rng.random() < _EVEN:
        pixels = pixels[:, ::-1]
        boxes = boxes and tuple(replace(box, left=1 - box.right, right=1 - box.left) for box in boxes)
    if rng.random() < _EVEN:
        pixels = pixels[::-1]
        boxes = boxes and tuple(replace(box, top=1 - box.bottom, bottom=1 - box.top) for box in boxes)
    gamma = float(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return Sample(np.asarray(table[pixels], np.uint8), sample.label, boxes)


def mark_map(boxes: tuple[Box, ...], cells: int, classes: int) -> npt.NDArray[np.float32]:
    """Share [cells, cells, classes] of each position that a box covers, or of a small box that lies in it."""
    marks = np.zeros((cells, cells, classes), np.float32)
    edges = np.arange(cells + 1, dtype=np.float32) / cells
    for box in boxes:
        across = np.clip(np.minimum(edges[1:], box.right) - np.maximum(edges[:-1], box.left), 0, None)
        along = np.clip(np.minimum(edges[1:], box.bottom) - np.maximum(edges[:-1], box.top), 0, None)
        least = min(1 / cells, max(box.right - box.left, 1e-6)) * min(1 / cells, max(box.bottom - box.top, 1e-6))
        covered = np.minimum(np.outer(along, across) / least, 1)
        marks[:, :, box.label] = np.maximum(marks[:, :, box.label], covered)
    return marks
