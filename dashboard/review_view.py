"""Turns rows of the review queue into words and tables, and the next frame to look at."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from dashboard.overview import Cell
from dashboard.review_rows import ClassAnswers, FramePicture, QueuedFrame, QueueSnapshot
from dashboard.words import class_word, clean, percent, plain
from dashboard.writing import Answer
from services.domain.classes import NO_DEFECT

QUEUE_COLUMNS: Final = (
    "frame_id", "captured_at", "line_id", "machine_id", "camera_id", "coil_id", "model_name", "model_version",
    "defect_class", "confidence", "unsure", "disagreed", "flagged",
)  # fmt: skip
WHYS: Final = ("", "unsure", "disagreed", "flagged")
_KEYS: Final = "1234567890"
_LIKELIEST: Final = 3


def figures(found: QueueSnapshot, most: int = 200) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    answered = sum(each.answered for each in found.answers)
    told = answered - sum(each.unclear for each in found.answers)
    waiting = len(found.frames)
    return {
        "review_waiting": f"{waiting}+" if waiting >= most else str(waiting),
        "review_answered": str(answered),
        "review_agreed": percent(sum(each.confirmed for each in found.answers) / told) if told else "–",
    }


def next_frame(
    frames: Sequence[QueuedFrame], looked_at: UUID | None, later: Collection[UUID]
) -> QueuedFrame | None:
    """Return the frame that is being looked at while it waits, else the first that was not put off."""
    by_id = {frame.frame_id: frame for frame in frames}
    if looked_at in by_id:
        return by_id[looked_at]
    return next((frame for frame in frames if frame.frame_id not in later), None)


def reasons(frame: QueuedFrame) -> list[str]:
    """Return why a person should look, in words."""
    given = {"unsure": frame.unsure, "disagreed": frame.disagreed, "flagged": frame.flagged}
    return [plain(f"review.why.{name}") for name, holds in given.items() if holds]


def choices(frame: QueuedFrame, picture: FramePicture) -> list[tuple[str, str]]:
    """Return the classes to choose from with a key each: always in the same order, 'no defect' last.

    A class keeps its key from frame to frame, so that hands learn it; classes after the tenth have none.
    """
    labels = picture.labels or sorted({*picture.probabilities, frame.defect_class, NO_DEFECT})
    keys = [*_KEYS, *[""] * max(0, len(labels) - len(_KEYS))]
    ordered = [*(name for name in labels if name != NO_DEFECT)]
    chosen = list(zip(ordered, keys, strict=False))
    return [*chosen, (NO_DEFECT, "N")] if NO_DEFECT in labels else chosen


def likeliest(picture: FramePicture) -> str:
    """Return the most probable classes with their probability in one line."""
    best = sorted(picture.probabilities.items(), key=lambda item: -item[1])[:_LIKELIEST]
    return clean(", ".join(f"{class_word(name)} {percent(share)}" for name, share in best))


def queue_table(frames: Sequence[QueuedFrame]) -> list[dict[str, Cell]]:
    """Return a row for each waiting frame."""
    return [
        {
            plain("table.camera"): clean(each.camera_id),
            plain("table.defect"): class_word(clean(each.defect_class)),
            plain("table.sure"): percent(each.confidence),
            plain("table.coil"): clean(each.coil_id or "–"),
            plain("table.why"): ", ".join(reasons(each)),
        }
        for each in frames
    ]


def answer_table(answers: Sequence[ClassAnswers]) -> list[dict[str, Cell]]:
    """Return how often people agreed with the model, by what it had said."""
    return [
        {
            plain("table.said"): class_word(clean(each.said_class)),
            plain("table.answered"): each.answered,
            plain("table.confirmed"): each.confirmed,
            plain("table.corrected"): each.answered - each.confirmed - each.unclear,
            plain("table.unclear"): each.unclear,
        }
        for each in answers
    ]


def answer_of(frame: QueuedFrame, defect_class: str | None) -> Answer:
    """Return the answer that this frame shows a class, None for one that cannot be told."""
    return Answer(frame.frame_id, frame.captured_at, frame.model_name, frame.model_version, defect_class)
