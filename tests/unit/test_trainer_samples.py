"""Pixels and boxes of a sample stay together, whatever is done to it."""

import numpy as np
import pytest

from services.trainer.frames import Box, LabelledFrame
from services.trainer.samples import Sample, augment, boxes_within, mark_map, pasted

SIZE = 128
SPOT = Box(4, 0.25, 0.5, 0.375, 0.625)


def spotted(brightness: int = 255) -> np.ndarray:
    """A grey picture with a bright spot exactly in `SPOT`."""
    image = np.full((SIZE, SIZE), 100, np.uint8)
    image[64:80, 32:48] = brightness
    return image


def test_boxes_follow_their_pixels_through_every_augmentation() -> None:
    sample = Sample(spotted(), 4, (SPOT,))
    for seed in range(40):
        changed = augment(sample, 96, np.random.default_rng(seed))
        assert changed.boxes is not None
        assert changed.image.shape == (96, 96)
        (box,) = changed.boxes
        inside = changed.image[
            round(box.top * 96) + 1 : round(box.bottom * 96) - 1,
            round(box.left * 96) + 1 : round(box.right * 96) - 1,
        ]
        assert inside.min() > changed.image[changed.image < 255].min(), f"seed {seed}: the spot is not in its box"
        assert inside.mean() > 240


def test_an_unmarked_picture_stays_unmarked() -> None:
    assert augment(Sample(spotted(), 4, None), 64, np.random.default_rng(1)).boxes is None


def test_a_box_that_is_mostly_cut_away_is_no_mark() -> None:
    left_half, right = Box(0, 0, 0, 0.26, 1), Box(0, 0.3125, 0, 1, 1)
    assert boxes_within((SPOT,), left_half) == ()
    (kept,) = boxes_within((SPOT,), right)
    assert (kept.left, kept.right) == pytest.approx((0, (0.375 - 0.3125) / 0.6875))


def test_a_pasted_defect_lies_in_its_box_with_the_brightness_of_its_new_place() -> None:
    frame = LabelledFrame("a", 4, "1", (SPOT,))
    sample = pasted(frame, spotted(50), np.full((SIZE, SIZE), 200, np.uint8), np.random.default_rng(3))
    assert sample is not None
    assert sample.boxes is not None
    (box,) = sample.boxes
    rows, columns = np.nonzero(sample.image < 150)
    assert rows.min() >= box.top * SIZE - 1
    assert rows.max() <= box.bottom * SIZE
    assert columns.min() >= box.left * SIZE - 1
    assert columns.max() <= box.right * SIZE
    assert sample.image[rows, columns].min() == pytest.approx(100, abs=4), "half as bright as around, as before"
    assert sample.image[0, 0] == 200


def test_large_defects_and_dark_places_are_not_pasted() -> None:
    large = LabelledFrame("a", 4, "1", (Box(4, 0, 0, 1, 0.5),))
    assert pasted(large, spotted(), np.full((SIZE, SIZE), 200, np.uint8), np.random.default_rng(1)) is None
    small = LabelledFrame("a", 4, "1", (SPOT,))
    assert pasted(small, spotted(), np.zeros((SIZE, SIZE), np.uint8), np.random.default_rng(1)) is None


def test_marks_say_which_share_of_a_position_is_covered() -> None:
    marks = mark_map((Box(2, 0.0, 0.0, 0.5, 0.125), Box(4, 0.51, 0.51, 0.52, 0.52)), 4, 11)
    assert marks.shape == (4, 4, 11)
    np.testing.assert_allclose(marks[0, :2, 2], [1, 1], atol=1e-6, err_msg="a flat box fills its positions")
    assert marks[1, :, 2].sum() == 0
    assert marks[2, 2, 4] == pytest.approx(1, abs=1e-4), "a small box lies wholly in one position"
    assert marks.sum() == pytest.approx(3, abs=1e-3)
