"""Writes what people said about frames as a data set that `train` takes, alone or added to another set."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.domain.review import ReviewedFrame
from services.trainer.dataset import USUAL_GROUP, Dataset

FRAMES_FILE = "frames.csv"
MANIFEST_FILE = "reviews.json"
_IMAGES, _BASE = "reviewed", "base"
_COLUMNS = ("image_path", "label", USUAL_GROUP)
_SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png"}


@dataclass(frozen=True, slots=True)
class WrittenReviews:
    """What was written: the data set's version, images by class of the answers, and images of the base."""

    version: str
    answers: Mapping[str, int]
    corrected: int
    base_images: int


def write_reviews(frames: Iterable[ReviewedFrame], directory: Path, base: Dataset | None = None) -> WrittenReviews:
    """Write images, `frames.csv` and a manifest into a new directory, which appears when it is complete.

    Args:
        frames: Reviewed frames; the answer becomes the label.
        directory: Must not exist yet.
        base: A set whose images and further columns (such as boxes) go in as well.

    Raises:
        ConfigurationError: The directory exists or cannot be written, an image of the base is missing, or there is
            nothing to write.
    """
    if directory.exists():
        raise ConfigurationError(f"{directory} exists already: name a new directory.")
    part = directory.with_name(f".{directory.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        (part / _IMAGES).mkdir(parents=True)
        rows, answers, corrected = _write_answers(frames, part)
        if not rows:
            raise ConfigurationError(
                "Nobody has answered a frame of this kind yet: answer some in the dashboard's review queue."
            )
        base_rows = _copy_base(base, part) if base else []
        text = _write_csv([*rows, *base_rows], part / FRAMES_FILE)
        version = hashlib.sha256(text.encode()).hexdigest()[:12]
        manifest = {"version": version, "answers": dict(sorted(answers.items())), "corrected": corrected,
                    "base_images": len(base_rows)}  # fmt: skip
        (part / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        part.replace(directory)
    except OSError as error:
        raise ConfigurationError(f"{directory} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return WrittenReviews(version, answers, corrected, len(base_rows))


def _write_answers(frames: Iterable[ReviewedFrame], part: Path) -> tuple[list[dict[str, str]], Counter[str], int]:
    rows: list[dict[str, str]] = []
    answers: Counter[str] = Counter()
    corrected = 0
    for frame in frames:
        name = f"{_IMAGES}/{frame.frame_id}{_SUFFIXES.get(frame.image[:2], '.jpg')}"
        (part / name).write_bytes(frame.image)
        rows.append(
            {
                "image_path": name,
                "label": frame.answer,
                USUAL_GROUP: frame.group,
                "camera": frame.camera_id,
                "captured_at": frame.captured_at.isoformat(),
                "model": f"{frame.model_name}@{frame.model_version}",
                "said": frame.said_class,
                "said_confidence": f"{frame.said_confidence:.4f}",
                "sha256": hashlib.sha256(frame.image).hexdigest(),
            }
        )
        answers[frame.answer] += 1
        corrected += frame.answer != frame.said_class
    return rows, answers, corrected


def _copy_base(base: Dataset, part: Path) -> list[dict[str, str]]:
    rows = []
    for entry in base.entries:
        source, target = base.directory / entry.image_path, part / _BASE / entry.image_path
        if ".." in Path(entry.image_path).parts or not source.is_file():
            raise ConfigurationError(f"The image {source} of the base set is missing.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        name = f"{_BASE}/{entry.image_path}"
        own = {"image_path": name, "label": entry.label, USUAL_GROUP: entry.group or name}
        rows.append({**entry.extras, **own})
    return rows


def _write_csv(rows: Sequence[Mapping[str, str]], file: Path) -> str:
    columns = list(dict.fromkeys([*_COLUMNS, *(name for row in rows for name in row)]))
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return file.read_text(encoding="utf-8")
