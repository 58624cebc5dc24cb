"""Sections, rows and bars of the results, as JSON and as Markdown."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from typing import Any, Final

from typing_extensions import override

from services.simulator.evaluation.figures import Figure

_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """What must be reached: a value between `low` and `high`."""

    low: float | None
    high: float | None

    def met_by(self, value: float) -> bool:
        """Tell whether a value reaches it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @override
    def __str__(self) -> str:
        """Return it in a few signs."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"≥ {self.low:g}" if self.low is not None else f"≤ {self.high:g}"


def at_least(low: float) -> Bar:
    """Return a bar from below."""
    return Bar(low, None)


def at_most(high: float) -> Bar:
    """Return a bar from above."""
    return Bar(None, high)


def between(low: float, high: float) -> Bar:
    """Return a bar from both sides."""
    return Bar(low, high)


@dataclass(frozen=True, slots=True)
class Row:
    """One measure."""

    measure: str
    figure: Figure
    bar: Bar | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; None without a bar."""
        return None if self.bar is None else self.bar.met_by(self.figure.value)


@dataclass(frozen=True, slots=True)
class Section:
    """Measures of one scenario."""

    title: str
    rows: tuple[Row, ...]
    about: str = ""


def document(sections: Sequence[Section], about: dict[str, Any]) -> dict[str, Any]:
    """Return all results as plain values; what is not a number (no data, no bound) is None."""
    return {
        "about": about,
        "sections": [
            {
                "title": section.title,
                "about": section.about,
                "rows": [_row(row) for row in section.rows],
            }
            for section in sections
        ],
    }


def _row(row: Row) -> dict[str, Any]:
    figure = {name: _plain(value) for name, value in asdict(row.figure).items()}
    return {"measure": row.measure, **figure, "bar": None if row.bar is None else str(row.bar), "met": row.met}


def _plain(value: float | None) -> float | None:
    return None if value is None or not isfinite(value) else round(value, 6)


def markdown(sections: Sequence[Section], about: dict[str, Any]) -> str:
    """Return all results as a Markdown page."""
    lines = ["# Results of the evaluation", "", *(f"- {name}: {value}" for name, value in about.items()), ""]
    judged = [(section, row) for section in sections for row in section.rows if row.bar is not None]
    lines += ["## Bars", "", "| scenario | measure | value | bar | met |", "|---|---|---|---|---|"]
    lines += [
        f"| {section.title} | {row.measure} | {text(row.figure)} | {row.bar} | {'yes' if row.met else '**no**'} |"
        for section, row in judged
    ]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        lines += [section.about, ""] if section.about else []
        lines += ["| measure | value (95 % interval) | n |", "|---|---|---|"]
        lines += [f"| {row.measure} | {text(row.figure)} | {row.figure.n} |" for row in section.rows]
    return "\n".join(lines) + "\n"


def text(figure: Figure) -> str:
    """Return a value with its interval."""
    if figure.low is None and figure.high is None:
        return _number(figure.value)
    low = "" if figure.low is None else _number(figure.low)
    high = "∞" if figure.high is None else _number(figure.high)
    return f"{_number(figure.value)} ({low} to {high})"


def _number(value: float) -> str:
    if not isfinite(value):
        return "–" if isnan(value) else "∞"
    if abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == int(value) and abs(value) >= 1 else f"{value:.3g}"
