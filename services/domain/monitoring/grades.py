"""What a coil is worth, and who is to answer for the difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.domain.grading import GradedDefect, grade, merge_runs
from services.domain.material import MaterialPack
from services.domain.monitoring.engine import CoilOutcome
from services.domain.monitoring.frame import MonitorFrame
from services.domain.quality_loss import defective_metres, price, quality_loss


@dataclass(frozen=True, slots=True)
class CoilJudgement:
    """Grade and price of one coil.

    Attributes:
        grade: Name; None when nobody looked or the material has but one grade.
        reason: Why this grade and no better one.
        price: Of the coil; None without a price list for the day.
        loss: Money lost to the best grade, by group id or 'unattributed'; `loss_m` metres of defective strip.
    """

    grade: str | None
    reason: str | None
    price: float | None
    currency: str | None
    loss: Mapping[str, float]
    loss_m: Mapping[str, float]


def judge_coil(outcome: CoilOutcome, frame: MonitorFrame, pack: MaterialPack) -> CoilJudgement:
    """Grade and price a coil by its defects; landmarks and false alarms are none."""
    coil = outcome.coil
    inspected_m = float(coil.looked_m[coil.looked.any(axis=1)].sum())
    if len(pack.rules.grades) < 2 or inspected_m <= 0:  # noqa: PLR2004 - one grade grades nothing
        return CoilJudgement(None, None, None, None, {}, {})
    defects = merge_runs(_defects(outcome, frame), pack.merge_gap_m)
    graded = grade(defects, inspected_m, pack.rules)
    prices = pack.prices_at(datetime.fromtimestamp(coil.start_s, UTC))
    lost = quality_loss(graded, coil.length_m, prices)
    return CoilJudgement(
        grade=graded.name,
        reason=graded.reason,
        price=None if prices is None else price(graded.name, coil.length_m, graded.unit, prices),
        currency=lost.currency,
        loss={name: each.money for name, each in lost.by_machine.items() if each.money is not None},
        loss_m=defective_metres(defects),
    )


def _defects(outcome: CoilOutcome, frame: MonitorFrame) -> list[GradedDefect]:
    """Return what is more likely a defect than a false alarm, with the groups that may have made it."""
    reading, coil = outcome.standing.reading, outcome.coil
    born = reading.detection.born
    names = [group.group_id for group in frame.layout.groups]
    length_m = float(coil.pitch_m.max())
    found = []
    for defect in np.flatnonzero(reading.detection.false < 1 / 2):
        by_group = born[defect].sum(axis=1)
        defect_class = frame.classes[int(born[defect].sum(axis=0).argmax())]
        place = float(coil.place_m[reading.rows[defect]])
        causes = {name: float(weight) for name, weight in zip(names, by_group, strict=True) if weight > 0}
        found.append(GradedDefect(defect_class, place, length_m, causes))
    return found
