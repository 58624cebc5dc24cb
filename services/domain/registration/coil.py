"""One coil as all cameras saw it: registered defects, who looked where, and the marks of its coil changes."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import NOT_LOOKED, NOT_SEEN, Labels
from services.domain.registration.alignment import align
from services.domain.registration.layout import LineLayout
from services.domain.registration.matching import CameraSightings, Matches, match_sightings
from services.domain.registration.places import camera_indices, frame_pitch_m, places_m
from services.domain.registration.table import UNKNOWN, Floats, InspectionTable

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_LONGEST_PITCH_M: Final = 20.0
_TOUCH: Final = 1.02
"""A place between two frames that just abut counts as looked at."""


@dataclass(frozen=True, slots=True)
class LandmarkRule:
    """Which classes mark a coil change.

    Attributes:
        weld: Code of the class that is always a landmark; None: the material has no welds.
        beside: Codes of classes that are landmarks when they stand within `beside_m` of a weld.
    """

    weld: int | None
    beside: tuple[int, ...]
    beside_m: float


@dataclass(frozen=True, slots=True)
class RegisteredCoil:
    """D defects on one coil, seen by J cameras; `rows` leads back to the table it was made of.

    Attributes:
        labels: (D, J) label codes, `NOT_SEEN` or `NOT_LOOKED`.
        rows: (D, J) row of each sighting in `table`, -1 where there is none.
        asked: (D, J) frames of each camera that would have been taken for the defect, at least 1; more than one
            where the frames of two cameras do not lie above each other.
        place_m: (D,) places on the scale of the first camera.
        half_m: (D,) how far off the place may be.
        landmark: (D,) marks of a coil change.
        looked: (P, J) the different sets of cameras that looked at some stretch of the coil.
        looked_m: (P,) metres of strip each of these sets looked at.
        frames: (J,) frames of each camera.
        inspected_m: (J,) metres each camera inspected.
        sightings: (J,) frames each camera called a defect, landmarks left out.
        pitch_m: (J,) usual distance between frames; 0 for a camera without frames.
        start_s: Capture of the first frame, seconds since 1970 UTC; `end_s` of the last.
    """

    table: InspectionTable
    labels: Labels
    rows: Indices
    asked: Indices
    place_m: Floats
    half_m: Floats
    landmark: Mask
    looked: Mask
    looked_m: Floats
    frames: Indices
    inspected_m: Floats
    sightings: Indices
    pitch_m: Floats
    start_s: float
    end_s: float
    start_m: float
    length_m: float


@dataclass(frozen=True, slots=True)
class _CameraFrames:
    """All frames of one camera, by place."""

    places: Floats
    rows: Indices
    pitch_m: float

    def covers(self, points: Floats) -> Mask:
        """Return for each point whether a frame shows it."""
        if not len(self.places):
            return np.zeros(len(points), dtype=np.bool_)
        right = np.searchsorted(self.places, points).clip(0, len(self.places) - 1)
        left = (right - 1).clip(0)
        gap = np.minimum(np.abs(points - self.places[left]), np.abs(points - self.places[right]))
        return np.asarray(gap <= _TOUCH * self.pitch_m / 2 + 1e-9, dtype=np.bool_)

    def between(self, borders: Floats) -> Indices:
        """Return how many frames have their centre between two places (D, 2), at least 1; 1 where one is NaN."""
        first = np.searchsorted(self.places, borders[:, 0], side="right")
        last = np.searchsorted(self.places, borders[:, 1], side="left")
        return np.where(np.isnan(borders[:, 0]), 1, (last - first).clip(1)).astype(np.int64)

    def covers_all(self, first_m: float, last_m: float) -> bool:
        """Tell whether frames without a gap show everything between two places."""
        if not len(self.places):
            return False
        reach = _TOUCH * self.pitch_m / 2 + 1e-9
        ends = self.places[0] - reach <= first_m and self.places[-1] + reach >= last_m
        return bool(ends and np.all(np.diff(self.places) <= 2 * reach))


def register_coil(table: InspectionTable, layout: LineLayout, rule: LandmarkRule) -> RegisteredCoil:
    """Register the rows of one coil.

    Args:
        table: The coil's rows, at least one, in any order; all cameras stand in the layout.
        layout: The line.
        rule: Which classes are marks of a coil change.
    """
    camera = camera_indices(table, layout)
    frames, length = _frames(table, camera, layout)
    sighted = [table.label[each.rows] != UNKNOWN for each in frames]
    matches = match_sightings(
        [CameraSightings(f.places[s], f.pitch_m / 2) for f, s in zip(frames, sighted, strict=True)]
    )
    rows = _rows_of(matches, frames, sighted)
    labels = _labels(table, rows, matches.place_m, frames)
    landmark = _landmarks(labels, matches.place_m, rule, max(each.pitch_m for each in frames))
    sets, metres, inspected = _coverage(frames, *length)
    seen = (labels >= 0) & ~landmark[:, None]
    return RegisteredCoil(
        table=table,
        labels=labels,
        rows=rows,
        asked=np.stack([each.between(matches.sought_m[:, k]) for k, each in enumerate(frames)], axis=1),
        place_m=matches.place_m,
        half_m=matches.half_m,
        landmark=landmark,
        looked=sets,
        looked_m=metres,
        frames=np.array([len(each.places) for each in frames], dtype=np.int64),
        inspected_m=inspected,
        sightings=seen.sum(axis=0).astype(np.int64),
        pitch_m=np.array([each.pitch_m if len(each.places) else 0.0 for each in frames]),
        start_s=float(table.captured_s.min()),
        end_s=float(table.captured_s.max()),
        start_m=length[0],
        length_m=length[1] - length[0],
    )


def _frames(
    table: InspectionTable, camera: npt.NDArray[np.int32], layout: LineLayout
) -> tuple[list[_CameraFrames], tuple[float, float]]:
    """Return the frames of each camera by place, and the first and last place that any of them shows."""
    places = places_m(table, camera, layout)
    rows = [_by_place(np.flatnonzero(camera == index), places, table) for index in range(len(layout.cameras))]
    pitches = [frame_pitch_m(places[each]) for each in rows]
    usual = max((pitch for pitch in pitches if pitch > 0), default=1.0)
    aligned = align(places, camera, table.label != UNKNOWN, usual, layout)
    if aligned is not places:
        rows = [_by_place(each, aligned, table) for each in rows]
    frames = [
        _CameraFrames(aligned[each], each, min(pitch or usual, _LONGEST_PITCH_M))
        for each, pitch in zip(rows, pitches, strict=True)
    ]
    first = min(float(each.places[0]) - each.pitch_m / 2 for each in frames if len(each.places))
    last = max(float(each.places[-1]) + each.pitch_m / 2 for each in frames if len(each.places))
    return frames, (first, last)


def _by_place(rows: Indices, places: Floats, table: InspectionTable) -> Indices:
    """Return rows in strip order; time and label decide between frames of one place."""
    order = np.argsort(places[rows], kind="stable")
    ordered = rows[order]
    if np.all(np.diff(places[ordered]) > 0):
        return ordered
    return rows[np.lexsort((table.label[rows], table.captured_s[rows], places[rows]))]


def _rows_of(matches: Matches, frames: list[_CameraFrames], sighted: list[Mask]) -> Indices:
    """Turn indices into each camera's sightings into rows of the table."""
    rows = np.full(matches.sighting.shape, -1, dtype=np.int64)
    for index, (each, seen) in enumerate(zip(frames, sighted, strict=True)):
        defects = np.flatnonzero(matches.sighting[:, index] >= 0)
        rows[defects, index] = each.rows[seen][matches.sighting[defects, index]]
    return rows


def _labels(table: InspectionTable, rows: Indices, place_m: Floats, frames: list[_CameraFrames]) -> Labels:
    labels = np.where(rows >= 0, table.label[rows], NOT_SEEN).astype(np.int16)
    for index, each in enumerate(frames):
        unseen = labels[:, index] == NOT_SEEN
        labels[unseen & ~each.covers(place_m), index] = NOT_LOOKED
    return labels


def _landmarks(labels: Labels, place_m: Floats, rule: LandmarkRule, pitch_m: float) -> Mask:
    """Return which defects are marks of a coil change: by the vote of the cameras, or beside a weld."""
    result = np.zeros(len(labels), dtype=np.bool_)
    if rule.weld is None or not len(labels):
        return result
    votes = (labels >= 0).sum(axis=1)
    welds = 2 * (labels == rule.weld).sum(axis=1) >= votes
    if not welds.any():
        return result
    marks = np.sort(place_m[welds])
    right = np.searchsorted(marks, place_m).clip(0, len(marks) - 1)
    distance = np.minimum(np.abs(place_m - marks[right]), np.abs(place_m - marks[(right - 1).clip(0)]))
    companions = 2 * np.isin(labels, rule.beside).sum(axis=1) >= votes
    return np.asarray(
        welds | (companions & (distance <= rule.beside_m + pitch_m)) | (distance <= pitch_m), dtype=np.bool_
    )


def _coverage(frames: list[_CameraFrames], first_m: float, last_m: float) -> tuple[Mask, Floats, Floats]:
    """Return the sets of cameras that looked somewhere, the metres of each set, and the metres of each camera."""
    if all(each.covers_all(first_m, last_m) for each in frames):
        whole = last_m - first_m
        cameras = len(frames)
        return np.ones((1, cameras), dtype=np.bool_), np.array([whole]), np.full(cameras, whole)
    cell = min(float(each.pitch_m) for each in frames)
    cells = max(1, round((last_m - first_m) / cell))
    width = (last_m - first_m) / cells
    centres: Floats = first_m + width * (np.arange(cells, dtype=np.float64) + 0.5)
    looked = np.stack([each.covers(centres) for each in frames], axis=1)
    sets, counts = np.unique(looked, axis=0, return_counts=True)
    metres: Floats = counts.astype(np.float64) * width
    inspected: Floats = looked.sum(axis=0).astype(np.float64) * width
    return sets, metres, inspected
