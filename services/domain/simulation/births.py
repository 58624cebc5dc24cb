"""What the machines do to the strip: every defect of a block of coils, with its origin."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from services.domain.simulation.faults import HOLE_CLASS, NOTCH_CLASS, WELD_CLASS, Fault, FaultShape, active
from services.domain.simulation.scenario import Floats
from services.domain.simulation.world import BLOCK_COILS, SimulatedLine, Stream

Codes = npt.NDArray[np.int64]

_LARGEST: Final = 0.95
"""Marks of a coil change are larger than this: they dominate every other defect of their frame."""


class Origin(IntEnum):
    """Where a defect comes from."""

    PROCESS = 0
    """A machine's ordinary or raised rate."""
    ROLL = 1
    """A damaged roll."""
    COIL_CHANGE = 2
    """A weld, its notch or its hole."""


@dataclass(frozen=True, slots=True, eq=False)
class Births:
    """N defects as their machines left them.

    Attributes:
        coil: (N,) number of the coil.
        machine: (N,) index of the machine.
        label: (N,) true class.
        place_m: (N,) metres from the head of the coil, measured at the line's entry.
        lane: (N,) place across the strip, 0 to 1.
        size: (N,) the largest one of a frame is the one that is named.
        origin: (N,) `Origin`.
        detection: (N,) probability that a camera reports it; NaN: the camera's own sensitivity.
    """

    coil: Codes
    machine: Codes
    label: Codes
    place_m: Floats
    lane: Floats
    size: Floats
    origin: Codes
    detection: Floats

    def __len__(self) -> int:
        """Number of defects."""
        return len(self.coil)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Return some defects, by indices or by mask."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Return the defects of all parts, in order; there must be at least one part."""
        chosen = tuple(parts)
        return cls(*(np.concatenate([getattr(part, each.name) for part in chosen]) for each in fields(cls)))


def born_in_block(line: SimulatedLine, block: int) -> Births:
    """Draw all defects of the coils `block * BLOCK_COILS` to `(block + 1) * BLOCK_COILS - 1`, in strip order."""
    coils = np.arange(block * BLOCK_COILS, (block + 1) * BLOCK_COILS)
    draws = line.draws(Stream.BIRTH, block)
    parts = [_from_process(line, coils, draws)]
    parts += [_from_roll(line, index, coils, draws) for index in range(len(line.scenario.roll_faults))]
    parts.append(_from_coil_changes(line, coils, draws))
    births = Births.joined(parts)
    return births.take(np.lexsort((births.place_m, births.coil)))


def rates_per_frame(line: SimulatedLine, coils: Codes) -> Floats:
    """Return (len(coils), M, C) mean defects per frame of each coil, before overdispersion."""
    scenario = line.scenario
    rates = np.repeat(scenario.baseline[None], len(coils), axis=0)
    for index, fault in enumerate(scenario.faults):
        machine = scenario.machine_ids.index(fault.machine_id)
        label = scenario.classes.index(fault.defect_class)
        base = float(scenario.baseline[machine, label])
        target = base * fault.factor if fault.per_frame is None else fault.per_frame
        level = _level(line, index, fault, coils)
        raised = base * (target / base) ** level if base > 0 and target > 0 else target * level
        rates[:, machine, label] = np.where(level > 0, raised, rates[:, machine, label])
    return rates


def _level(line: SimulatedLine, index: int, fault: Fault, coils: Codes) -> Floats:
    """How far the fault is developed in each coil, 0 to 1."""
    on = active(coils, fault.onset_coil, fault.until_coil)
    match fault.shape:
        case FaultShape.STEP:
            return on.astype(np.float64)
        case FaultShape.RAMP:
            return np.where(on, np.clip((coils - fault.onset_coil + 1) / fault.ramp_coils, 0, 1), 0.0)
        case FaultShape.INTERMITTENT:
            return np.where(on, _in_burst(line, index, fault, coils), 0.0)


def _in_burst(line: SimulatedLine, index: int, fault: Fault, coils: Codes) -> npt.NDArray[np.bool_]:
    """One burst in every cycle, at a random place of it; the first begins with the fault."""
    cycle_coils = max(round(fault.burst_coils / fault.duty), fault.burst_coils)
    cycle, place = np.divmod(coils - fault.onset_coil, cycle_coils)
    begins = np.zeros(len(coils), dtype=np.int64)
    for number in np.unique(cycle[cycle > 0]):
        draws = line.draws(Stream.BURST, index, int(number))
        begins[cycle == number] = draws.integers(0, cycle_coils - fault.burst_coils + 1)
    return (place >= begins) & (place < begins + fault.burst_coils)


def _from_process(line: SimulatedLine, coils: Codes, draws: np.random.Generator) -> Births:
    scenario = line.scenario
    means = rates_per_frame(line, coils) * scenario.strip.frames_per_coil
    if scenario.overdispersion is not None:
        shape = scenario.overdispersion.shape
        size = (len(coils), 1, 1) if scenario.overdispersion.common else means.shape
        means *= draws.gamma(shape, 1 / shape, size)
    counts = draws.poisson(means)
    coil, machine, label = np.nonzero(counts)
    times = counts[coil, machine, label]
    coil, machine, label = (np.repeat(each, times) for each in (coil, machine, label))
    count = len(coil)
    return Births(
        coil=coils[coil],
        machine=machine,
        label=label,
        place_m=draws.uniform(0, scenario.strip.coil_m, count),
        lane=draws.uniform(0.05, 0.95, count),
        size=draws.uniform(0.2, _LARGEST, count),
        origin=np.full(count, Origin.PROCESS, dtype=np.int64),
        detection=np.full(count, np.nan),
    )


def _from_roll(line: SimulatedLine, index: int, coils: Codes, draws: np.random.Generator) -> Births:
    """Marks at phase + k x period on the strip of the whole run, so that blocks continue each other."""
    scenario, fault = line.scenario, line.scenario.roll_faults[index]
    machine = scenario.machine_ids.index(fault.machine_id)
    period_m = line.roll_period_m(index) / float(line.machine_stretch[machine])
    phase_m = float(line.draws(Stream.ROLL, index).random()) * period_m
    coil_m = scenario.strip.coil_m
    first, last = (int(np.ceil((edge * coil_m - phase_m) / period_m)) for edge in (coils[0], coils[-1] + 1))
    at_m = phase_m + period_m * np.arange(first, last)
    coil = np.clip((at_m // coil_m).astype(np.int64), coils[0], coils[-1])
    place_m = at_m - coil * coil_m + draws.normal(0, fault.jitter_m, len(at_m))
    count = len(at_m)
    marks = Births(
        coil=coil,
        machine=np.full(count, machine),
        label=np.full(count, scenario.classes.index(fault.defect_class)),
        place_m=np.clip(place_m, 0, np.nextafter(coil_m, 0)),
        lane=np.full(count, fault.lane),
        size=draws.uniform(0.2, _LARGEST, count),
        origin=np.full(count, Origin.ROLL, dtype=np.int64),
        detection=np.full(count, fault.detection),
    )
    return marks.take(active(coil, fault.onset_coil, fault.until_coil))


def _from_coil_changes(line: SimulatedLine, coils: Codes, draws: np.random.Generator) -> Births:
    scenario, welds = line.scenario, line.scenario.welds
    heads: list[tuple[int, float]] = []
    if welds is not None:
        heads = [(int(coil), 0.0) for coil in coils if int(coil) not in welds.missing]
        heads += [(coil, at_m) for coil, at_m in welds.surplus if coils[0] <= coil <= coils[-1]]
    marks = () if welds is None else ((WELD_CLASS, 0.0), (NOTCH_CLASS, welds.notch_m), (HOLE_CLASS, welds.hole_m))
    count = len(heads) * len(marks)
    return Births(
        coil=np.array([coil for coil, _ in heads for _ in marks], dtype=np.int64),
        machine=np.full(count, 0 if welds is None else scenario.machine_ids.index(welds.machine_id)),
        label=np.array([scenario.classes.index(name) for _ in heads for name, _ in marks], dtype=np.int64),
        place_m=np.array([at_m + behind_m for _, at_m in heads for _, behind_m in marks], dtype=np.float64),
        lane=draws.uniform(0.3, 0.7, count),
        size=np.tile([1.0, 0.98, 0.99], len(heads))[:count],
        origin=np.full(count, Origin.COIL_CHANGE, dtype=np.int64),
        detection=np.full(count, np.nan if welds is None else welds.detection),
    )
