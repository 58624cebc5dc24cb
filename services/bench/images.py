"""The frames of a run: rendered ones by default, or a directory's; the same for everything that is measured."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import cv2
import numpy as np
import numpy.typing as npt

from services.adapters.cameras.renderer import render
from services.contracts.errors import ConfigurationError, RejectedMessage
from services.contracts.identity import frame_id_for_spooled
from services.contracts.image_path import check_image, decode_for_model, encoding_of
from services.contracts.messages import Frame, ImageEncoding
from services.domain.classes import DEFECT_CLASSES, NO_DEFECT
from services.domain.topology import DEFAULT_MATERIAL

MODEL_INPUT_PX: Final = 224
_JPEG_QUALITY: Final = 90
_CLEAN_OF_FIVE: Final = 4
_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})


def rendered_images(count: int) -> list[bytes]:
    """Return JPEGs of rendered strip, 224 px a side; one in five shows a defect, each class in its turn."""
    images = []
    for number in range(count):
        is_clean = number % (_CLEAN_OF_FIVE + 1) < _CLEAN_OF_FIVE
        defect = DEFECT_CLASSES[number // (_CLEAN_OF_FIVE + 1) % len(DEFECT_CLASSES)]
        pixels = render(NO_DEFECT if is_clean else defect, number, MODEL_INPUT_PX, MODEL_INPUT_PX)
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        images.append(encoded.tobytes())
    return images


def images_of(directory: Path, count: int) -> list[bytes]:
    """Return up to `count` JPEG and PNG files found below a directory, spread evenly over their sorted names.

    Raises:
        ConfigurationError: The directory holds no images, or one of those chosen cannot be used.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"{directory} is no directory: name one with images for --images")
    files = sorted(path for path in directory.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not files:
        raise ConfigurationError(f"no .jpg, .jpeg or .png file below {directory}: name another for --images")
    chosen = [files[index] for index in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int)]
    images = [path.read_bytes() for path in chosen]
    for path, image in zip(chosen, images, strict=True):
        try:
            check_image(image)
        except RejectedMessage as error:
            raise ConfigurationError(f"image {path} cannot be used: {error.detail}") from error
    return images


def save_images(images: Sequence[bytes], directory: Path) -> None:
    """Write the images where the worker processes find them."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        suffix = "png" if encoding_of(image) is ImageEncoding.PNG else "jpg"
        (directory / f"{number:05d}.{suffix}").write_bytes(image)


def saved_images(directory: Path) -> list[bytes]:
    """Return the images that `save_images` wrote, in their order."""
    return [path.read_bytes() for path in sorted(directory.iterdir())]


def pixels_of(images: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    """Return the images as the model takes them: uint8, [n, 224, 224, 3]."""
    return np.stack([decode_for_model(image, MODEL_INPUT_PX) for image in images])


def frame_of(image: bytes, camera_id: str, session_id: UUID, sequence: int, captured_at: datetime) -> Frame:
    """Return the frame that a camera room would publish for this image."""
    header = check_image(image)
    return Frame(
        frame_id=frame_id_for_spooled(camera_id, session_id, sequence),
        camera_id=camera_id,
        line_id=None,
        coil_id=None,
        material=DEFAULT_MATERIAL,
        captured_at=captured_at,
        session_id=session_id,
        sequence=sequence,
        strip_position_m=None,
        width_px=header.width_px,
        height_px=header.height_px,
        encoding=ImageEncoding(header.encoding),
        image=image,
        sha256=hashlib.sha256(image).digest(),
    )
