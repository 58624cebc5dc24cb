"""Grades of coils and sheets: the first grade whose limits all hold, and the limit that decided, in words.

What a grade is worth, and whose fault a worse one is: `quality_loss`. Coil-change marks are no defects: leave them
out before grading (`Landmarks.covers`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from services.domain.material import GradeRules, Limit, Unit

_METRES_COUNTED: Final = 100.0
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class GradedDefect:
    """One physical defect of a coil or sheet.

    Attributes:
        defect_class: Its class.
        position_m: Its middle, along the strip.
        length_m: Its length along the strip, 0 or more.
        causes: Machine id -> probability that this machine made it; what is missing to 1 is unattributed.
    """

    defect_class: str
    position_m: float
    length_m: float
    causes: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: A length below 0, a place that is no number, or probabilities below 0 or above 1 in sum.
        """
        if not (isfinite(self.position_m) and isfinite(self.length_m) and self.length_m >= 0):
            raise ValueError(f"a {self.defect_class} at {self.position_m} m cannot be {self.length_m} m long")
        if any(not each >= 0 for each in self.causes.values()) or sum(self.causes.values()) > 1 + 1e-6:
            raise ValueError(f"the causes of a {self.defect_class} are no probabilities: {dict(self.causes)}")

    @property
    def span_m(self) -> tuple[float, float]:
        """Start and end along the strip."""
        return self.position_m - self.length_m / 2, self.position_m + self.length_m / 2


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that did not hold.

    Attributes:
        limit: The limit.
        found: Defects per 100 m or per sheet, or the longest defect in metres.
        defects: Those that broke it: all that it counts, or all that are too long.
        unit: What the limit counts per.
    """

    limit: Limit
    found: float
    defects: tuple[GradedDefect, ...]
    unit: Unit

    @property
    def excess(self) -> float:
        """How many times the limit was found; infinite where nothing is allowed."""
        return self.found / self.limit.at_most if self.limit.at_most > 0 else inf

    @property
    def words(self) -> str:
        """The limit and what was found, for people."""
        if self.limit.of_length:
            what = self.limit.defect_class or "defect"
            return f"the longest {what} measures {self.found:.3g} m, {self.limit.at_most:.3g} m is allowed"
        what = self.limit.defect_class or "defects"
        per = "per sheet" if self.unit is Unit.SHEET else "per 100 m"
        return f"{self.found:.3g} {what} {per}, {self.limit.at_most:.3g} allowed"


@dataclass(frozen=True, slots=True)
class MissedGrade:
    """A better grade that was not reached, and every limit of it that did not hold."""

    name: str
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of a coil or sheet.

    Attributes:
        name: The first grade whose limits all hold.
        unit: What is graded.
        missed: All better grades, best first; empty for the best grade.
    """

    name: str
    unit: Unit
    missed: tuple[MissedGrade, ...] = ()

    @property
    def rank(self) -> int:
        """0 for the best grade."""
        return len(self.missed)

    @property
    def deciding(self) -> Breach | None:
        """The limit that kept it from the next better grade: the one exceeded most; None for the best grade."""
        return max(self.missed[-1].breaches, key=lambda each: each.excess) if self.missed else None

    @property
    def reason(self) -> str:
        """Why this grade and no better one, in one sentence for people."""
        decided = self.deciding
        if decided is None:
            return f"{self.name}: all limits of the best grade hold"
        return f"{self.name}, not {self.missed[-1].name}: {decided.words}"


def merge_runs(defects: Iterable[GradedDefect], gap_m: float) -> tuple[GradedDefect, ...]:
    """Join defects of one class with at most `gap_m` of good strip between them into one long defect.

    Causes are averaged over the members, so that a run answers to the machines as its members did.

    Returns:
        In strip order.
    """
    runs: list[list[GradedDefect]] = []
    end_m = -inf
    for each in sorted(defects, key=lambda defect: (defect.defect_class, defect.span_m)):
        start_m, its_end_m = each.span_m
        if runs and runs[-1][0].defect_class == each.defect_class and start_m - end_m <= gap_m:
            runs[-1].append(each)
            end_m = max(end_m, its_end_m)
        else:
            runs.append([each])
            end_m = its_end_m
    return tuple(sorted((_joined(run) for run in runs), key=lambda run: (run.position_m, run.defect_class)))


def grade(defects: Sequence[GradedDefect], inspected_length_m: float, rules: GradeRules) -> Grade:
    """Return the first grade whose limits all hold.

    Counts are scaled from the metres really inspected to 100 m, so that a blind camera makes no coil better;
    a sheet's are taken as they are.

    Raises:
        ValueError: Nothing was inspected (no grade is no good grade), or there is no grade without limits.
    """
    if not (isfinite(inspected_length_m) and inspected_length_m > 0):
        raise ValueError(f"{inspected_length_m} m were inspected: what nobody looked at has no grade")
    factor = 1.0 if rules.unit is Unit.SHEET else _METRES_COUNTED / inspected_length_m
    missed: list[MissedGrade] = []
    for rule in rules.grades:
        checked = (_breach(limit, defects, factor, rules.unit) for limit in rule.limits)
        breaches = tuple(each for each in checked if each is not None)
        if not breaches:
            return Grade(rule.name, rules.unit, tuple(missed))
        missed.append(MissedGrade(rule.name, breaches))
    raise ValueError("no grade takes this: the last grade must have no limits")


def _breach(limit: Limit, defects: Sequence[GradedDefect], factor: float, unit: Unit) -> Breach | None:
    counted = tuple(each for each in defects if limit.concerns(each.defect_class))
    if limit.of_length:
        found = max((each.length_m for each in counted), default=0.0)
        counted = tuple(each for each in counted if each.length_m > limit.at_most)
    else:
        found = len(counted) * factor
    return Breach(limit, found, counted, unit) if found > limit.at_most * (1 + _ROUNDING) else None


def _joined(run: Sequence[GradedDefect]) -> GradedDefect:
    start_m = min(each.span_m[0] for each in run)
    end_m = max(each.span_m[1] for each in run)
    causes: dict[str, float] = defaultdict(float)
    for each in run:
        for machine_id, probability in each.causes.items():
            causes[machine_id] += probability / len(run)
    return GradedDefect(run[0].defect_class, (start_m + end_m) / 2, end_m - start_m, dict(causes))
