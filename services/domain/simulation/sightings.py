"""What the cameras report of a block of coils: sightings, misses, wrong names, false calls and blemishes."""

from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from services.domain.simulation.births import Births
from services.domain.simulation.faults import CameraFault, CameraFaultKind, active
from services.domain.simulation.scenario import Floats
from services.domain.simulation.world import BLOCK_COILS, SimulatedLine, Stream

Codes = npt.NDArray[np.int64]

FALSE_CALL: Final = -1
"""Origin of a row in which a camera called clean strip a defect."""
LENS: Final = -2
"""Origin of a row in which a blemish on the lens was called a defect."""
CLEAN: Final = -3
"""Origin of a row called `no_defect`."""

SPOT_ERROR: Final = 0.02
"""Standard deviation of where evidence peaks, as a share of the image's side."""
_MOST: Final = 0.99
"""No false-call rate is raised above this."""
_RIGHT, _WRONG, _INVENTED = (9.0, 2.0), (4.0, 3.0), (3.0, 3.0)
"""Beta parameters of the confidence of right labels, wrong labels and false calls."""
_LEAST_CONFIDENCE: Final = 0.15


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """K frames that were called a defect.

    Attributes:
        frame: (K,) cell number, (coil within the block x J + camera) x frames per coil + frame; ascending.
        label: (K,) class that was reported.
        confidence: (K,) 0 to 1.
        spot: (K, 2) column and row of the evidence, 0 to 1; rows grow with the position along the strip.
        origin: (K,) index into the births of the block, or `FALSE_CALL` or `LENS`.
    """

    frame: Codes
    label: Codes
    confidence: Floats
    spot: Floats
    origin: Codes

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Return some sightings, by indices or by mask."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    def over(self, below: Self) -> Self:
        """Return both, with `below` left out where a frame is already in this one; frames ascend."""
        rest = below.take(~np.isin(below.frame, self.frame))
        both = type(self)(*(np.concatenate((getattr(self, e.name), getattr(rest, e.name))) for e in fields(self)))
        return both.take(np.argsort(both.frame))


def inspected_frames(line: SimulatedLine, block: int) -> npt.NDArray[np.bool_]:
    """Return (BLOCK_COILS, J, frames per coil): whether the camera delivered the frame and it was looked at."""
    scenario = line.scenario
    frames = scenario.strip.frames_per_coil
    inspected = np.ones((BLOCK_COILS, len(scenario.eyes), frames), dtype=np.bool_)
    for camera, eye in enumerate(scenario.eyes):
        if eye.coverage < 1:
            blocks = -(-frames // eye.block_frames)
            chosen = line.draws(Stream.COVERAGE, block, camera).random((BLOCK_COILS, blocks)) < eye.coverage
            inspected[:, camera] = np.repeat(chosen, eye.block_frames, axis=1)[:, :frames]
    for fault, camera, coils in _camera_faults(line, block, CameraFaultKind.DEAD):
        inspected[coils, camera] = fault.kind is not CameraFaultKind.DEAD
    return inspected


def seen_in_block(line: SimulatedLine, block: int, births: Births, inspected: npt.NDArray[np.bool_]) -> Sightings:
    """Draw what the cameras report; a frame gets one label, that of the largest defect reported in it."""
    sight = line.draws(Stream.SIGHT, block)
    seen = _blinded(line, block, _of_defects(line, block, births, sight))
    invented = line.draws(Stream.FALSE_CALL, block)
    seen = seen.over(_blinded(line, block, _false_calls(line, block, invented)))
    for fault, camera, coils in _camera_faults(line, block, CameraFaultKind.DIRTY_LENS):
        seen = _blemish(line, fault, camera, coils, invented).over(seen)
    return seen.take(inspected.ravel()[seen.frame])


def _camera_faults(
    line: SimulatedLine, block: int, kind: CameraFaultKind
) -> list[tuple[CameraFault, int, npt.NDArray[np.bool_]]]:
    """Faults of a kind that touch the block: the fault, its camera, the coils of the block it holds for."""
    coils = np.arange(block * BLOCK_COILS, (block + 1) * BLOCK_COILS)
    found = []
    for fault in line.scenario.camera_faults:
        if fault.kind is kind:
            on = active(coils, fault.onset_coil, fault.until_coil)
            if on.any():
                found.append((fault, line.scenario.camera_ids.index(fault.camera_id), on))
    return found


def _of_defects(line: SimulatedLine, block: int, births: Births, draws: np.random.Generator) -> Sightings:
    strip = line.scenario.strip
    cameras = len(line.scenario.eyes)
    defect, camera = np.nonzero(_reported(line, block, births, draws))
    frame, row = _frames(line, births.place_m[defect], camera)
    cell = ((births.coil[defect] - block * BLOCK_COILS) * cameras + camera) * strip.frames_per_coil + frame
    order = np.lexsort((-births.size[defect], cell))
    _, first = np.unique(cell[order], return_index=True)
    best = order[first]
    cell, defect, row = cell[best], defect[best], row[best]
    count = len(cell)
    true = births.label[defect]
    label = (draws.random(count)[:, None] >= line.confusion_steps[true]).sum(axis=1)
    spot = np.column_stack((births.lane[defect], row)) + draws.normal(0, SPOT_ERROR, (count, 2))
    confidence = np.where(label == true, draws.beta(*_RIGHT, count), draws.beta(*_WRONG, count))
    seen = Sightings(cell, label, np.clip(confidence, _LEAST_CONFIDENCE, 1), np.clip(spot, 0, 1), defect)
    return seen.take(label < len(line.scenario.classes))


def _reported(
    line: SimulatedLine, block: int, births: Births, draws: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """(N, J): the defect was still there and the camera's model saw it; a defect once wiped off stays off."""
    sensitivity = np.column_stack([eye.sensitivity for eye in line.scenario.eyes])[births.label]
    own = np.isnan(births.detection)[:, None]
    chance = np.where(own, sensitivity, births.detection[:, None])
    for fault, camera, coils in _camera_faults(line, block, CameraFaultKind.SENSITIVITY):
        chance[coils[births.coil - block * BLOCK_COILS], camera] *= fault.factor
    there = draws.random(len(births))[:, None] < line.reach[births.machine, births.label]
    return np.asarray(there & (draws.random(chance.shape) < chance))


def _frames(line: SimulatedLine, place_m: Floats, camera: Codes) -> tuple[Codes, Floats]:
    """Frame within the coil and row in it (0 to 1) of each place; the outer frames reach to the joints."""
    strip = line.scenario.strip
    scaled = (place_m - line.phase_m[camera]) / strip.frame_pitch_m
    frame = np.clip(np.floor(scaled), 0, strip.frames_per_coil - 1)
    return frame.astype(np.int64), np.clip(scaled - frame, 0, 1)


def _false_calls(line: SimulatedLine, block: int, draws: np.random.Generator) -> Sightings:
    eyes = line.scenario.eyes
    share = np.tile([eye.false_per_frame for eye in eyes], (BLOCK_COILS, 1))
    for fault, camera, coils in _camera_faults(line, block, CameraFaultKind.FALSE_POSITIVES):
        share[coils, camera] *= fault.factor
    cell = _sprinkled(line, np.minimum(share, _MOST), draws)
    count = len(cell)
    return Sightings(
        cell,
        draws.integers(0, len(line.scenario.classes), count),
        np.clip(draws.beta(*_INVENTED, count), _LEAST_CONFIDENCE, 1),
        draws.random((count, 2)),
        np.full(count, FALSE_CALL, dtype=np.int64),
    )


def _blemish(
    line: SimulatedLine, fault: CameraFault, camera: int, coils: npt.NDArray[np.bool_], draws: np.random.Generator
) -> Sightings:
    share = np.zeros((BLOCK_COILS, len(line.scenario.eyes)))
    share[coils, camera] = fault.share
    cell = _sprinkled(line, share, draws)
    count = len(cell)
    label = 0 if fault.defect_class is None else line.scenario.classes.index(fault.defect_class)
    return Sightings(
        cell,
        np.full(count, label, dtype=np.int64),
        np.clip(draws.beta(*_WRONG, count), _LEAST_CONFIDENCE, 1),
        np.clip(np.array(fault.spot) + draws.normal(0, SPOT_ERROR, (count, 2)), 0, 1),
        np.full(count, LENS, dtype=np.int64),
    )


def _sprinkled(line: SimulatedLine, share: Floats, draws: np.random.Generator) -> Codes:
    """Draw each frame of (coil, camera) with probability `share`, independently; ascending cells.

    A Poisson number of throws with mean -ln(1 - share) per frame leaves a frame unhit with probability 1 - share.
    """
    frames = line.scenario.strip.frames_per_coil
    throws = draws.poisson(-np.log1p(-share) * frames)
    start = np.repeat(np.arange(throws.size) * frames, throws.ravel())
    return np.unique(start + draws.integers(0, frames, len(start)))


def _blinded(line: SimulatedLine, block: int, seen: Sightings) -> Sightings:
    """Leave out what a blind camera would have reported."""
    coil, camera, _ = np.unravel_index(
        seen.frame, (BLOCK_COILS, len(line.scenario.eyes), line.scenario.strip.frames_per_coil)
    )
    lost = np.zeros(len(seen.frame), dtype=np.bool_)
    for _, blind, coils in _camera_faults(line, block, CameraFaultKind.BLIND):
        lost |= (camera == blind) & coils[coil]
    return seen.take(~lost)
