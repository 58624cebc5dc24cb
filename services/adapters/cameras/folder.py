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

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Playback:
    """How files are played: frames per second, whether to start over at the end, and what an image may be."""

    frames_per_second: float
    loop: bool
    limits: ImageLimits


def list_images(directory: Path, csv_file: Path | None = None) -> tuple[Path, ...]:
    """Return the images of a folder: as a CSV with a column `image_path` lists them, else all files by name.

    Without `csv_file`, sub-folders are searched too. Paths in the CSV are relative to the folder.

    Raises:
        ConfigurationError: The folder or the CSV cannot be read, or names no image.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"image folder {directory} is not there, or is no folder")
    if csv_file is not None:
        return _listed(directory, csv_file)
    try:
        found = sorted(
            path for path in directory.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()
        )
    except OSError as error:
        raise ConfigurationError(f"image folder {directory} cannot be read: {error.strerror}") from error
    if not found:
        raise ConfigurationError(f"image folder {directory} holds no .jpg, .jpeg or .png file")
    return tuple(found)


def deal(images: Sequence[Path], hands: int, seed: int) -> tuple[tuple[Path, ...], ...]:
    """Shuffle images with a seed and deal them out over cameras; with fewer images than cameras all get all."""
    shuffled = list(images)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order of playing, no secret
    if len(shuffled) < hands:
        return (tuple(shuffled),) * hands
    return tuple(tuple(shuffled[hand::hands]) for hand in range(hands))


class FolderSource:
    """Plays a list of image files; one that cannot be read or is no image is refused and passed over."""

    def __init__(self, images: Sequence[Path], playback: Playback, clock: Clock, stop: threading.Event) -> None:
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
            for path in self._images:
                if not pacer.wait():
                    return
                frame = self._load(path)
                readable += isinstance(frame, CapturedImage)
                yield frame
            self.problem = None if readable else "no image of the folder can be read"
            if not self._playback.loop:
                return

    def _load(self, path: Path) -> CapturedImage | RefusedImage:
        try:
            data = path.read_bytes()
            header = check_image(data, self._playback.limits)
        except OSError as error:
            return RefusedImage("unreadable", f"{path}: {error.strerror}")
        except RejectedMessage as refusal:
            return RefusedImage(refusal.reason, f"{path}: {refusal.detail}")
        return CapturedImage(data, header.encoding, self._clock(), header.width_px, header.height_px)


def _listed(directory: Path, csv_file: Path) -> tuple[Path, ...]:
    try:
        with csv_file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if _PATH_COLUMN not in (rows.fieldnames or ()):
                raise ConfigurationError(f"{csv_file} needs a header line with a column {_PATH_COLUMN!r}")
            listed = tuple(directory / row[_PATH_COLUMN].strip() for row in rows if row[_PATH_COLUMN])
    except OSError as error:
        raise ConfigurationError(f"{csv_file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{csv_file} is not UTF-8 text") from error
    except csv.Error as error:
        raise ConfigurationError(f"{csv_file} is not a CSV file: {error}") from error
    if not listed:
        raise ConfigurationError(f"{csv_file} lists no image")
    if not any(path.is_file() for path in listed):
        raise ConfigurationError(f"none of the images that {csv_file} lists is in {directory}")
    return listed
