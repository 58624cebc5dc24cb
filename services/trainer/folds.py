"""Cutting a set into parts by coil, each of which one run holds out."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.model_selection import StratifiedGroupKFold

from services.contracts.errors import ConfigurationError
from services.trainer.frames import LabelledFrame
from services.trainer.split import CoilSplit

_FEWEST_FOLDS = 2


def fold_of(text: str) -> tuple[int, int]:
    """Read `2/5`, the second of five folds.

    Raises:
        ConfigurationError: It is not of this form, or there is no such fold.
    """
    number, _, count = text.partition("/")
    if (
        not (number.isdecimal() and count.isdecimal())
        or not 1 <= int(number) <= int(count)
        or int(count) < _FEWEST_FOLDS
    ):
        raise ConfigurationError(f"{text!r} names no fold: write 1/5 to 5/5 for the five parts of a data set.")
    return int(number), int(count)


def fold_by_coil(frames: Sequence[LabelledFrame], *, fold: tuple[int, int], seed: int) -> CoilSplit:
    """Hold out one of several parts of the coils; every part has about the same share of each class's frames.

    The parts of one seed are disjoint, and together they are the whole set.

    Args:
        frames: All frames of the set.
        fold: Which part (from 1) of how many.
        seed: Of the shuffle; the same for all parts.

    Raises:
        ConfigurationError: There are fewer coils than parts, or fewer frames of every class.
    """
    number, count = fold
    coils = [frame.coil for frame in frames]
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    try:
        parts = list(folds.split(coils, [frame.label for frame in frames], coils))
    except ValueError as error:
        raise ConfigurationError(f"The set cannot be cut into {count} parts by coil: {error}") from error
    held_out = frozenset(coils[index] for index in parts[number - 1][1])
    return CoilSplit(seed, round(1 / count, 4), held_out)
