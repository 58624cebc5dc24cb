"""One defect, many sightings: joins what cameras saw at the same place of the strip, camera by camera."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.registration.table import Floats

Indices = npt.NDArray[np.int64]

ABUTTING: Final = 0.98
"""Frames whose centres lie a whole frame apart only touch: they do not show the same place."""
_ROUNDS: Final = 3
"""Sightings that lost the nearest defect to a nearer one try the next, this often."""


@dataclass(frozen=True, slots=True)
class CameraSightings:
    """What one camera reported on one coil.

    Attributes:
        places: (K,) centres of the frames with a defect, ascending, metres.
        half_m: Half the length of a frame.
    """

    places: Floats
    half_m: float


@dataclass(frozen=True, slots=True)
class Matches:
    """D physical defects on one coil.

    Attributes:
        place_m: (D,) middle of what all sightings have in common, ascending.
        half_m: (D,) half the length of it.
        sighting: (D, J) index into the camera's sightings, -1 where the camera reported nothing.
        sought_m: (D, J, 2) from where to where the frames lay (their centres) that were asked at each camera; NaN
            at the first camera that reported the defect and at those before it.
    """

    place_m: Floats
    half_m: Floats
    sighting: Indices
    sought_m: Floats


def match_sightings(cameras: Sequence[CameraSightings]) -> Matches:
    """Join sightings of J cameras in strip order into defects.

    A sighting and a defect are the same when the camera's frame overlaps the stretch of strip in which the defect
    must lie; each defect takes at most one sighting of a camera, the nearest one first. What is left over is new.
    """
    low = np.empty(0)
    high = np.empty(0)
    sighting = np.empty((0, len(cameras)), dtype=np.int64)
    sought = np.empty((0, len(cameras), 2))
    for index, camera in enumerate(cameras):
        reach = ABUTTING * ((high - low) / 2 + camera.half_m)
        sought[:, index] = np.stack(((low + high) / 2 - reach, (low + high) / 2 + reach), axis=1)
        taken_by = _assign((low + high) / 2, (high - low) / 2, camera)
        old = taken_by >= 0
        low[taken_by[old]] = np.maximum(low[taken_by[old]], camera.places[old] - camera.half_m)
        high[taken_by[old]] = np.minimum(high[taken_by[old]], camera.places[old] + camera.half_m)
        sighting[taken_by[old], index] = np.flatnonzero(old)
        new = np.flatnonzero(~old)
        fresh = np.full((len(new), len(cameras)), -1, dtype=np.int64)
        fresh[:, index] = new
        low = np.concatenate((low, camera.places[new] - camera.half_m))
        high = np.concatenate((high, camera.places[new] + camera.half_m))
        sighting = np.concatenate((sighting, fresh))
        order = np.argsort(low + high, kind="stable")
        sought = np.concatenate((sought, np.full((len(new), len(cameras), 2), np.nan)))
        low, high, sighting, sought = low[order], high[order], sighting[order], sought[order]
    return Matches((low + high) / 2, np.maximum(high - low, 0.0) / 2, sighting, sought)


def _assign(centres: Floats, halves: Floats, camera: CameraSightings) -> Indices:
    """Return for each sighting the defect it belongs to, -1 for none; no defect is given away twice."""
    places = camera.places
    result = np.full(len(places), -1, dtype=np.int64)
    if not len(centres) or not len(places):
        return result
    free = np.ones(len(centres), dtype=np.bool_)
    for _ in range(_ROUNDS):
        open_rows = np.flatnonzero(result < 0)
        candidates = np.flatnonzero(free)
        if not len(open_rows) or not len(candidates):
            break
        chosen, distance = _nearest(centres[candidates], places[open_rows])
        reach = ABUTTING * (halves[candidates[chosen]] + camera.half_m)
        near = np.flatnonzero(distance < np.maximum(reach, 1e-9))
        if not len(near):
            break
        best_first = near[np.argsort(distance[near], kind="stable")]
        _, first = np.unique(chosen[best_first], return_index=True)
        winners = best_first[first]
        result[open_rows[winners]] = candidates[chosen[winners]]
        free[candidates[chosen[winners]]] = False
    return result


def _nearest(centres: Floats, places: Floats) -> tuple[Indices, Floats]:
    """Return index and distance of the nearest centre (ascending) for each place."""
    right = np.searchsorted(centres, places).clip(0, len(centres) - 1)
    left = (right - 1).clip(0)
    to_left, to_right = np.abs(places - centres[left]), np.abs(places - centres[right])
    chosen = np.where(to_left <= to_right, left, right)
    return chosen.astype(np.int64), np.minimum(to_left, to_right)
