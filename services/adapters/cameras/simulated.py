"""A simulated camera: each camera of a line sees the same strip at its own place.

What passes a camera follows from the time and the shared epoch alone, so cameras in different processes agree:
a defect that the first camera saw comes past the second one when the strip has moved that far. Machines leave a
low background of defects, and in each stretch of strip one of them fails for a while, for the demo to show. A
script can say instead which machine fails when, and which lens is dirty (`demo_script`).
"""

import random
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from services.adapters.cameras.demo_script import DemoScript, mark_at
from services.adapters.cameras.lens import blemish, through
from services.adapters.cameras.opencv import encode_jpeg
from services.adapters.cameras.pacing import Pacer
from services.contracts.capture import CapturedImage, RefusedImage
from services.contracts.messages import ImageEncoding
from services.domain.classes import NO_DEFECT
from services.domain.strip import MachineFault, StripWorld, weak_spots
from services.domain.topology import CameraStation, Line, Machine
from services.runtime.clock import Clock

STRETCH_M: Final = 1500.0
"""In each stretch of strip of this length one machine fails; 8 minutes at 3 m/s."""

_FAULT_FROM: Final = 0.35
_FAULT_UNTIL: Final = 0.8
_FAULT_RATE_PER_100M: Final = 12.0
_WORLDS_KEPT: Final = 4
_LONGEST_FRAME_M: Final = 2.0
_MM_PER_M: Final = 1000.0

_FAULTS_BY_KIND: Final = {
    "uncoiler": ("crease", "waist_folding"),
    "washer": ("water_spot", "silk_spot"),
    "leveller": ("oil_spot", "waist_folding"),
    "tension_leveller": ("oil_spot", "waist_folding"),
    "side_trimmer": ("crescent_gap",),
    "welder": ("inclusion",),
}
_OTHER_FAULTS: Final = ("inclusion",)
_ROLL_DAMAGE: Final = "rolled_pit"

Render = Callable[[str, int, int, int], npt.NDArray[np.uint8]]
"""Class, seed, width and height in pixels, to grey pixels: `services.adapters.cameras.renderer.render`."""


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What the simulated cameras look like, and what they get to see; sides in pixels."""

    frames_per_second: float = 2.0
    seed: int = 7
    width_px: int = 224
    height_px: int = 224
    jpeg_quality: int = 90
    script: DemoScript = field(default_factory=DemoScript)


class SimulatedSource:
    """Renders what passes one camera of a line."""

    def __init__(
        self,
        line: Line,
        station: CameraStation,
        options: SimulationOptions,
        render: Render,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        """Stand at `station` of `line`."""
        self.problem: str | None = None
        self._line = line
        self._station = station
        self._options = options
        self._render = render
        self._clock = clock
        self._stop = stop
        self._scripted = options.script.faults_of(line)
        self._dirt = options.script.lens_of(station.camera_id)
        self._lens = blemish(options.width_px, options.height_px)
        self._world = lru_cache(maxsize=_WORLDS_KEPT)(self._world_of_stretch)

    def frames(self) -> Iterator[CapturedImage | RefusedImage]:
        """Yield a picture a tick until the room stops."""
        pacer = Pacer(self._options.frames_per_second, self._stop)
        while pacer.wait():
            yield self.frame_at(self._clock())

    def frame_at(self, moment: datetime) -> CapturedImage | RefusedImage:
        """Return what the camera sees at a moment."""
        position_m = mark_at(self._line, self._station.position_m, moment)
        world = self._world(int(position_m // STRETCH_M))
        half_m = self.frame_length_m / 2
        defect = world.defect_at(self._station.position_m, position_m - half_m, position_m + half_m)
        options = self._options
        if defect is None:
            seed = zlib.crc32(f"{options.seed}/{position_m:.3f}".encode())
            pixels = self._render(NO_DEFECT, seed, options.width_px, options.height_px)
        else:
            pixels = self._render(defect.defect_class, defect.seed, options.width_px, options.height_px)
        if self._dirt is not None and self._dirt.is_dirty(moment):
            pixels = through(pixels, self._lens)
        data = encode_jpeg(pixels, options.jpeg_quality)
        if data is None:
            return RefusedImage("not_encodable", f"a picture of shape {pixels.shape} cannot be encoded")
        return CapturedImage(
            data,
            ImageEncoding.JPEG,
            moment,
            options.width_px,
            options.height_px,
            position_m,
            world.coil_at(position_m).coil_id,
        )

    @property
    def frame_length_m(self) -> float:
        """Length of strip on one frame: frames follow each other without a gap where the frame rate allows it."""
        return min(_LONGEST_FRAME_M, self._line.speed_m_s / self._options.frames_per_second)

    def _world_of_stretch(self, stretch: int) -> StripWorld:
        seed, machines, faults = self._options.seed, self._line.machines, self._scripted
        if faults is None:
            faults = (self._options.script.spare(self._line, fault_of_stretch(self._line, seed, stretch)),)
        return StripWorld(seed, machines, (*weak_spots(machines), *faults), self._options.script.coil_length_m)


def fault_of_stretch(line: Line, seed: int, stretch: int) -> MachineFault:
    """Return which machine fails in a stretch of strip, how, and between which marks."""
    start_m = stretch * STRETCH_M
    machine = line.machines[_shuffled_turn(len(line.machines), seed, stretch)]
    chance = random.Random(f"{seed}/{line.id}/{stretch}")  # noqa: S311 - a simulation, no secret
    pitch_m = _roll_pitch_m(machine, chance)
    choices = _FAULTS_BY_KIND.get(machine.kind, _OTHER_FAULTS)
    return MachineFault(
        machine_id=machine.id,
        defect_class=_ROLL_DAMAGE if pitch_m else chance.choice(choices),
        rate_per_100m=_FAULT_RATE_PER_100M,
        pitch_m=pitch_m,
        from_m=start_m + _FAULT_FROM * STRETCH_M,
        until_m=start_m + _FAULT_UNTIL * STRETCH_M,
    )


def _shuffled_turn(machines: int, seed: int, stretch: int) -> int:
    """Let every machine have its turn before any has it twice."""
    lap, turn = divmod(stretch, machines)
    order = list(range(machines))
    random.Random(f"{seed}/{lap}").shuffle(order)  # noqa: S311 - a simulation, no secret
    return order[turn]


def _roll_pitch_m(machine: Machine, chance: random.Random) -> float | None:
    """The circumference of one of a mill's rolls: a damaged roll leaves its mark once a turn."""
    if "mill" not in machine.kind and "skin_pass" not in machine.kind:
        return None
    if not machine.rolls:
        return None
    return float(np.pi) * chance.choice(machine.rolls).diameter_mm / _MM_PER_M
