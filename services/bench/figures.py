"""What the benchmark states: figures with unit, interval and bar, and the report that holds them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from services.bench.statistics import Interval


class Part(StrEnum):
    """What can be measured alone with `--only`."""

    ENGINE = "engine"
    TRITON = "triton"
    END_TO_END = "end-to-end"
    LATENCY = "latency"
    CEILING = "ceiling"
    REFERENCE = "reference"
    SOAK = "soak"


class Sense(StrEnum):
    """Which side of the bar is good."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach."""

    sense: Sense
    limit: float

    def met_by(self, value: float) -> bool:
        """Whether the value is on the good side, the limit included."""
        return value >= self.limit if self.sense is Sense.AT_LEAST else value <= self.limit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number.

    Attributes:
        key: Stable name in the JSON.
        title: What was measured, in words.
        value: None where it was not measured; `note` then says why.
        interval: 95 % confidence interval.
        n: Number of samples: rounds of a rate, frames of a latency.
        note: How it was measured, or why it was not.
    """

    key: str
    title: str
    value: float | None
    unit: str
    interval: Interval | None = None
    n: int | None = None
    bar: Bar | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None without a bar or a value."""
        return None if self.bar is None or self.value is None else self.bar.met_by(self.value)

    @property
    def is_close(self) -> bool:
        """Whether the bar lies inside the interval, so that another run may fall on its other side."""
        ends = self.interval
        return ends is not None and self.bar is not None and ends.low < self.bar.limit < ends.high


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run found.

    Attributes:
        machine: Processor, cores, versions, load of others.
        settings: How the run was made: rounds, seconds, frames, images, configurations chosen.
        rounds: The rates of every round, by measurement, in order: what the ratios are made of.
        warnings: What makes the figures doubtful, one sentence each.
    """

    machine: Mapping[str, object]
    settings: Mapping[str, object]
    figures: tuple[Figure, ...]
    rounds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the report as plain values; every figure says whether its bar is met."""
        return {
            "machine": dict(self.machine),
            "settings": dict(self.settings),
            "figures": {figure.key: _figure_to_json(figure) for figure in self.figures},
            "rounds": {name: list(rates) for name, rates in self.rounds.items()},
            "warnings": list(self.warnings),
        }


def _figure_to_json(figure: Figure) -> dict[str, object]:
    fields: dict[str, object] = {key: value for key, value in asdict(figure).items() if value is not None}
    fields.pop("key")
    fields["value"] = figure.value
    if figure.bar is not None:
        fields["bar"] = {
            "sense": figure.bar.sense.value,
            "limit": figure.bar.limit,
            "met": figure.met,
            "is_close": figure.is_close,
        }
    return fields
