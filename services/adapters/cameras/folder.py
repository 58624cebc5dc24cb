"""A folder of images played as a camera: JPEG and PNG files in name order, or in the order of a CSV."""

import csv
import logging
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.adapters.cameras.pacing import Pacer
from services.contracts.capture import CapturedImage, RefusedImage
from services.contracts.errors import ConfigurationError, RejectedMessage
from services.contracts.image_header import ImageLimits, check_image
from services.runtime.clock import Clock

_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})
_PATH_COLUMN: Final = "image_path"
_COIL_COLUMN: Final = "coil"
_LONGEST_HEADER: Final = 10_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Playback:
    """How files are played: frames per second, whether to start over at the end, and what an image may be."""

    frames_per_second: float
    loop: bool
    limits: ImageLimits


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image file to play, and the coil it shows where the CSV says so."""

    path: Path
    coil_id: str | None = None


def list_images(directory: Path, csv_file: Path | None = None) -> tuple[ListedImage, ...]:
    """Return the images of a folder: as a CSV with a column `image_path` lists them, else all files by name.

    Without `csv_file`, the first CSV by name in the folder itself that has that column is taken; without one,
    sub-folders are searched for images. Paths in the CSV are relative to the folder; a column `coil`
    is played too.

    Raises:
        ConfigurationError: The folder or the CSV cannot be read, or names no image.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"image folder {directory} is not there, or is no folder")
    try:
        if csv_file is None:
            csv_file = next((each for each in sorted(directory.glob("*.csv")) if _lists_images(each)), None)
        if csv_file is not None:
            logger.info("images as listed", extra={"csv": str(csv_file)})
            return _listed(directory, csv_file)
        found = sorted(
            path for path in directory.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()
        )
    except OSError as error:
        raise ConfigurationError(f"image folder {directory} cannot be read: {error.strerror}") from error
    if not found:
        raise ConfigurationError(f"image folder {directory} holds no .jpg, .jpeg or .png file")
    return tuple(ListedImage(path) for path in found)


def deal(images: Sequence[ListedImage], hands: int, seed: int) -> tuple[tuple[ListedImage, ...], ...]:
    """Shuffle images with a seed and deal them out over cameras; with fewer images than cameras all get all."""
    shuffled = list(images)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order of playing, no secret
    if len(shuffled) < hands:
        return (tuple(shuffled),) * hands
    return tuple(tuple(shuffled[hand::hands]) for hand in range(hands))


class FolderSource:
    """Plays a list of image files; one that cannot be read or is no image is refused and passed over."""

    def __init__(
        self, images: Sequence[ListedImage], playback: Playback, clock: Clock, stop: threading.Event
    ) -> None:
        """Play `images` in their order."""
        self.problem: str | None = None
        self._images = images
        self._playback = playback
        self._clock = clock
        self._stop = stop

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        """Yield an image a tick until the end or the room's stop."""
        pacer = Pacer(self._playback.frames_per_second, self._stop)
        while True:
            readable = 0
            for image in self._images:
                if not pacer.wait():
                    return
                frame = self._load(image)
                readable += isinstance(frame, CapturedImage)
                yield frame
            self.problem = None if readable else "no image of the folder can be read"
            if not self._playback.loop:
                return

    def _load(self, image: ListedImage) -> CapturedImage | RefusedImage:
        path = image.path
        try:
            data = path.read_bytes()
            header = check_image(data, self._playback.limits)
        except OSError as error:
            return RefusedImage("unreadable", f"{path}: {error.strerror}")
        except RejectedMessage as refusal:
            return RefusedImage(refusal.reason, f"{path}: {refusal.detail}")
        return CapturedImage(
            data, header.encoding, self._clock(), header.width_px, header.height_px, coil_id=image.coil_id
        )


def _lists_images(csv_file: Path) -> bool:
    with csv_file.open(encoding="utf-8-sig", errors="replace") as lines:
        return _PATH_COLUMN in lines.readline(_LONGEST_HEADER).rstrip().split(",")


def _listed(directory: Path, csv_file: Path) -> tuple[ListedImage, ...]:
    try:
        with csv_file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if _PATH_COLUMN not in (rows.fieldnames or ()):
                raise ConfigurationError(f"{csv_file} needs a header line with a column {_PATH_COLUMN!r}")
            listed = tuple(
                ListedImage(directory / row[_PATH_COLUMN].strip(), row.get(_COIL_COLUMN) or None)
                for row in rows
                if row[_PATH_COLUMN]
            )
    except OSError as error:
        raise ConfigurationError(f"{csv_file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{csv_file} is not UTF-8 text") from error
    except csv.Error as error:
        raise ConfigurationError(f"{csv_file} is not a CSV file: {error}") from error
    if not listed:
        raise ConfigurationError(f"{csv_file} lists no image")
    if not any(image.path.is_file() for image in listed):
        raise ConfigurationError(f"none of the images that {csv_file} lists is in {directory}")
    return listed
