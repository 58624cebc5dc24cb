"""A strip that runs through a line of machines with known faults: the simulated world.

Everything is a pure function of the seed and the position on the strip. Several processes that hold the
same world agree on every defect without talking to each other. A position is a mark on the material,
in metres: the mark that stands at the line's entry at the shared epoch is 0, and later marks are larger.
The same defect therefore has the same position at every camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from services.domain.machine_faults import MachineFault, weak_spots
from services.domain.topology import Machine

__all__ = ["BornDefect", "Coil", "MachineFault", "StripWorld", "strip_position", "weak_spots"]

CELL_M = 20.0
"""Random faults are drawn in cells of this length."""

DEFAULT_COIL_LENGTH_M = 240.0
WELD_CLASS = "welding_line"
WELD_HOLE_CLASS = "punching_hole"
WELD_HOLE_DISTANCE_M = 1.2
"""The tracking hole stands this far behind its weld."""

_COIL_JITTER = 0.15
_WELD_SIZE = 1.0
"""Marks of a coil change dominate every other defect of their frame."""
_STREAM_COIL, _STREAM_WELD, _STREAM_PHASE, _STREAM_CELL, _STREAM_REPEAT = range(5)
_CELL_DRAWS = 64


@dataclass(frozen=True, slots=True)
class BornDefect:
    """A defect on the strip, as its machine left it; every camera downstream sees it.

    Attributes:
        machine_id: Where it was born.
        machine_position_m: Distance of that machine from the line's entry.
        defect_class: One of the ten classes.
        position_m: Mark on the strip.
        lateral: Place across the strip, 0 (left) to 1.
        size: 0 (small) to 1 (large).
        seed: Its own random seed (below 2**31), for drawing the same defect at every camera.
    """

    machine_id: str
    machine_position_m: float
    defect_class: str
    position_m: float
    lateral: float
    size: float
    seed: int


@dataclass(frozen=True, slots=True)
class Coil:
    """A coil of the strip, from its weld to the next one."""

    coil_id: str
    number: int
    start_m: float
    end_m: float


def strip_position(speed_m_s: float, elapsed_s: float, station_position_m: float) -> float:
    """Return the mark on the strip that passes a station, `elapsed_s` after the shared epoch."""
    return speed_m_s * elapsed_s - station_position_m


class StripWorld:
    """The strip with everything that was ever done to it."""

    def __init__(
        self,
        seed: int,
        machines: Iterable[Machine],
        faults: Iterable[MachineFault],
        coil_length_m: float = DEFAULT_COIL_LENGTH_M,
    ) -> None:
        """Set up the world.

        Args:
            seed: Non-negative; processes that must agree use the same.
            machines: The machines of one line.
            faults: What they leave on the strip, see `machine_faults.weak_spots`.
            coil_length_m: Mean length of a coil; lengths differ by up to 30 %.

        Raises:
            ValueError: A fault names a machine that is not there, or has a pitch or rate that is not possible.
        """
        self._seed = seed
        self._coil_length_m = coil_length_m
        stations = tuple(machines)
        self._positions = {machine.id: machine.position_m for machine in stations}
        self._faults = tuple(faults)
        for fault in self._faults:
            fault.check(self._positions)
        self._welder = next(
            (machine.id for machine in stations if machine.kind == "welder"),
            min(self._positions, key=lambda name: self._positions[name]),
        )

    def coil_at(self, position_m: float) -> Coil:
        """Return the coil that a mark on the strip belongs to."""
        number = int(np.floor(position_m / self._coil_length_m))
        number += 1 if position_m >= self._weld_position(number + 1) else 0
        number -= 1 if position_m < self._weld_position(number) else 0
        start, end = self._weld_position(number), self._weld_position(number + 1)
        return Coil(f"coil-{self._seed % 1000:03d}-{number:06d}", number, start, end)

    def defects_between(self, start_m: float, end_m: float) -> tuple[BornDefect, ...]:
        """Return all defects with start <= position < end, in strip order."""
        born = self._welds(start_m, end_m)
        for index, fault in enumerate(self._faults):
            if fault.pitch_m is None:
                born += self._scattered(index, fault, start_m, end_m)
            else:
                born += self._repeated(index, fault, start_m, end_m)
        return tuple(sorted(born, key=lambda defect: (defect.position_m, defect.defect_class)))

    def defects_visible(self, camera_position_m: float, start_m: float, end_m: float) -> tuple[BornDefect, ...]:
        """Return the defects between two marks that were born upstream of a camera."""
        return tuple(
            defect
            for defect in self.defects_between(start_m, end_m)
            if defect.machine_position_m <= camera_position_m
        )

    def defect_at(self, camera_position_m: float, start_m: float, end_m: float) -> BornDefect | None:
        """Return the defect that dominates a frame: the largest visible one, or None on clean strip.

        Args:
            camera_position_m: Where the camera stands, from the line's entry.
            start_m: First mark on the strip that the frame shows.
            end_m: Mark behind the last one it shows.
        """
        visible = self.defects_visible(camera_position_m, start_m, end_m)
        return max(visible, key=lambda defect: defect.size, default=None)

    def _weld_position(self, number: int) -> float:
        jitter = self._rng(_STREAM_COIL, number).uniform(-_COIL_JITTER, _COIL_JITTER)
        return float((number + jitter) * self._coil_length_m)

    def _welds(self, start_m: float, end_m: float) -> list[BornDefect]:
        first = int(np.floor((start_m - WELD_HOLE_DISTANCE_M) / self._coil_length_m)) - 1
        last = int(np.ceil(end_m / self._coil_length_m)) + 1
        born = []
        for number in range(first, last + 1):
            weld_m = self._weld_position(number)
            rng = self._rng(_STREAM_WELD, number)
            for defect_class, at_m in (
                (WELD_CLASS, weld_m),
                (WELD_HOLE_CLASS, weld_m + WELD_HOLE_DISTANCE_M),
            ):
                lateral = float(rng.uniform(0.3, 0.7))
                mark = self._born(self._welder, defect_class, at_m, lateral, rng)
                if start_m <= at_m < end_m:
                    born.append(replace(mark, size=_WELD_SIZE))
        return born

    def _scattered(self, index: int, fault: MachineFault, start_m: float, end_m: float) -> list[BornDefect]:
        born = []
        cells = range(int(np.floor(start_m / CELL_M)), int(np.floor(end_m / CELL_M)) + 1)
        for cell in cells:
            rng = self._rng(_STREAM_CELL, cell, index)
            count = int(min(rng.poisson(fault.rate_per_100m * CELL_M / 100), _CELL_DRAWS))
            for _ in range(count):
                at_m = float((cell + rng.random()) * CELL_M)
                lateral = _lateral(fault, rng)
                defect = self._born(fault.machine_id, fault.defect_class, at_m, lateral, rng)
                if start_m <= at_m < end_m and fault.active(at_m):
                    born.append(defect)
        return born

    def _repeated(self, index: int, fault: MachineFault, start_m: float, end_m: float) -> list[BornDefect]:
        pitch_m = fault.pitch_m or 1.0
        fixed = self._rng(_STREAM_PHASE, 0, index)
        phase_m = float(fixed.random()) * pitch_m
        lateral = _lateral(fault, fixed)
        born = []
        first = int(np.ceil((start_m - phase_m) / pitch_m))
        last = int(np.ceil((end_m - phase_m) / pitch_m))
        for turn in range(first, last):
            at_m = phase_m + turn * pitch_m
            if fault.active(at_m):
                rng = self._rng(_STREAM_REPEAT, turn, index)
                born.append(self._born(fault.machine_id, fault.defect_class, at_m, lateral, rng))
        return born

    def _born(
        self,
        machine_id: str,
        defect_class: str,
        position_m: float,
        lateral: float,
        rng: np.random.Generator,
    ) -> BornDefect:
        return BornDefect(
            machine_id=machine_id,
            machine_position_m=self._positions[machine_id],
            defect_class=defect_class,
            position_m=position_m,
            lateral=lateral,
            size=float(rng.uniform(0.2, 0.95)),
            seed=int(rng.integers(2**31)),
        )

    def _rng(self, stream: int, place: int, index: int = 0) -> np.random.Generator:
        """A generator of its own for every stream, place (may be negative) and fault."""
        folded = 2 * place if place >= 0 else -2 * place - 1
        return np.random.default_rng([self._seed, stream, folded, index])


def _lateral(fault: MachineFault, rng: np.random.Generator) -> float:
    drawn = float(rng.uniform(0.05, 0.95))
    return drawn if fault.lateral is None else fault.lateral
