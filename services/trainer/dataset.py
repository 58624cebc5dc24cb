"""A labelled set of images as users bring it: class numbers or names in a CSV, or a folder per class."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.domain.classes import DEFECT_CLASSES

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff"})
USUAL_GROUP = "coil"
_LABELS = ("label", "target")
_MAX_IMAGES = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled image.

    Attributes:
        image_path: Relative to the set's directory.
        label: Name of its class.
        group: What must not stand on both sides of a split, such as a coil; None when unknown.
        extras: Further columns of the CSV.
    """

    image_path: str
    label: str
    group: str | None
    extras: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dataset:
    """All labelled images of a directory."""

    directory: Path
    entries: tuple[Entry, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that occur, sorted."""
        return tuple(sorted({entry.label for entry in self.entries}))

    @property
    def has_groups(self) -> bool:
        """Whether every image says which group it belongs to."""
        return all(entry.group is not None for entry in self.entries)


def read_dataset(directory: Path, csv_file: Path | None, group_columns: Sequence[str] = ()) -> Dataset:
    """Read a set from a CSV (`image_path` and `target` or `label`), or from one folder per class.

    Class numbers are named after the folder that their images lie in; without folders they are the nominal numbers
    of the steel-strip set.

    Args:
        directory: The images.
        csv_file: The labels; None for one folder per class.
        group_columns: Columns whose values together name the group; `coil` is used when it is there.

    Raises:
        ConfigurationError: The directory or the CSV cannot be used.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"The image directory {directory} does not exist.")
    entries = _from_folders(directory) if csv_file is None else _from_csv(csv_file, group_columns)
    if not entries:
        raise ConfigurationError(
            f"No labelled image was found in {csv_file or directory}: give a CSV with image_path and target,"
            " or one folder of images per class."
        )
    if len(entries) > _MAX_IMAGES:
        raise ConfigurationError(f"{len(entries):,} images are too many at once: the limit is {_MAX_IMAGES:,}.")
    return Dataset(directory, tuple(entries))


def class_names(csv_file: Path) -> tuple[str, ...]:
    """Return the names of the classes in a CSV, sorted.

    Raises:
        ConfigurationError: The CSV cannot be used.
    """
    return tuple(sorted({entry.label for entry in _from_csv(csv_file, ())}))


def _from_folders(directory: Path) -> list[Entry]:
    return [
        Entry(str(path.relative_to(directory)), folder.name, None, {})
        for folder in sorted(directory.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    ]


def _from_csv(csv_file: Path, group_columns: Sequence[str]) -> list[Entry]:
    try:
        with csv_file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"The CSV file {csv_file} cannot be read: {error}.") from error
    label_column = next((name for name in _LABELS if name in columns), None)
    if "image_path" not in columns or label_column is None:
        raise ConfigurationError(
            f"The CSV file {csv_file} needs the columns image_path and target (or label);"
            f" it has {', '.join(columns) or 'none'}."
        )
    missing = [name for name in group_columns if name not in columns]
    if missing:
        raise ConfigurationError(
            f"The CSV file {csv_file} has no column {missing[0]!r}: it has {', '.join(columns)}."
        )
    groups = list(group_columns) or ([USUAL_GROUP] if USUAL_GROUP in columns else [])
    names = _names_of_numbers(rows, label_column, csv_file)
    kept = [name for name in columns if name not in {"image_path", label_column}]
    return [
        Entry(
            row["image_path"],
            names.get(row[label_column], row[label_column]),
            "/".join(row[name] or "" for name in groups) if groups else None,
            {name: row[name] or "" for name in kept},
        )
        for row in rows
    ]


def _names_of_numbers(rows: Sequence[Mapping[str, str]], column: str, csv_file: Path) -> Mapping[str, str]:
    """Class names for class numbers; empty when the labels are names already."""
    for number, row in enumerate(rows, start=2):
        if not row["image_path"] or not row[column]:
            raise ConfigurationError(f"{csv_file}, line {number}: image_path and {column} must not be empty.")
    if not all(row[column].isdecimal() for row in rows):
        return {}
    folders: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        folders[row[column]].add(Path(row["image_path"]).parent.name)
    named = {number: next(iter(found)) for number, found in folders.items() if len(found) == 1}
    if len(named) == len(folders) == len(set(named.values())) and all(named.values()):
        return named
    unknown = sorted({number for number in folders if int(number) >= len(DEFECT_CLASSES)}, key=int)
    if unknown:
        raise ConfigurationError(
            f"{csv_file}: class number {unknown[0]} has no name: write class names into a column 'label'."
        )
    return {number: DEFECT_CLASSES[int(number)] for number in folders}
