import io

import numpy as np
import pytest
from PIL import Image

from dashboard.pictures import picture


def grey(width: int = 640, height: int = 320, picture_format: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 128).save(buffer, picture_format)
    return buffer.getvalue()


def pixels(image: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(image)))


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG"])
def test_picture_is_made_small_and_keeps_its_proportions(picture_format: str) -> None:
    shown = picture(grey(picture_format=picture_format))
    assert shown is not None
    assert pixels(shown).shape == (240, 480, 3)


def test_evidence_tints_its_place_and_nothing_else() -> None:
    evidence = [[0.0, 0.0, 0.0, 5.0], [0.0, 0.0, 0.0, 5.0]]
    shown = picture(grey(), evidence)
    assert shown is not None
    left, right = pixels(shown)[120, 40].astype(int), pixels(shown)[120, 460].astype(int)
    assert abs(left[0] - left[2]) < 6
    assert right[0] - right[2] > 60


@pytest.mark.parametrize("evidence", [[[0.0, -1.0]], [[float("nan")]], []])
def test_evidence_without_a_place_leaves_the_picture_as_it_is(evidence: list[list[float]]) -> None:
    assert picture(grey(), evidence) == picture(grey())


@pytest.mark.parametrize("image", [b"", b"no image", grey()[:200], b"GIF89a" + bytes(50)])
def test_bytes_that_are_no_picture_give_none(image: bytes) -> None:
    assert picture(image) is None


def test_huge_pictures_are_not_decoded() -> None:
    assert picture(grey(6000, 5000)) is None
