"""What a version answered for each held-out frame: a table beside its card, so that mistakes can be looked at.

Runs that each held out another part of a set are judged together from these tables.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.contracts.errors import ConfigurationError
from services.domain.classes import NO_DEFECT
from services.trainer.frames import LabelledFrame

ANSWERS_FILE = "held_out.csv"
_COLUMNS = ("image_path", "coil", "label", "called", "called_defect", "confidence")


@dataclass(frozen=True, slots=True)
class Answer:
    """One held-out frame and the answer to it.

    Attributes:
        image_path: Path relative to the image directory.
        coil: The group that was held out whole.
        label: True class.
        called: The served answer.
        called_defect: The most probable class when `no_defect` is left out.
        confidence: Calibrated probability of `called`, 0 to 1.
    """

    image_path: str
    coil: str
    label: str
    called: str
    called_defect: str
    confidence: float


def answers_text(
    frames: Sequence[LabelledFrame], probabilities: npt.NDArray[np.floating], labels: Sequence[str]
) -> str:
    """Return the table as CSV, one row per frame.

    Args:
        frames: The held-out frames.
        probabilities: What the served model says of them, [n, classes].
        labels: Class names in output order.
    """
    defects = np.array([index for index, name in enumerate(labels) if name != NO_DEFECT])
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for frame, row in zip(frames, probabilities, strict=True):
        called, best_defect = int(row.argmax()), int(defects[row[defects].argmax()])
        rows.writerow(
            (frame.image_path, frame.coil, labels[frame.label], labels[called], labels[best_defect],
             f"{row[called]:.4f}")
        )  # fmt: skip
    return text.getvalue()


def read_answers(version_dir: Path) -> list[Answer]:
    """Read the table of a published version.

    Raises:
        ConfigurationError: It is missing or not such a table.
    """
    file = version_dir / ANSWERS_FILE
    try:
        with file.open(newline="", encoding="utf-8") as stream:
            return [
                Answer(
                    row["image_path"],
                    row["coil"],
                    row["label"],
                    row["called"],
                    row["called_defect"],
                    float(row["confidence"]),
                )
                for row in csv.DictReader(stream)
            ]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"The answers {file} cannot be read ({error}): train the version again with this release."
        ) from error
