"""What a training batch is made of: whole real frames, windows of them, rendered frames.

Everything is drawn from a generator seeded by run and step, so an interrupted run goes on with the
very batches it would have seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.adapters.cameras.renderer import render
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.trainer.frames import FRAME_PX, Box, GreyImage, LabelledFrame

NO_DEFECT_LABEL = SURFACE_LABELS.index(NO_DEFECT)
RESERVED_RENDER_SEEDS = 1_000_000
"""Seeds below this are never trained on: they are for the demo line, tests and evaluation."""

_WINDOW_TRIES = 12
_BOX_MARGIN = 0.03
_EVEN = 0.5
_STRIP_GREY = 30
_MIN_STRIP_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class BatchMix:
    """Shares of a batch; whole real frames fill the rest."""

    defect_windows: float = 0.14
    clean_windows: float = 0.10
    rendered: float = 0.27
    rendered_clean: float = 0.3
    class_balance: float = 0.5
    """0 draws classes as often as the data has them, 1 all equally often."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Grey pixels [n, px, px] uint8 and soft labels [n, classes] float32."""

    pixels: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]


class BatchSource:
    """Draws training batches from real frames and from the renderer."""

    def __init__(
        self, frames: Sequence[LabelledFrame], images: Sequence[GreyImage], seed: int, mix: BatchMix
    ) -> None:
        """Index the frames by class and coil; without frames every batch is rendered."""
        self._frames = frames
        self._images = images
        self._seed = seed
        self._mix = mix
        self._coils: dict[int, list[list[int]]] = _index_by_coil(frames)
        self._labels = sorted(self._coils)
        counts = np.array([sum(map(len, self._coils[label])) for label in self._labels], float)
        weights = counts ** (1 - mix.class_balance) if counts.size else counts
        self._label_shares = weights / weights.sum() if counts.size else weights
        self._boxed = [index for index, frame in enumerate(frames) if frame.boxes]

    def batch(self, step: int, size: int, image_px: int) -> Batch:
        """Draw the batch of a step: the same step gives the same batch."""
        rng = np.random.default_rng([self._seed, step])
        pixels = np.empty((size, image_px, image_px), np.uint8)
        labels = np.empty(size, np.int64)
        for row in range(size):
            image, labels[row] = self._draw(rng)
            pixels[row] = augment(image, image_px, rng)
        targets = np.eye(len(SURFACE_LABELS), dtype=np.float32)[labels]
        return mixup(Batch(pixels, targets), rng) if step % 2 else Batch(pixels, targets)

    def _draw(self, rng: np.random.Generator) -> tuple[GreyImage, int]:
        mix = self._mix
        choice = rng.random()
        if not self._frames or choice < mix.rendered:
            return self._rendered(rng)
        if self._boxed and choice < mix.rendered + mix.clean_windows:
            return self._clean_window(rng)
        index = self._frame_index(rng)
        boxed = bool(self._frames[index].boxes)
        if boxed and choice < mix.rendered + mix.clean_windows + mix.defect_windows:
            return defect_window(self._frames[index], self._images[index], rng)
        return self._images[index], self._frames[index].label

    def _frame_index(self, rng: np.random.Generator) -> int:
        """Class first, then a coil (large ones damped to the root of their size), then a frame."""
        label = self._labels[int(rng.choice(len(self._labels), p=self._label_shares))]
        coils = self._coils[label]
        roots = np.sqrt([len(coil) for coil in coils])
        coil = coils[int(rng.choice(len(coils), p=roots / roots.sum()))]
        return coil[int(rng.integers(len(coil)))]

    def _rendered(self, rng: np.random.Generator) -> tuple[GreyImage, int]:
        clean = rng.random() < self._mix.rendered_clean
        label = NO_DEFECT_LABEL if clean else int(rng.integers(NO_DEFECT_LABEL))
        seed = int(rng.integers(RESERVED_RENDER_SEEDS, 2**62))
        image = render(SURFACE_LABELS[label], seed, FRAME_PX, FRAME_PX)
        quality = int(rng.integers(60, 98))
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8), label

    def _clean_window(self, rng: np.random.Generator) -> tuple[GreyImage, int]:
        for _ in range(_WINDOW_TRIES):
            index = self._boxed[int(rng.integers(len(self._boxed)))]
            window = clean_window(self._frames[index], self._images[index], rng)
            if window is not None:
                return window, NO_DEFECT_LABEL
        return self._rendered(rng)


def _index_by_coil(frames: Sequence[LabelledFrame]) -> dict[int, list[list[int]]]:
    by_label: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, frame in enumerate(frames):
        by_label[frame.label][frame.coil].append(index)
    return {label: list(coils.values()) for label, coils in by_label.items()}


def _window_size(rng: np.random.Generator) -> tuple[float, float]:
    """One distribution of window sizes for clean and defect windows: size must tell nothing."""
    return float(rng.uniform(0.42, 0.9)), float(rng.uniform(0.42, 0.9))


def _cut(image: GreyImage, window: Box) -> GreyImage:
    height, width = image.shape
    rows = slice(round(window.top * height), round(window.bottom * height))
    return image[rows, round(window.left * width) : round(window.right * width)]


def clean_window(frame: LabelledFrame, image: GreyImage, rng: np.random.Generator) -> GreyImage | None:
    """Cut a random window that touches no box, or return None when this draw touches one."""
    width, height = _window_size(rng)
    left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    window = Box(NO_DEFECT_LABEL, left, top, left + width, top + height)
    grown = Box(
        NO_DEFECT_LABEL,
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


def defect_window(frame: LabelledFrame, image: GreyImage, rng: np.random.Generator) -> tuple[GreyImage, int]:
    """Cut a window around one box of the frame's class; the whole frame when none can be had."""
    own = [box for box in frame.boxes if box.label == frame.label]
    if not own:
        return image, frame.label
    box = own[int(rng.integers(len(own)))]
    for _ in range(_WINDOW_TRIES):
        width, height = _window_size(rng)
        left, top = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
        window = Box(frame.label, left, top, left + width, top + height)
        seen = window.overlap(box)
        if seen >= min(0.6 * box.area, 0.5 * window.area):
            return _cut(image, window), frame.label
    return image, frame.label


def augment(image: GreyImage, image_px: int, rng: np.random.Generator) -> GreyImage:
    """Flip, shift, rescale a little, change the gamma, and resize to the training size."""
    height, width = image.shape
    pad_x, pad_y = max(1, width // 8), max(1, height // 8)
    padded = cv2.copyMakeBorder(image, pad_y, pad_y, pad_x, pad_x, cv2.BORDER_REFLECT_101)
    zoom = rng.uniform(0.92, 1.08)
    crop_w, crop_h = round(width * zoom), round(height * zoom)
    left = int(rng.integers(0, padded.shape[1] - crop_w + 1))
    top = int(rng.integers(0, padded.shape[0] - crop_h + 1))
    crop = padded[top : top + crop_h, left : left + crop_w]
    shrinks = min(crop_w, crop_h) > image_px
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(crop, (image_px, image_px), interpolation=method)
    if rng.random() < _EVEN:
        resized = resized[:, ::-1]
    if rng.random() < _EVEN:
        resized = resized[::-1]
    gamma = float(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    table = np.rint(255 * (np.arange(256) / 255) ** gamma).astype(np.uint8)
    return np.asarray(table[resized], np.uint8)


def mixup(batch: Batch, rng: np.random.Generator) -> Batch:
    """Blend every image and label with another one of the batch (Zhang et al. 2018, alpha 0.2)."""
    share = rng.beta(0.2, 0.2, len(batch.pixels)).astype(np.float32)
    other = rng.permutation(len(batch.pixels))
    weight = share[:, None, None]
    blended = weight * batch.pixels + (1 - weight) * batch.pixels[other]
    targets = share[:, None] * batch.targets + (1 - share[:, None]) * batch.targets[other]
    return Batch(np.rint(blended).astype(np.uint8), targets)
