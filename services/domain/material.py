"""What a material knows: its defect classes and whom they point to, coil-change marks, grades, prices, advice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.domain.topology import Machine

GENERIC: Final = "generic"
"""Name of the pack that serves materials without one of their own: no marks, flat priors, one grade, no price."""

GENERAL_ADVICE: Final = "Inspect the machine: nothing is known about this class of defect."


class Unit(StrEnum):
    """What is sold, graded and counted."""

    METRE = "metre"
    """A coil, by the metre: limits count per 100 m, prices are per metre."""

    SHEET = "sheet"
    """A sheet or panel: limits count per sheet, prices are per sheet."""


@dataclass(frozen=True, slots=True)
class ClassProfile:
    """One class of defect.

    Attributes:
        name: As the model calls it.
        label_en: For people, in English.
        label_de: For people, in German.
        advice: What maintenance does about it, in the imperative.
        advice_by_kind: The same where it differs by the kind of machine that is suspected.
        priors: Kind of machine -> relative weight of suspicion before anything is seen.
        other_machines: Weight of every kind that `priors` does not name; above 0: no machine is beyond suspicion.
        failure_mode: How the machine fails, with its code in the sense of ISO 14224 (annex B), e.g. PDE.
        damage_code: Failure mechanism in the sense of ISO 14224 (annex B), e.g. "2.4 wear".
        scrap: One such defect holds the coil or sheet, unless it is a coil-change mark.
        typical_rate_per_km: Defects per km of strip from each sound machine, until the line's own rate is learnt.
    """

    name: str
    label_en: str
    label_de: str
    advice: str = GENERAL_ADVICE
    advice_by_kind: Mapping[str, str] = field(default_factory=dict)
    priors: Mapping[str, float] = field(default_factory=dict)
    other_machines: float = 1.0
    failure_mode: str = "UNK unknown"
    damage_code: str = "6.4 unknown"
    scrap: bool = False
    typical_rate_per_km: float = 1.0


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Marks of a coil change: they segment coils and synchronise cameras, and never point to a machine.

    Attributes:
        always: Classes that are a mark wherever they stand (the weld).
        beside: Classes that are a mark only near one of `always` (tracking hole, notch).
        beside_m: How near, in metres along the strip, to either side.
    """

    always: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    beside_m: float = 0.0

    def covers(self, defect_class: str, weld_distance_m: float | None) -> bool:
        """Tell whether a defect is a coil-change mark.

        Args:
            defect_class: Its class.
            weld_distance_m: Distance to the nearest defect of an `always` class, either sign; None: none is known.
        """
        if defect_class in self.always:
            return True
        return (
            defect_class in self.beside and weld_distance_m is not None and abs(weld_distance_m) <= self.beside_m
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a grade: a count, or the length of the longest defect.

    Attributes:
        at_most: Defects per 100 m (per sheet for `Unit.SHEET`), or metres when `of_length`; equal is allowed.
        defect_class: The class it counts; None: all classes together.
        of_length: It limits the length of each defect instead of their number.
    """

    at_most: float
    defect_class: str | None = None
    of_length: bool = False

    def concerns(self, defect_class: str) -> bool:
        """Tell whether defects of a class count here."""
        return self.defect_class is None or self.defect_class == defect_class


@dataclass(frozen=True, slots=True)
class GradeRule:
    """A grade and all limits that must hold for it; the last grade of a pack has none."""

    name: str
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class GradeRules:
    """Grades from best to worst, and what their limits count per."""

    unit: Unit
    grades: tuple[GradeRule, ...]


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices from a day on.

    Attributes:
        valid_from: First day it holds.
        currency: ISO 4217 code.
        by_grade: Grade -> price of a metre, or of a sheet.
    """

    valid_from: date
    currency: str
    by_grade: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MaterialPack:
    """Everything Millsight has to know about a material that is not in the pictures.

    Attributes:
        name: As in `material:` of a camera.
        title: For people.
        rules: Grades.
        classes: Class name -> profile.
        landmarks: Which classes mark a coil change.
        periodic: Classes that a damaged roll repeats, the likeliest first.
        price_lists: Oldest first; empty: this material has no price.
        merge_gap_m: Defects of one class nearer than this are one long defect, see `grading.merge_runs`.
    """

    name: str
    title: str
    rules: GradeRules
    classes: Mapping[str, ClassProfile] = field(default_factory=dict)
    landmarks: Landmarks = field(default_factory=Landmarks)
    periodic: tuple[str, ...] = ()
    price_lists: tuple[PriceList, ...] = ()
    merge_gap_m: float = 0.0

    def profile(self, defect_class: str) -> ClassProfile:
        """Return what is known of a class; a class the pack does not name gets a neutral profile, flat priors."""
        known = self.classes.get(defect_class)
        if known is not None:
            return known
        label = defect_class.replace("_", " ").capitalize()
        return ClassProfile(defect_class, label, label)

    def unknown(self, classes: Iterable[str]) -> tuple[str, ...]:
        """Return those of a model's classes that this pack does not name, in their order; `generic` knows all."""
        return () if not self.classes else tuple(each for each in classes if each not in self.classes)

    def machine_prior(self, defect_class: str, machines: Iterable[Machine]) -> dict[str, float]:
        """Return machine id -> probability that it made a defect of this class, before anything is seen.

        Every machine gets the weight of its kind; the weights are scaled to sum to 1.

        Raises:
            ValueError: There is no machine.
        """
        profile = self.profile(defect_class)
        weights = {each.id: profile.priors.get(each.kind, profile.other_machines) for each in machines}
        total = sum(weights.values())
        if not total > 0:
            raise ValueError("a prior needs at least one machine with a weight above 0")
        return {machine_id: weight / total for machine_id, weight in weights.items()}

    def advice(self, defect_class: str, machine_kind: str | None = None) -> str:
        """Return what to do about a class, as it reads for a kind of machine; None: the machine is not known."""
        profile = self.profile(defect_class)
        return profile.advice if machine_kind is None else profile.advice_by_kind.get(machine_kind, profile.advice)

    def holds_coil(self, defect_class: str, weld_distance_m: float | None) -> bool:
        """Tell whether one such defect holds the coil: a scrap class that is no coil-change mark.

        Args:
            defect_class: Its class.
            weld_distance_m: See `Landmarks.covers`.
        """
        return self.profile(defect_class).scrap and not self.landmarks.covers(defect_class, weld_distance_m)

    def prices_at(self, day: date) -> PriceList | None:
        """Return the prices of a day (of a moment: its day in its own time zone).

        None before the first list and for a material without any: no price was agreed, which is not a price of 0.
        """
        asked = day.date() if isinstance(day, datetime) else day
        begun = [each for each in self.price_lists if each.valid_from <= asked]
        return max(begun, key=lambda each: each.valid_from, default=None)
