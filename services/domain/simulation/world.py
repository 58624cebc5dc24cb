"""A scenario made ready for drawing: geometry as arrays, and one random stream for every block and purpose."""

from enum import IntEnum
from math import pi
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.simulation.checks import check_scenario
from services.domain.simulation.scenario import Floats, Scenario

BLOCK_COILS: Final = 20
"""Coils are drawn in blocks of this many; a block is a function of the seed and its number alone."""

_MM_PER_M: Final = 1000.0


class Stream(IntEnum):
    """Purposes of random numbers: what is drawn for one never shifts another."""

    BIRTH = 0
    SIGHT = 1
    FALSE_CALL = 2
    COVERAGE = 3
    CLEAN = 4
    ENCODER = 5
    PHASE = 6
    BURST = 7
    ROLL = 8


class SimulatedLine:
    """One run of a scenario: a pure function of scenario and seed.

    Attributes:
        scenario: What is simulated.
        seed: Equal seeds give equal runs.
        reach: (M, C, J) probability that a defect of a machine and class is still visible at a camera; 0 upstream.
        machine_stretch: (M,) length of the strip behind a machine relative to the line's entry.
        camera_stretch: (J,) the same at the cameras.
        station_m: (J,) places of the cameras, metres from the line's entry.
        phase_m: (J,) where a camera's frames begin, relative to the head of a coil.
    """

    def __init__(self, scenario: Scenario, seed: int) -> None:
        """Set up the run.

        Args:
            scenario: What to simulate.
            seed: Not negative.

        Raises:
            ValueError: The scenario contradicts itself.
        """
        check_scenario(scenario)
        self.scenario = scenario
        self.seed = seed
        machines, cameras = scenario.line.machines, scenario.line.cameras
        place_m = np.array([machine.position_m for machine in machines])
        self.station_m: Floats = np.array([camera.position_m for camera in cameras], dtype=np.float64)
        lengths = np.array([1.0 + machine.elongation for machine in machines], dtype=np.float64)
        self.machine_stretch: Floats = np.asarray(np.cumprod(lengths), dtype=np.float64)
        passed = (place_m[None, :] <= self.station_m[:, None]).sum(axis=1)
        self.camera_stretch: Floats = self.machine_stretch[passed - 1]
        self.reach = _reach(scenario.survival, passed)
        self.phase_m: Floats = np.zeros(len(cameras))
        if scenario.strip.random_phase:
            half_m = scenario.strip.frame_pitch_m / 2
            self.phase_m = self.draws(Stream.PHASE).uniform(-half_m, half_m, len(cameras))
        self.confusion_steps: Floats = np.cumsum(scenario.confusion, axis=1)

    def draws(self, stream: Stream, *place: int) -> np.random.Generator:
        """Return the random numbers of one purpose and place."""
        return np.random.default_rng([self.seed, int(stream), *place])

    def coil_id(self, number: int) -> str:
        """Return the name of a coil."""
        return f"coil-{number:06d}"

    def roll_period_m(self, index: int) -> float:
        """Return the distance of the marks of a roll fault, right behind its machine: pi x D x (1 + slip)."""
        fault = self.scenario.roll_faults[index]
        machine = self.scenario.line.machines[self.scenario.machine_ids.index(fault.machine_id)]
        roll = next(roll for roll in machine.rolls if roll.id == fault.roll_id)
        return pi * roll.diameter_mm / _MM_PER_M * (1 + fault.forward_slip)


def _reach(survival: Floats, passed: npt.NDArray[np.int64]) -> Floats:
    """Product of the survivals of all machines behind the one that made the defect, up to each camera."""
    machines, classes = survival.shape
    reach = np.zeros((machines, classes, len(passed)))
    for machine in range(machines):
        for camera, behind in enumerate(passed):
            if machine < behind:
                reach[machine, :, camera] = survival[machine + 1 : behind].prod(axis=0)
    return reach
