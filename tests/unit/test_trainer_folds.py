"""Parts of a set by coil: every coil is held out once, and every part is like the whole."""

import re
from collections import Counter

import numpy as np
import pytest

from services.contracts.errors import ConfigurationError
from services.trainer.folds import fold_by_coil, fold_of
from services.trainer.frames import LabelledFrame

FOLDS = 5
SHARES = (0.6, 0.3, 0.1)


def a_set(coils: int = 60) -> list[LabelledFrame]:
    """Coils of one to twelve frames; most frames of a coil show its class."""
    rng = np.random.default_rng(5)
    frames = []
    for coil in range(coils):
        own = int(rng.choice(3, p=SHARES))
        for number in range(int(rng.integers(1, 13))):
            label = own if rng.random() < 0.9 else int(rng.integers(3))
            frames.append(LabelledFrame(f"{coil}-{number}.jpg", label, f"c{coil}"))
    return frames


def test_every_coil_is_held_out_once_and_whole() -> None:
    frames = a_set()
    parts = [fold_by_coil(frames, fold=(number, FOLDS), seed=3) for number in range(1, FOLDS + 1)]
    held_out = Counter(coil for part in parts for coil in part.held_out_coils)
    assert set(held_out.values()) == {1}
    assert set(held_out) == {frame.coil for frame in frames}
    assert {part.seed for part in parts} == {3}
    assert not any(part.is_random for part in parts)


def test_every_part_has_its_share_of_every_class() -> None:
    frames = a_set(200)
    whole = Counter(frame.label for frame in frames)
    for number in range(1, FOLDS + 1):
        part = fold_by_coil(frames, fold=(number, FOLDS), seed=3)
        held_out = Counter(frame.label for frame in frames if part.is_held_out(frame))
        for label, count in whole.items():
            assert held_out[label] == pytest.approx(count / FOLDS, rel=0.25), (number, label)


def test_the_same_seed_draws_the_same_parts_and_another_one_others() -> None:
    frames = a_set()
    first = fold_by_coil(frames, fold=(1, FOLDS), seed=3)
    assert fold_by_coil(frames, fold=(1, FOLDS), seed=3) == first
    assert fold_by_coil(frames, fold=(1, FOLDS), seed=4).held_out_coils != first.held_out_coils


def test_more_parts_than_coils_are_refused() -> None:
    frames = [LabelledFrame(f"{number}.jpg", number % 2, f"c{number % 3}") for number in range(12)]
    with pytest.raises(ConfigurationError, match="The set cannot be cut into 5 parts by coil"):
        fold_by_coil(frames, fold=(1, 5), seed=3)


def test_a_fold_is_written_as_number_and_count() -> None:
    assert fold_of("2/5") == (2, 5)
    for text in ("2", "0/5", "6/5", "1/1", "a/b", "-1/5", "1/5/2", ""):
        with pytest.raises(ConfigurationError, match=re.escape(f"{text!r} names no fold: write 1/5")):
            fold_of(text)
