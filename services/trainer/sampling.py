"""What a training batch is made of: whole real frames, windows of them, pasted defects, rendered frames.

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

from services.adapters.cameras.renderer import render_marked
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.trainer.frames import FRAME_PX, STRIDE_PX, Box, GreyImage, LabelledFrame
from services.trainer.samples import (
    WINDOW_TRIES,
    Sample,
    augment,
    clean_window,
    defect_window,
    mark_map,
    pasted,
    whole,
)

RESERVED_RENDER_SEEDS = 1_000_000
"""Seeds below this are never trained on: they are for the demo line, tests and evaluation."""


@dataclass(frozen=True, slots=True)
class BatchMix:
    """Shares of a batch; whole real frames fill the rest."""

    rendered: float = 0.25
    rendered_clean: float = 0.4
    clean_windows: float = 0.14
    pasted: float = 0.08
    defect_windows: float = 0.12
    class_balance: float = 0.5
    """0 draws classes as often as the data has them, 1 all equally often."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What an optimiser step is made of.

    Attributes:
        pixels: Grey [n, px, px] uint8.
        targets: Soft labels [n, classes] float32.
        marks: Share [n, cells, cells, classes] float32 of each position that is marked.
        marked: 1 where somebody marked the picture, 0 where `marks` says nothing, [n] float32.
    """

    pixels: npt.NDArray[np.uint8]
    targets: npt.NDArray[np.float32]
    marks: npt.NDArray[np.float32]
    marked: npt.NDArray[np.float32]


class BatchSource:
    """Draws training batches from real frames and from the renderer."""

    def __init__(
        self,
        frames: Sequence[LabelledFrame],
        images: Sequence[GreyImage],
        seed: int,
        mix: BatchMix,
        labels: Sequence[str] = SURFACE_LABELS,
    ) -> None:
        """Index the frames by class and coil; without frames every batch is rendered.

        Only steel strip is rendered, and clean windows are only cut where the labels have `no_defect`.
        """
        self._classes = len(labels)
        self._clean_label = labels.index(NO_DEFECT) if NO_DEFECT in labels else None
        self._renders = tuple(labels) == SURFACE_LABELS
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
        samples = [augment(self._draw(rng), image_px, rng) for _ in range(size)]
        cells = -(-image_px // STRIDE_PX)
        batch = Batch(
            np.stack([sample.image for sample in samples]),
            np.eye(self._classes, dtype=np.float32)[[sample.label for sample in samples]],
            np.stack([mark_map(sample.boxes or (), cells, self._classes) for sample in samples]),
            np.array([sample.boxes is not None for sample in samples], np.float32),
        )
        return mixup(batch, rng) if step % 2 else batch

    def _draw(self, rng: np.random.Generator) -> Sample:
        mix = self._mix
        choice = rng.random()
        if not self._frames or (self._renders and choice < mix.rendered):
            return self._rendered(rng)
        choice -= mix.rendered
        background = self._clean(rng) if 0 <= choice < mix.clean_windows + mix.pasted else None
        if background is not None and choice < mix.clean_windows:
            return background
        choice -= mix.clean_windows
        index = self._frame_index(rng)
        frame, image = self._frames[index], self._images[index]
        if background is not None:
            return pasted(frame, image, background.image, rng) or whole(frame, image)
        if frame.boxes and mix.pasted <= choice < mix.pasted + mix.defect_windows:
            return defect_window(frame, image, rng)
        return whole(frame, image)

    def _frame_index(self, rng: np.random.Generator) -> int:
        """Class first, then a coil (large ones damped to the root of their size), then a frame."""
        label = self._labels[int(rng.choice(len(self._labels), p=self._label_shares))]
        coils = self._coils[label]
        roots = np.sqrt([len(coil) for coil in coils])
        coil = coils[int(rng.choice(len(coils), p=roots / roots.sum()))]
        return coil[int(rng.integers(len(coil)))]

    def _rendered(self, rng: np.random.Generator) -> Sample:
        clean = rng.random() < self._mix.rendered_clean
        label = len(SURFACE_LABELS) - 1 if clean else int(rng.integers(len(SURFACE_LABELS) - 1))
        return _render(label, rng)

    def _clean(self, rng: np.random.Generator) -> Sample | None:
        """Cut clean strip out of a marked frame, or draw it; None where the labels have no `no_defect`."""
        if self._clean_label is None or not self._boxed:
            return None
        for _ in range(WINDOW_TRIES):
            index = self._boxed[int(rng.integers(len(self._boxed)))]
            window = clean_window(self._frames[index], self._images[index], rng)
            if window is not None:
                return Sample(window, self._clean_label, ())
        return _render(self._clean_label, rng) if self._renders else None


def _render(label: int, rng: np.random.Generator) -> Sample:
    """Draw a marked frame with a seed that is free for training, through JPEG as a camera sends it."""
    seed = int(rng.integers(RESERVED_RENDER_SEEDS, 2**62))
    image, marks = render_marked(SURFACE_LABELS[label], seed, FRAME_PX, FRAME_PX)
    boxes = tuple(
        Box(SURFACE_LABELS.index(mark.defect_class), mark.left, mark.top, mark.right, mark.bottom)
        for mark in marks
    )
    quality = int(rng.integers(60, 98))
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return Sample(np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8), label, boxes)


def _index_by_coil(frames: Sequence[LabelledFrame]) -> dict[int, list[list[int]]]:
    by_label: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, frame in enumerate(frames):
        by_label[frame.label][frame.coil].append(index)
    return {label: list(coils.values()) for label, coils in by_label.items()}


def mixup(batch: Batch, rng: np.random.Generator) -> Batch:
    """Blend every image, label and mark with another one of the batch (Zhang et al. 2018, alpha 0.2)."""
    share = rng.beta(0.2, 0.2, len(batch.pixels)).astype(np.float32)
    other = rng.permutation(len(batch.pixels))
    weight = share[:, None, None]
    blended = weight * batch.pixels + (1 - weight) * batch.pixels[other]
    return Batch(
        np.rint(blended).astype(np.uint8),
        share[:, None] * batch.targets + (1 - share[:, None]) * batch.targets[other],
        weight[..., None] * batch.marks + (1 - weight[..., None]) * batch.marks[other],
        batch.marked * batch.marked[other],
    )
