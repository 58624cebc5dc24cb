"""What a grade is worth, and which machines answer for the money and the metres when it is not the best one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from services.domain.grading import Grade, GradedDefect, MissedGrade
from services.domain.material import PriceList, Unit

UNATTRIBUTED: Final = "unattributed"
"""Takes the share of a loss that no machine answers for."""

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class MachineLoss:
    """A machine's part of a quality loss: its share (0 to 1), the metres and the money; None: no price."""

    share: float
    metres: float
    money: float | None


@dataclass(frozen=True, slots=True)
class QualityLoss:
    """What a coil or sheet lost by not reaching the best grade.

    Attributes:
        metres: Metres that are not of the best grade: all of them, or none.
        money: Value at the best grade's price minus value at the given grade's; None: no price.
        currency: ISO 4217 code; None: no price.
        by_machine: Machine id, or `unattributed`, -> its part; empty when nothing was lost.
    """

    metres: float
    money: float | None
    currency: str | None
    by_machine: Mapping[str, MachineLoss]


def price(grade_name: str, length_m: float, unit: Unit, prices: PriceList) -> float:
    """Return what a coil of `length_m`, or one sheet, is worth in the currency of the list.

    Raises:
        KeyError: The list has no such grade.
    """
    return prices.by_grade[grade_name] * (1.0 if unit is Unit.SHEET else length_m)


def quality_loss(graded: Grade, length_m: float, prices: PriceList | None) -> QualityLoss:
    """Return what was lost against the best grade, and share it out over the machines.

    The loss is taken grade by grade: the step from one grade's price to the next lower one is borne, in equal
    parts, by the defects that broke a limit of the better grade; each defect hands its part on to its causes. The
    steps add up to the whole. Without a price (or where the price does not fall) all steps weigh the same.

    Args:
        graded: From `grade`; its defects carry their causes.
        length_m: Metres of the coil or sheet, inspected or not.
        prices: The list of the day; None: no price.
    """
    names = [*(each.name for each in graded.missed), graded.name]
    values = None if prices is None else [price(each, length_m, graded.unit, prices) for each in names]
    money = None if values is None else values[0] - values[-1]
    currency = None if prices is None else prices.currency
    if not graded.missed:
        return QualityLoss(0.0, money, currency, {})
    steps = [1.0] * graded.rank
    if values is not None and values[0] > values[-1]:
        steps = [max(0.0, better - worse) for better, worse in pairwise(values)]
    shares: dict[str, float] = defaultdict(float)
    for missed, step in zip(graded.missed, steps, strict=True):
        for machine_id, share in _blame(missed).items():
            shares[machine_id] += share * step / sum(steps)
    parts = {
        machine_id: MachineLoss(share, share * length_m, None if money is None else share * money)
        for machine_id, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    }
    return QualityLoss(length_m, money, currency, parts)


def defective_metres(defects: Iterable[GradedDefect]) -> dict[str, float]:
    """Return machine id (or `unattributed`) -> metres of defects, each defect's length shared out by its causes.

    Metres where defects of two classes overlap count for both; join runs first (`merge_runs`).
    """
    metres: dict[str, float] = defaultdict(float)
    for defect in defects:
        for machine_id, probability in _causes(defect).items():
            metres[machine_id] += probability * defect.length_m
    return dict(metres)


def quality_loss_share(defective_m: float, baseline_m: float, total_m: float) -> float:
    """Return a machine's excess defective metres / total metres: its part of the Q of OEE, 0 or more.

    Args:
        defective_m: Metres of its defects, see `defective_metres`.
        baseline_m: Metres of defects that it makes over the same length when nothing is wrong with it.
        total_m: Metres inspected.

    Raises:
        ValueError: Nothing was inspected.
    """
    if not total_m > 0:
        raise ValueError(f"{total_m} m were inspected: a share of nothing is not known")
    return max(0.0, defective_m - baseline_m) / total_m


def _blame(missed: MissedGrade) -> dict[str, float]:
    """Share 1 out over the causes of all defects that broke a limit, each defect alike and once."""
    guilty = {id(each): each for breach in missed.breaches for each in breach.defects}
    blame: dict[str, float] = defaultdict(float)
    for defect in guilty.values():
        for machine_id, probability in _causes(defect).items():
            blame[machine_id] += probability / len(guilty)
    return blame


def _causes(defect: GradedDefect) -> dict[str, float]:
    causes = {machine_id: each for machine_id, each in defect.causes.items() if each > 0}
    rest = 1.0 - sum(causes.values())
    return causes | {UNATTRIBUTED: rest + causes.get(UNATTRIBUTED, 0.0)} if rest > _ROUNDING else causes
