"""Rates measured in turn, round after round, so that what the machine does meanwhile falls out of their ratios."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.bench.statistics import Estimate, mean_of, ratio_of_pairs


@dataclass(frozen=True, slots=True)
class Taken:
    """What one slice gave.

    Attributes:
        rate: Images or frames per second.
        costs_core_s: Core-seconds that each part of the machine's work spent on one image.
    """

    rate: float
    costs_core_s: Mapping[str, float]

    @property
    def cost_core_s(self) -> float:
        """Core-seconds per image, all parts together."""
        return sum(self.costs_core_s.values())


Slice = Callable[[], Taken]
"""Measures once, for a few seconds."""


@dataclass(slots=True)
class RoundTable:
    """Rates by measurement and round; a measurement may leave rounds out."""

    slices: dict[str, dict[int, Taken]] = field(default_factory=dict)

    def add(self, name: str, number: int, taken: Taken) -> None:
        """Note what a measurement gave in a round."""
        self.slices.setdefault(name, {})[number] = taken

    def rate(self, name: str) -> Estimate | None:
        """Return the mean rate of a measurement, None when it was never taken."""
        taken = self.slices.get(name)
        return mean_of([each.rate for each in taken.values()]) if taken else None

    def ratio(self, numerator: str, denominator: str) -> Estimate | None:
        """Return the ratio of rates over the rounds that have both, None when there is none."""
        return self._ratio(numerator, denominator, lambda taken: taken.rate)

    def cost(self, name: str) -> Estimate | None:
        """Return the mean core-seconds per image, None when it was never taken."""
        taken = self.slices.get(name)
        return mean_of([each.cost_core_s for each in taken.values()]) if taken else None

    def cost_ratio(self, numerator: str, denominator: str) -> Estimate | None:
        """Return the ratio of costs over the rounds that have both, None when there is none."""
        return self._ratio(numerator, denominator, lambda taken: taken.cost_core_s)

    def costs_by_part(self, name: str) -> dict[str, float]:
        """Return the mean core-seconds per image of every part of a measurement."""
        taken = list(self.slices.get(name, {}).values())
        return {part: sum(each.costs_core_s[part] for each in taken) / len(taken) for part in _parts(taken)}

    def listed(self) -> dict[str, tuple[float, ...]]:
        """Return the rates in order of the rounds."""
        return {name: tuple(taken[each].rate for each in sorted(taken)) for name, taken in self.slices.items()}

    def _ratio(self, numerator: str, denominator: str, value: Callable[[Taken], float]) -> Estimate | None:
        tops, bottoms = self.slices.get(numerator, {}), self.slices.get(denominator, {})
        both = sorted(tops.keys() & bottoms.keys())
        if not both:
            return None
        return ratio_of_pairs([value(tops[each]) for each in both], [value(bottoms[each]) for each in both])


def _parts(taken: Sequence[Taken]) -> Sequence[str]:
    return list(taken[0].costs_core_s) if taken else []


def measure_in_turn(
    slices: Mapping[str, Slice], rounds: int, limits: Mapping[str, int], say: Callable[[str], None]
) -> RoundTable:
    """Take every measurement once a round; every other round runs backwards, so that a steady drift cancels too.

    Args:
        slices: Measurements by name.
        rounds: How many rounds.
        limits: Measurements that are taken in the first so many rounds only.
        say: Takes a line about each slice.
    """
    table = RoundTable()
    for number in range(rounds):
        names = [name for name in slices if number < limits.get(name, rounds)]
        for name in reversed(names) if number % 2 else names:
            taken = slices[name]()
            table.add(name, number, taken)
            cost_ms = taken.cost_core_s * 1000
            say(f"round {number + 1} of {rounds}: {name} {taken.rate:.1f}/s, {cost_ms:.1f} core-ms each")
    return table
