"""From a labelled set as users bring it to the one that training reads: one size, names, two saved splits."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from services.contracts.errors import ConfigurationError
from services.trainer.dataset import Dataset, Entry
from services.trainer.frames import read_pixels
from services.trainer.split import RANDOM_SPLIT_FILE

FRAMES_FILE = "frames.csv"
CLASSES_FILE = "classes.csv"
GROUPED_FILE = "split_grouped.json"
DATASET_FILE = "dataset.json"
_IMAGES = "images"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was written: the directory, its version (a hash of content and labels), and counts."""

    directory: Path
    version: str
    images: int
    grouped_held_out: int
    random_held_out: int


def prepare_dataset(
    dataset: Dataset,
    out: Path,
    *,
    image_px: int,
    share: float,
    seed: int,
    on_image: Callable[[int, int], None] = lambda _done, _total: None,
) -> Prepared:
    """Resize all images to the model's input and write labels, class numbers and both splits.

    Args:
        dataset: A set that the check found nothing spoiling in.
        out: New directory.
        image_px: Side of the square images to write; the whole frame is squeezed, as when serving.
        share: Share to hold out.
        seed: Of both splits.
        on_image: Told how many images of how many are written.

    Raises:
        ConfigurationError: The directory exists, cannot be written, or an image cannot be read.
    """
    if out.exists():
        raise ConfigurationError(f"{out} exists already: name a directory that does not.")
    staged = out.with_name(f".{out.name}.incoming")
    try:
        (staged / _IMAGES).mkdir(parents=True)
        version = hashlib.sha256()
        rows = []
        for index, entry in enumerate(dataset.entries):
            rows.append(_write_image(dataset, entry, index, staged, image_px, version))
            on_image(index + 1, len(dataset.entries))
        _write_tables(dataset, rows, staged)
        grouped = grouped_split(dataset, share, seed)
        written = {entry.image_path: row["image_path"] for entry, row in zip(dataset.entries, rows, strict=True)}
        random = {written[image] for image in random_split(dataset, share, seed)}
        drawn = {"seed": seed, "held_out_share": share}
        _write_json(staged / GROUPED_FILE, {**drawn, "held_out_coils": sorted(grouped)})
        _write_json(staged / RANDOM_SPLIT_FILE, {**drawn, "held_out_images": sorted(random)})
        held = sum(_group(entry) in grouped for entry in dataset.entries)
        prepared = Prepared(out, version.hexdigest()[:16], len(rows), held, len(random))
        groups = len({_group(entry) for entry in dataset.entries}) if dataset.has_groups else None
        facts = {"version": prepared.version, "images": len(rows), "image_px": image_px, "groups": groups}
        _write_json(staged / DATASET_FILE, {**facts, "classes": list(dataset.classes), **drawn})
        staged.rename(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return prepared


def _group(entry: Entry) -> str:
    return entry.group or entry.image_path


def grouped_split(dataset: Dataset, share: float, seed: int) -> set[str]:
    """Choose groups to hold out: of every class the given share of its groups, drawn with the seed."""
    of_label: dict[str, set[str]] = {label: set() for label in dataset.classes}
    for entry in dataset.entries:
        of_label[entry.label].add(_group(entry))
    rng = np.random.default_rng(seed)
    held: set[str] = set()
    for label in dataset.classes:
        groups = sorted(of_label[label])
        wanted = max(1, round(share * len(groups))) - len(held.intersection(groups))
        free = [group for group in groups if group not in held]
        held.update(free[index] for index in rng.permutation(len(free))[: max(0, wanted)])
    return held


def random_split(dataset: Dataset, share: float, seed: int) -> set[str]:
    """Choose images to hold out: of every class the given share, drawn with the seed. Leaks where groups exist."""
    rng = np.random.default_rng(seed)
    held: set[str] = set()
    for label in dataset.classes:
        own = sorted(entry.image_path for entry in dataset.entries if entry.label == label)
        held.update(own[index] for index in rng.permutation(len(own))[: round(share * len(own))])
    return held


def _write_image(
    dataset: Dataset, entry: Entry, index: int, staged: Path, image_px: int, version: hashlib._Hash
) -> dict[str, str]:
    pixels = read_pixels(dataset.directory / entry.image_path, image_px)
    name = f"{_IMAGES}/{entry.label}_{index:06d}.png"
    coded = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
    (staged / name).write_bytes(coded)
    version.update(f"{entry.label}\0{_group(entry)}\0".encode() + coded)
    return {
        **entry.extras,
        "image_path": name,
        "label": entry.label,
        "coil": _group(entry),
        "source": entry.image_path,
    }


def _write_tables(dataset: Dataset, rows: Sequence[dict[str, str]], staged: Path) -> None:
    columns = ["image_path", "label", "coil", "source"]
    columns += sorted({name for row in rows for name in row} - set(columns))
    with (staged / FRAMES_FILE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with (staged / CLASSES_FILE).open("w", newline="", encoding="utf-8") as stream:
        numbers = csv.writer(stream, lineterminator="\n")
        numbers.writerow(["target", "label"])
        numbers.writerows(enumerate(dataset.classes))


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
