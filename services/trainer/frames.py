"""Labelled frames of a training set: reading the CSV, checking it, decoding the images."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.contracts.errors import ConfigurationError, RejectedMessage
from services.contracts.image_path import decode_for_model
from services.domain.classes import NO_DEFECT, SURFACE_LABELS

GreyImage = npt.NDArray[np.uint8]

FRAME_PX = 224
STRIDE_PX = 32
"""Side of the square of pixels that one position of the feature map stands for."""

_BOX_COLUMN = "boxes_2048x1000"
_BOX_SPACE = (2048.0, 1000.0)
_LABEL_COLUMNS = ("label", "target")


@dataclass(frozen=True, slots=True)
class Box:
    """A marked defect; corners are fractions of the frame's width and height."""

    label: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Share of the frame inside the box."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Share of the frame inside both boxes."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)


@dataclass(frozen=True, slots=True)
class LabelledFrame:
    """One image of the training set.

    Attributes:
        image_path: Path relative to the image directory.
        label: Position in the labels that the CSV was read with.
        coil: The group that must not be split between training and test; the path itself when unknown.
        boxes: Marked defects; empty when the CSV has none.
    """

    image_path: str
    label: int
    coil: str
    boxes: tuple[Box, ...] = ()


def read_frames(csv_file: Path, labels: Sequence[str] = SURFACE_LABELS) -> list[LabelledFrame]:
    """Read a CSV with `image_path` and `target` (class number or name) or `label` (name).

    The columns `coil` and `boxes_2048x1000` are used when present.

    Raises:
        ConfigurationError: The file is missing, has no such columns, is empty or names an unknown class.
    """
    if not csv_file.is_file():
        raise ConfigurationError(f"The CSV file {csv_file} does not exist.")
    with csv_file.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        label_column = _label_column(reader.fieldnames or (), csv_file)
        frames = [
            _frame(row, label_column, labels, f"{csv_file}, line {number}")
            for number, row in enumerate(reader, start=2)
        ]
    if not frames:
        raise ConfigurationError(f"The CSV file {csv_file} names no images.")
    return frames


def _label_column(columns: Sequence[str], csv_file: Path) -> str:
    found = [name for name in _LABEL_COLUMNS if name in columns]
    if "image_path" not in columns or not found:
        raise ConfigurationError(
            f"The CSV file {csv_file} needs the columns image_path and target (or label);"
            f" it has {', '.join(columns) or 'none'}."
        )
    return found[0]


def _frame(row: Mapping[str, str], label_column: str, labels: Sequence[str], place: str) -> LabelledFrame:
    path = row["image_path"]
    return LabelledFrame(
        image_path=path,
        label=parse_label(row[label_column] or "", labels, place),
        coil=row.get("coil") or path,
        boxes=_boxes(row.get(_BOX_COLUMN) or "[]", labels, place),
    )


def parse_label(text: str, labels: Sequence[str], place: str) -> int:
    """Turn a class name or a class number (`no_defect` not counted) into a position in `labels`.

    Raises:
        ConfigurationError: The text is neither; `place` says where it stands.
    """
    if text in labels:
        return labels.index(text)
    defects = defect_classes(labels)
    if text.isdecimal() and int(text) < len(defects):
        return labels.index(defects[int(text)])
    raise ConfigurationError(
        f"{place}: {text!r} is no known class; use 0 to {len(defects) - 1} or one of {', '.join(labels)}."
    )


def defect_classes(labels: Sequence[str]) -> list[str]:
    """Return the labels without `no_defect`."""
    return [name for name in labels if name != NO_DEFECT]


def _boxes(text: str, labels: Sequence[str], place: str) -> tuple[Box, ...]:
    width, height = _BOX_SPACE
    try:
        return tuple(
            Box(labels.index(name), x0 / width, y0 / height, x1 / width, y1 / height)
            for name, x0, y0, x1, y1 in json.loads(text)
            if name in labels
        )
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{place}: column {_BOX_COLUMN} must be a JSON list of [class, x0, y0, x1, y1]."
        ) from error


def check_classes(frames: Sequence[LabelledFrame], labels: Sequence[str] = SURFACE_LABELS) -> None:
    """Refuse a training set that cannot teach every defect class.

    Raises:
        ConfigurationError: Only one class has images, or a class has none.
    """
    present = {frame.label for frame in frames}
    if len(present) == 1:
        raise ConfigurationError(f"All images show {labels[present.pop()]}: training needs at least two classes.")
    empty = [name for name in defect_classes(labels) if labels.index(name) not in present]
    if empty:
        raise ConfigurationError(f"No image shows {', '.join(empty)}: every class needs images.")


def check_data(csv_file: Path, images_dir: Path, labels: Sequence[str] = SURFACE_LABELS) -> None:
    """Refuse data that cannot be trained on, before anything slow begins; images are not decoded yet.

    Raises:
        ConfigurationError: The CSV is unusable, a class is missing or files are.
    """
    frames = read_frames(csv_file, labels)
    check_classes(frames, labels)
    image_files(images_dir, frames)


def load_images(directory: Path, frames: Sequence[LabelledFrame]) -> list[GreyImage]:
    """Decode all frames to grey at the model's size (the whole frame squeezed, as when serving).

    Raises:
        ConfigurationError: Files are missing or unreadable; the first ones are named.
    """
    return [_grey(path) for path in image_files(directory, frames)]


def image_files(directory: Path, frames: Sequence[LabelledFrame]) -> list[Path]:
    """Return the path of every frame's image.

    Raises:
        ConfigurationError: The directory or some of the files are missing; the first one is named.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"The image directory {directory} does not exist.")
    missing = [frame.image_path for frame in frames if not (directory / frame.image_path).is_file()]
    if missing:
        raise ConfigurationError(
            f"{len(missing)} of {len(frames)} images are missing in {directory}, first {missing[0]}."
        )
    return [directory / frame.image_path for frame in frames]


def read_pixels(path: Path, input_px: int = FRAME_PX) -> npt.NDArray[np.uint8]:
    """Decode one image to the model's input, exactly as the classifier does: [input_px, input_px, 3] RGB.

    Raises:
        ConfigurationError: The image cannot be read.
    """
    try:
        return decode_for_model(path.read_bytes(), input_px)
    except (OSError, RejectedMessage) as error:
        raise ConfigurationError(f"The image {path} cannot be read: {error}.") from error


def _grey(path: Path) -> GreyImage:
    """One channel is kept: strip surface is grey, and grey images decode to equal channels."""
    return np.ascontiguousarray(read_pixels(path)[:, :, 1])
