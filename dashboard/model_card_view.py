"""Reads a model card for the page: a part that a card does not hold is left out, never guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard.correlation_view import HeatCell
from dashboard.model_rows import VersionRow
from dashboard.overview import Cell
from dashboard.words import class_word, clean, number, percent, percent_range, plain

SETS: Final = (
    "coil_grouped_hold_out",
    "coil_grouped_hold_out_defects_only",
    "coil_grouped_folds",
    "random_split",
    "random_split_defects_only",
    "rendered_frames",
)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy and loss of an epoch on augmented training batches."""

    epoch: int
    accuracy: float
    loss: float
    image_px: int


@dataclass(frozen=True, slots=True)
class ReliabilityPoint:
    """Share of right answers among answers of a confidence."""

    confidence: float
    right: float
    n: int


def version_key(row: VersionRow) -> str:
    """Return the version's name in the address of the page, as commands take it."""
    return f"{row.name}@{row.version}"


def part(card: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return a part of a card, empty where the card has none."""
    found: object = card
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def share(given: Mapping[str, Any]) -> str:
    """Return a share with its interval and number, a dash where it was not measured."""
    value, interval = given.get("value"), given.get("wilson95")
    if not isinstance(value, int | float):
        return "–"
    low, high = interval if isinstance(interval, Sequence) else (value, value)
    return plain(
        "model.share", value=percent(value), range=percent_range((float(low), float(high))), n=given.get("n", "?")
    )


def accuracy_table(card: Mapping[str, Any]) -> list[dict[str, Cell]]:
    """Return a row for each set of frames: both accuracies, always named; not measured is said so."""
    rows: list[dict[str, Cell]] = []
    for name in SETS:
        report = part(card, "figures", name)
        ece = report.get("ece")
        f1 = report.get("macro_f1")
        rows.append(
            {
                plain("table.set"): plain(f"model.set.{name}"),
                plain("table.top1"): share(_top1(report)) if report else plain("model.not_measured"),
                plain("table.macro_f1"): number(f1, 3) if isinstance(f1, int | float) else "–",
                plain("table.ece"): percent(ece) if isinstance(ece, int | float) else "–",
            }
        )
    return rows


def _top1(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return top-1 with its interval by coil where the card has one, which is the wider one."""
    top1, by_coil = part(report, "top1"), report.get("top1_bootstrap95_by_coil")
    return top1 if by_coil is None else {**top1, "wilson95": by_coil}


def recall_of(card: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the recall of each class on held-out coils."""
    classes = part(card, "figures", SETS[0], "per_class")
    return {str(name): part(classes, str(name), "recall") for name in classes}


def recall_table(one: VersionRow, other: VersionRow | None) -> list[dict[str, Cell]]:
    """Return the recall of each class, of two versions side by side when there are two."""
    mine, theirs = recall_of(one.card), recall_of(other.card) if other else {}
    rows: list[dict[str, Cell]] = []
    for name in dict.fromkeys([*mine, *theirs]):
        row: dict[str, Cell] = {
            plain("table.defect"): class_word(clean(name)),
            clean(version_key(one)): share(mine.get(name, {})),
        }
        if other is not None:
            row[clean(version_key(other))] = share(theirs.get(name, {}))
        rows.append(row)
    return rows


def curve(card: Mapping[str, Any]) -> list[CurvePoint]:
    """Return the training curve, empty where the card has none."""
    epochs = part(card, "training").get("epochs")
    return [
        CurvePoint(int(each["epoch"]), float(each["accuracy"]), float(each["loss"]), int(each.get("image_px", 0)))
        for each in (epochs if isinstance(epochs, list) else [])
        if {"epoch", "accuracy", "loss"} <= set(each)
    ]


def confusion(card: Mapping[str, Any]) -> list[HeatCell]:
    """Return the confusion matrix: share of a true class (row) that was called a class (column)."""
    given = part(card, "figures", "confusion")
    labels, rows = given.get("labels"), given.get("rows_true")
    if not isinstance(labels, list) or not isinstance(rows, list):
        return []
    return [
        HeatCell(
            place, class_word(clean(true)), class_word(clean(called)), count / max(1, sum(row)),
            plain("model.confused", count=count, all=sum(row)),
        )
        for place, (true, row) in enumerate(zip(labels, rows, strict=False))
        for called, count in zip(labels, row, strict=False)
        if sum(row)
    ]  # fmt: skip


def reliability(card: Mapping[str, Any]) -> list[ReliabilityPoint]:
    """Return how often answers of a confidence were right, empty where the card does not say."""
    bins = part(card, "figures").get("reliability")
    return [
        ReliabilityPoint(float(each["confidence"]), float(each["right"]), int(each["n"]))
        for each in (bins if isinstance(bins, list) else [])
    ]


def limits(card: Mapping[str, Any]) -> list[str]:
    """Return the sentences in which the card states its limits."""
    found = card.get("limits")
    return [str(each) for each in found] if isinstance(found, list) else []
