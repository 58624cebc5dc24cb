"""How a scenario's classes are mixed up: evenly, by a matrix, or as a real model does (CSV)."""

import csv
from pathlib import Path

import numpy as np

from services.contracts.errors import ConfigurationError
from services.domain.classes import NO_DEFECT
from services.domain.simulation.scenario import PROTOCOL_DIAGONAL, Floats, spread_confusion
from services.simulator.scenario_entries import ConfusionEntry


def confusion_of(entry: ConfusionEntry, classes: tuple[str, ...], folder: Path) -> Floats:
    """Return the (C, C) confusion that a scenario asks for; a CSV's path is relative to `folder`.

    Raises:
        ValueError: More than one kind is given, or sizes do not fit; one sentence.
        ConfigurationError: The CSV is not readable, see `read_confusion`.
    """
    given = [name for name in ("diagonal", "matrix", "csv") if getattr(entry, name) is not None]
    if len(given) > 1:
        raise ValueError(f"confusion: give only one of {' and '.join(given)}")
    if entry.matrix is not None:
        if any(len(row) != len(classes) for row in entry.matrix) or len(entry.matrix) != len(classes):
            raise ValueError(f"confusion, matrix: it needs {len(classes)} rows of {len(classes)} shares")
        return np.array(entry.matrix, dtype=np.float64)
    if entry.csv is not None:
        return read_confusion(folder / entry.csv, classes)
    diagonal = entry.diagonal
    if diagonal is None:
        right = PROTOCOL_DIAGONAL if len(classes) == len(PROTOCOL_DIAGONAL) else (0.8,) * len(classes)
    else:
        right = diagonal if isinstance(diagonal, tuple) else (diagonal,) * len(classes)
    if len(right) != len(classes):
        raise ValueError(f"confusion, diagonal: {len(right)} shares for {len(classes)} classes")
    return spread_confusion(right)


def read_confusion(path: Path, classes: tuple[str, ...]) -> Floats:
    """Read the confusion of a real model: counts or shares, a row per true class and a column per label.

    The header names the labels behind an empty or any first field; each row begins with its true class. A column
    `no_defect` counts what was missed; a row `no_defect` is left out.

    Returns:
        (C, C) shares; what a row lacks to 1 was called `no_defect`.

    Raises:
        ConfigurationError: The file cannot be read, a class is missing or a field is no count; one sentence.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header, *rows = [row for row in csv.reader(file) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"confusion {path} cannot be read: {error}") from error
    by_class = {row[0].strip(): dict(zip((name.strip() for name in header), row, strict=False)) for row in rows}
    confusion = np.zeros((len(classes), len(classes)))
    for index, true in enumerate(classes):
        if true not in by_class:
            raise ConfigurationError(f"confusion {path}: no row of class {true!r}")
        try:
            counts = [float(by_class[true].get(label, "")) for label in classes]
            missed = float(by_class[true].get(NO_DEFECT, "0"))
        except ValueError as error:
            raise ConfigurationError(
                f"confusion {path}, row {true!r}: it needs a number for every class"
            ) from error
        total = sum(counts) + missed
        if total <= 0 or min(*counts, missed) < 0:
            raise ConfigurationError(f"confusion {path}, row {true!r}: counts must not be negative nor all 0")
        confusion[index] = np.array(counts) / total
    return confusion
