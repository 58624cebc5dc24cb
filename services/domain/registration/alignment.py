"""Brings the cameras of one coil onto one scale: known stretch first, then what the sightings themselves show.

Wrong speeds, slipping encoders and unknown elongation shift and stretch a camera's positions. Defects and
coil-change marks that several cameras see are landmarks: the shift and stretch that bring most of them together
are taken out, when they explain clearly more sightings than none does.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.registration.layout import LineLayout
from services.domain.registration.table import Codes, Floats

Mask = npt.NDArray[np.bool_]

_REACH_M: Final = 10.0
"""Sightings further apart than this at two cameras are not taken for the same defect."""
_MOST_STRETCH: Final = 0.025
_WINDOW: Final = 0.75
"""Half a frame and a bit: sightings this near, in frames, agree."""
_GOOD_SHARE: Final = 0.5
"""A camera that agrees with the ones before it on this share of defects needs no correction."""
_LEAST_GAIN: Final = 3
_CROWDED: Final = 0.2
"""A camera that calls more of its frames than this agrees with everything somewhere: it is no landmark."""
_MOST_SIGHTINGS: Final = 400


def align(places: Floats, camera: Codes, sighted: Mask, pitch_m: float, layout: LineLayout) -> Floats:
    """Return (N,) places of one coil's frames on the scale of the first camera; `places` itself when all is well.

    Args:
        places: (N,) metres.
        camera: (N,) camera indices.
        sighted: (N,) frames with a defect or a mark.
        pitch_m: Usual distance between frames.
        layout: The line.
    """
    aligned = places
    head = float(places.min()) if len(places) else 0.0
    if np.any(layout.stretch != 1.0):
        aligned = head + (places - head) / layout.stretch[camera]
    reference = np.empty(0)
    for index in range(len(layout.cameras)):
        rows = camera == index
        called = rows & sighted
        if called.sum() > _CROWDED * rows.sum():
            continue
        marks = np.sort(aligned[called])[:_MOST_SIGHTINGS]
        if len(marks) and len(reference):
            shift, stretch = _correction(marks - head, reference - head, pitch_m)
            if shift or stretch:
                aligned = aligned.copy() if aligned is places else aligned
                aligned[rows] -= shift + stretch * (aligned[rows] - head)
                marks = np.sort(aligned[called])[:_MOST_SIGHTINGS]
        reference = _distinct(np.concatenate((reference, marks)), pitch_m)
    return aligned


def _correction(marks: Floats, reference: Floats, pitch_m: float) -> tuple[float, float]:
    """Return shift (metres) and stretch to take out of a camera's places, both 0 when nothing is wrong."""
    window = _WINDOW * pitch_m
    difference = marks[:, None] - reference[None, :]
    agreeing = int((np.abs(difference).min(axis=1) <= window).sum())
    if agreeing >= _GOOD_SHARE * min(len(marks), len(reference)):
        return 0.0, 0.0
    near = np.abs(difference) <= _REACH_M
    gaps, at = difference[near], np.broadcast_to(marks[:, None], difference.shape)[near]
    best, found = agreeing + _LEAST_GAIN - 1, (0.0, 0.0)
    span = max(float(marks[-1] - marks[0]), pitch_m)
    steps = int(np.ceil(_MOST_STRETCH * span / window))
    for stretch in sorted(np.linspace(-_MOST_STRETCH, _MOST_STRETCH, 2 * steps + 1), key=abs):
        shift, count = _densest(gaps - stretch * at, window)
        if count > best:
            best, found = count, (shift, float(stretch))
    return found


def _densest(values: Floats, window: float) -> tuple[float, int]:
    """Return the middle of the window of half-width `window` that holds most values, and how many it holds."""
    if not len(values):
        return 0.0, 0
    ordered = np.sort(values)
    ends = np.searchsorted(ordered, ordered + 2 * window, side="right")
    counts = ends - np.arange(len(ordered))
    first = int(counts.argmax())
    return float(np.median(ordered[first : ends[first]])), int(counts[first])


def _distinct(places: Floats, pitch_m: float) -> Floats:
    """Return one place for each run of places nearer than a frame."""
    ordered = np.sort(places)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > pitch_m / 2)
    return ordered[starts]
