"""Turns rows of the model page into words, tables and the measure of drift."""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from dashboard.model_card_view import part, share, version_key
from dashboard.model_rows import Comparison, Drift, TwoVerdicts, VersionRow
from dashboard.overview import Cell
from dashboard.words import class_word, clean, clock, number, percent, plain, zone

VERSION_COLUMNS: Final = ("name", "version", "sha256", "registered_at", "frames", "last_at")
COUNT_COLUMNS: Final = ("camera_id", "defect_class", "now", "before")
LEAST_FRAMES: Final = 200
"""With fewer frames in one of the two spans a stability index is noise."""
WATCH, MOVED = 0.1, 0.25
_SMALLEST: Final = 1e-4


def figures(row: VersionRow) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    report = part(row.card, "figures", "coil_grouped_hold_out")
    top1 = part(report, "top1").get("value")
    f1 = report.get("macro_f1")
    return {
        "model_version": clean(version_key(row)),
        "model_frames": number(row.frames, 0),
        "model_top1": percent(top1) if isinstance(top1, int | float) else "–",
        "model_macro_f1": number(f1, 2) if isinstance(f1, int | float) else "–",
    }


def version_table(rows: Sequence[VersionRow]) -> list[dict[str, Cell]]:
    """Return a row for each version."""
    return [
        {
            plain("table.version"): clean(version_key(row)),
            plain("table.trained"): clean(row.card.get("date", "–")),
            plain("table.frames_24h"): row.frames,
            plain("table.newest"): clock(row.last_at, zone("UTC")),
            plain("table.top1"): share(part(row.card, "figures", "coil_grouped_hold_out", "top1")),
            plain("table.clean_called"): share(
                part(row.card, "figures", "no_defect_gate", "clean_windows_called_a_defect")
            ),
        }
        for row in rows
    ]


def stability_index(now: Sequence[int], before: Sequence[int]) -> float | None:
    """Population stability index of two class mixes: sum of (p - q) ln(p / q), shares of 0 taken as 0.01 %.

    The index of credit scoring (N. Siddiqi, Credit Risk Scorecards, 2006): below 0.1 stable, above 0.25 moved.

    Returns:
        None with fewer than `LEAST_FRAMES` frames on a side.
    """
    if min(sum(now), sum(before)) < LEAST_FRAMES:
        return None
    index = 0.0
    for mine, theirs in zip(now, before, strict=True):
        p, q = max(mine / sum(now), _SMALLEST), max(theirs / sum(before), _SMALLEST)
        index += (p - q) * math.log(p / q)
    return index


def verdict_on(index: float | None) -> str:
    """Return a stability index in words."""
    if index is None:
        return plain("model.drift.few", least=LEAST_FRAMES)
    name = "moved" if index > MOVED else "watch" if index > WATCH else "stable"
    return plain(f"model.drift.{name}")


def drift_table(drift: Drift) -> list[dict[str, Cell]]:
    """Return a row for each camera: its class mix of the newest hour against the day before it."""
    by_camera = defaultdict(list)
    for count in drift.counts:
        by_camera[count.camera_id].append(count)
    rows: list[dict[str, Cell]] = []
    for camera_id, counts in by_camera.items():
        now, before = [each.now for each in counts], [each.before for each in counts]
        index = stability_index(now, before)
        largest = max(
            counts, key=lambda each: abs(each.now / max(1, sum(now)) - each.before / max(1, sum(before)))
        )
        rows.append(
            {
                plain("table.camera"): clean(camera_id),
                plain("table.frames_1h"): sum(now),
                plain("table.psi"): "–" if index is None else number(index, 2),
                plain("table.verdict"): verdict_on(index),
                plain("table.most_changed"): "–"
                if index is None
                else plain(
                    "model.drift.from_to",
                    defect=class_word(largest.defect_class),
                    before=percent(largest.before / max(1, sum(before))),
                    now=percent(largest.now / max(1, sum(now))),
                ),
            }
        )
    return rows


def agreement_sentence(found: Comparison, one: VersionRow, other: VersionRow) -> str:
    """Return how two versions agree on recorded frames, and which of them people found right."""
    agreed = found.agreement
    said = plain("model.agree", same=agreed.same, frames=agreed.frames, share=percent(agreed.same / agreed.frames))
    if agreed.answered:
        said += " " + plain(
            "model.agree.people", answered=agreed.answered, one=version_key(one), one_right=agreed.one_right,
            other=version_key(other), other_right=agreed.other_right,
        )  # fmt: skip
    return said


def verdicts_of(frame: TwoVerdicts, one: VersionRow, other: VersionRow) -> list[str]:
    """Return what each version, and a person if any, says of a frame."""
    said = [
        plain("model.says", who=version_key(one), defect=class_word(frame.one_class),
              confidence=percent(frame.one_confidence)),
        plain("model.says", who=version_key(other), defect=class_word(frame.other_class),
              confidence=percent(frame.other_confidence)),
    ]  # fmt: skip
    return said if frame.answer is None else [*said, plain("model.person", defect=class_word(frame.answer))]
