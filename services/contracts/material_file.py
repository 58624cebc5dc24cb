"""Reads and checks material packs (`materials/*.yaml`): what is particular to a material, without code."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from services.contracts.errors import ConfigurationError
from services.contracts.yaml_file import Entry, Id, Text, read_entry
from services.domain.material import (
    GENERAL_ADVICE,
    GENERIC,
    ClassProfile,
    GradeRule,
    GradeRules,
    Landmarks,
    Limit,
    MaterialPack,
    PriceList,
    Unit,
)

Weight = Annotated[float, Field(ge=0, le=1000)]
Count = Annotated[float, Field(ge=0)]
Metres = Annotated[float, Field(ge=0, le=100_000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class _Label(Entry):
    en: Text
    de: Text


class _Class(Entry):
    label: _Label
    advice: Text = GENERAL_ADVICE
    advice_by_kind: dict[Id, Text] = Field(default_factory=dict)
    priors: dict[Id, Weight] = Field(default_factory=dict)
    other_machines: float = Field(default=1.0, gt=0, le=1000)
    failure_mode: Text = "UNK unknown"
    damage_code: Text = "6.4 unknown"
    scrap: bool = False
    typical_rate_per_km: float = Field(default=1.0, gt=0, le=10_000)


class _Landmarks(Entry):
    always: tuple[Id, ...] = Field(min_length=1)
    beside: tuple[Id, ...] = ()
    beside_m: float = Field(default=3.0, gt=0, le=100)


class _Limits(Entry):
    total: Count | None = None
    counts: dict[Id, Count] = Field(default_factory=dict)
    longest_m: Metres | None = None
    longest_by_class_m: dict[Id, Metres] = Field(default_factory=dict)


class _Grade(Entry):
    name: Id
    limits: _Limits = _Limits()


class _Prices(Entry):
    valid_from: date
    currency: Currency
    by_grade: dict[Id, Annotated[float, Field(ge=0)]]

    @field_validator("valid_from", mode="before")
    @classmethod
    def _is_a_day(cls, value: object) -> object:
        match value:
            case datetime():
                raise ValueError(f"{value} is a moment: write a day, as in 2026-01-01")
            case date():
                return value
            case _:
                raise ValueError(f"{value!r} is no day: write it without quotes, as in 2026-01-01")


class _Pack(Entry):
    material: Id
    title: Text
    unit: Literal["metre", "sheet"] = "metre"
    merge_gap_m: float = Field(default=0.0, ge=0, le=100)
    landmarks: _Landmarks | None = None
    periodic: tuple[Id, ...] = ()
    classes: dict[Id, _Class] = Field(default_factory=dict)
    grades: tuple[_Grade, ...] = Field(min_length=1)
    prices: tuple[_Prices, ...] = ()

    @field_validator("grades")
    @classmethod
    def _end_without_limits(cls, grades: tuple[_Grade, ...]) -> tuple[_Grade, ...]:
        for name, times in Counter(each.name for each in grades).items():
            if times > 1:
                raise ValueError(f"grade {name!r} stands {times} times: names must differ")
        *better, last = grades
        if _limits(last):
            raise ValueError(f"the last grade, {last.name!r}, takes what no other takes: it must have no limits")
        for each in better:
            if not _limits(each):
                raise ValueError(f"grade {each.name!r} has no limits, so no worse grade is ever given: add limits")
        return grades

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._refuse_unknown_classes()
        for name, times in Counter(each.valid_from for each in self.prices).items():
            if times > 1:
                raise ValueError(f"prices: {times} lists begin on {name}: keep one of them")
        for each in self.prices:
            self._check_prices(each)
        return self

    def _refuse_unknown_classes(self) -> None:
        marks = self.landmarks
        named = {
            "landmarks, always": marks.always if marks else (),
            "landmarks, beside": marks.beside if marks else (),
            "periodic": self.periodic,
        } | {
            f"grade {each.name!r}, limits": (*each.limits.counts, *each.limits.longest_by_class_m)
            for each in self.grades
        }
        for where, classes in named.items():
            for each in classes:
                if each not in self.classes:
                    raise ValueError(f"{where}: class {each!r} does not stand under classes: add it or correct it")

    def _check_prices(self, prices: _Prices) -> None:
        names = [each.name for each in self.grades]
        where = f"price list '{prices.valid_from}', by_grade"
        if set(prices.by_grade) != set(names):
            raise ValueError(
                f"{where}: name a price for each of the grades {', '.join(names)} and for nothing else"
            )
        for better, worse in pairwise(names):
            if prices.by_grade[worse] > prices.by_grade[better]:
                raise ValueError(f"{where}: grade {worse!r} costs more than the better grade {better!r}")


def default_materials_dir() -> Path:
    """Return the folder of the packs that ship with Millsight, in the checkout or in the installed package.

    Raises:
        ConfigurationError: The installation has none.
    """
    here = Path(__file__).resolve()
    for folder in (here.parents[2] / "materials", here.parent / "materials"):
        if (folder / f"{GENERIC}.yaml").is_file():
            return folder
    raise ConfigurationError("the material packs are missing from this installation: install Millsight again")


def load_materials(directory: Path) -> Mapping[str, MaterialPack]:
    """Read all packs of a folder, material name -> pack.

    Raises:
        ConfigurationError: There is no such folder, no `generic.yaml` in it, or a pack breaks a rule.
    """
    packs = {each.name: each for each in (load_material(path) for path in sorted(directory.glob("*.yaml")))}
    if GENERIC not in packs:
        raise ConfigurationError(
            f"materials folder {directory} has no {GENERIC}.yaml, which serves materials without a pack: copy the"
            " one that ships with Millsight"
        )
    return packs


def load_material(path: Path) -> MaterialPack:
    """Read one pack.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML, or breaks a rule; the sentence names both
            the file and the field.
    """
    parsed = read_entry(path, "materials file", _Pack)
    if parsed.material != path.stem:
        raise ConfigurationError(
            f"materials file {path}, material: the file describes {parsed.material!r}: name it"
            f" {parsed.material}.yaml"
        )
    return MaterialPack(
        name=parsed.material,
        title=parsed.title,
        rules=GradeRules(Unit(parsed.unit), tuple(GradeRule(each.name, _limits(each)) for each in parsed.grades)),
        classes={name: _profile(name, each) for name, each in parsed.classes.items()},
        landmarks=_landmarks(parsed.landmarks),
        periodic=parsed.periodic,
        price_lists=tuple(
            PriceList(each.valid_from, each.currency, each.by_grade)
            for each in sorted(parsed.prices, key=lambda prices: prices.valid_from)
        ),
        merge_gap_m=parsed.merge_gap_m,
    )


def material_for(packs: Mapping[str, MaterialPack], name: str) -> MaterialPack:
    """Return the pack of a material, or the generic one when it has none.

    Raises:
        ConfigurationError: There is not even a generic one.
    """
    pack = packs.get(name, packs.get(GENERIC))
    if pack is None:
        raise ConfigurationError(f"material {name!r} has no pack, and there is no generic one: add {name}.yaml")
    return pack


def _limits(grade: _Grade) -> tuple[Limit, ...]:
    limits = grade.limits
    total = () if limits.total is None else (Limit(limits.total),)
    longest = () if limits.longest_m is None else (Limit(limits.longest_m, of_length=True),)
    counts = (Limit(at_most, name) for name, at_most in limits.counts.items())
    lengths = (Limit(at_most, name, of_length=True) for name, at_most in limits.longest_by_class_m.items())
    return (*total, *counts, *longest, *lengths)


def _profile(name: str, entry: _Class) -> ClassProfile:
    rest = entry.model_dump(exclude={"label"})
    return ClassProfile(name=name, label_en=entry.label.en, label_de=entry.label.de, **rest)


def _landmarks(entry: _Landmarks | None) -> Landmarks:
    if entry is None:
        return Landmarks()
    return Landmarks(frozenset(entry.always), frozenset(entry.beside), entry.beside_m)
