"""What is wrong with a labelled set: files, duplicates, labels, groups."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from services.contracts.errors import RejectedMessage
from services.contracts.image_path import decode_for_model
from services.trainer.dataset import Dataset, Entry

_THUMB_PX = 32
_ALIKE = 0.995
"""Correlation of standardised 32 x 32 thumbnails from which two pictures are called near-duplicates."""
_FLAT_GREY_LEVELS = 2.0
_BLOCK = 1024
_MAX_PAIRS = 5_000
_FEW_IMAGES = 20
_LEAST_IMAGES = 2
_LARGE_GROUP = 0.05

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the check found; pairs are positions in the set's entries.

    Attributes:
        counts: Images per class.
        unreadable: Path and reason of every file that is missing or cannot be decoded.
        identical: Pairs of byte-identical files.
        alike: Pairs of near-duplicates that are not byte-identical; at most 5,000.
        contradictions: Pairs of identical or listed-twice images under two labels.
        spoils: Sentences about what would spoil training.
        warnings: Sentences about what makes figures doubtful.
    """

    counts: Counter[str]
    unreadable: tuple[tuple[str, str], ...]
    identical: tuple[Pair, ...]
    alike: tuple[Pair, ...]
    contradictions: tuple[Pair, ...]
    spoils: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())


def check_dataset(dataset: Dataset, on_image: Callable[[int, int], None] = lambda _done, _total: None) -> Findings:
    """Read every image once and say what would spoil training and what makes its figures doubtful.

    Args:
        dataset: The set.
        on_image: Told how many images of how many are read.
    """
    hashes: list[str | None] = []
    thumbs = np.zeros((len(dataset.entries), _THUMB_PX**2), np.float32)
    unreadable = []
    for index, entry in enumerate(dataset.entries):
        try:
            content = (dataset.directory / entry.image_path).read_bytes()
            thumbs[index] = _thumb(decode_for_model(content, 64))
            hashes.append(hashlib.sha256(content).hexdigest())
        except (OSError, RejectedMessage) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            unreadable.append((entry.image_path, reason or "cannot be read"))
            hashes.append(None)
        on_image(index + 1, len(dataset.entries))
    identical = tuple(_identical(hashes))
    same = set(identical)
    alike = tuple(pair for pair in _alike(thumbs) if pair not in same)
    contradictions = tuple(pair for pair in identical if _labels(dataset, pair)[0] != _labels(dataset, pair)[1])
    findings = Findings(
        Counter(entry.label for entry in dataset.entries), tuple(unreadable), identical, alike, contradictions
    )
    return Findings(
        findings.counts, findings.unreadable, identical, alike, contradictions,
        tuple(_spoils(dataset, findings)), tuple(_warnings(dataset, findings)),
    )  # fmt: skip


def _thumb(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    small = cv2.resize(pixels[:, :, 1], (_THUMB_PX, _THUMB_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    spread = float(small.std())
    if spread < _FLAT_GREY_LEVELS:
        return np.zeros(_THUMB_PX**2, np.float32)
    return np.asarray((small - small.mean()).ravel() / (spread * _THUMB_PX), np.float32)


def _identical(hashes: Sequence[str | None]) -> Iterator[Pair]:
    seen: dict[str, int] = {}
    for index, digest in enumerate(hashes):
        if digest is None:
            continue
        if digest in seen:
            yield seen[digest], index
        else:
            seen[digest] = index


def _alike(thumbs: npt.NDArray[np.float32]) -> Iterator[Pair]:
    found = 0
    for start in range(0, len(thumbs), _BLOCK):
        block = thumbs[start : start + _BLOCK] @ thumbs[start:].T
        for row, column in np.argwhere(block >= _ALIKE):
            if row < column:
                yield start + int(row), start + int(column)
                found += 1
                if found >= _MAX_PAIRS:
                    return


def _labels(dataset: Dataset, pair: Pair) -> tuple[str, str]:
    return dataset.entries[pair[0]].label, dataset.entries[pair[1]].label


def _spoils(dataset: Dataset, found: Findings) -> Iterator[str]:
    if found.unreadable:
        path, reason = found.unreadable[0]
        yield f"{len(found.unreadable)} files cannot be read, first {path}: {reason}."
    if len(found.counts) == 1:
        yield f"All images show {next(iter(found.counts))}: training needs at least two classes."
    for label, count in sorted(found.counts.items()):
        if count < _LEAST_IMAGES:
            yield f"Class {label} has {count} image: it cannot be both trained and tested."
    if found.contradictions:
        names = [_name(dataset.entries[index]) for index in found.contradictions[0]]
        yield f"{len(found.contradictions)} images stand under two labels, first {names[0]} and {names[1]}."
    listed = Counter(entry.image_path for entry in dataset.entries)
    twice = [path for path, count in listed.items() if count > 1]
    if twice:
        yield f"{len(twice)} files are listed more than once, first {twice[0]}."


def _warnings(dataset: Dataset, found: Findings) -> Iterator[str]:
    for label, count in sorted(found.counts.items()):
        if _LEAST_IMAGES <= count < _FEW_IMAGES:
            yield f"Class {label} has only {count} images: one more or less is {100 / count:.0f} points of recall."
    if not dataset.has_groups:
        yield (
            "No column says which images belong together (coil, sheet, batch): a random split puts frames of"
            " one coil on both sides, and its accuracy will not hold for the next coil. Give --group COLUMN."
        )
    else:
        yield from _group_warnings(dataset, found)
    if len(found.identical) > len(found.contradictions):
        yield f"{len(found.identical) - len(found.contradictions)} files are byte-identical to another one."


def _group_warnings(dataset: Dataset, found: Findings) -> Iterator[str]:
    sizes = Counter(entry.group for entry in dataset.entries)
    largest, count = sizes.most_common(1)[0]
    if count > _LARGE_GROUP * len(dataset.entries) and len(sizes) > 1:
        yield f"Group {largest} holds {count} of {len(dataset.entries)} images: weigh it by the root of its size."
    across = [
        pair for pair in (*found.identical, *found.alike)
        if dataset.entries[pair[0]].group != dataset.entries[pair[1]].group
    ]  # fmt: skip
    if across:
        names = [_name(dataset.entries[index]) for index in across[0]]
        yield (
            f"{len(across)} pairs of different groups look alike, first {names[0]} and {names[1]}: if they are one"
            " coil, a grouped split leaks."
        )
    of_label: dict[str, set[str | None]] = defaultdict(set)
    for entry in dataset.entries:
        of_label[entry.label].add(entry.group)
    for label, groups in sorted(of_label.items()):
        if len(groups) == 1:
            yield f"Class {label} comes from one group alone: no grouped split can test it."


def _name(entry: Entry) -> str:
    return f"{entry.image_path} ({entry.label})"
