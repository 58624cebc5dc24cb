"""Which coil does a frame belong to, and in what order did the coils pass?

Cameras that know the coil say so. Where none does, welds cut the strip into coils; on a strip without welds it is
cut into sections of a fixed length, so that there is something to count on.
"""

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.registration.coil import LandmarkRule
from services.domain.registration.layout import LineLayout
from services.domain.registration.places import camera_indices, places_m
from services.domain.registration.table import UNKNOWN, Codes, Floats, InspectionTable

SECTION_M: Final = 250.0


def with_coils(table: InspectionTable, layout: LineLayout, rule: LandmarkRule) -> InspectionTable:
    """Return the same rows, each with a coil.

    Args:
        table: Rows of one line.
        layout: The line.
        rule: Which class is a weld.
    """
    missing = table.coil == UNKNOWN
    if not missing.any():
        return table
    camera = camera_indices(table, layout)
    places = places_m(table, camera, layout)
    if missing.all():
        cuts = _weld_cuts(table, camera, places, rule)
        return _cut_at(table, places, cuts) if len(cuts) else _sections(table, places, layout)
    return _by_neighbours(table, places, missing)


def coil_order(table: InspectionTable, layout: LineLayout) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Return coil codes in the order in which the coils entered the line, each with its rows.

    The middle of the times at which its frames' places passed the entry decides, so one wrong clock does not.
    """
    camera = camera_indices(table, layout)
    entered = table.captured_s - layout.station_m[camera] / layout.line.speed_m_s
    order = np.argsort(table.coil, kind="stable")
    codes, starts = np.unique(table.coil[order], return_index=True)
    rows = np.split(order, starts[1:])
    when = [float(np.median(entered[each])) for each in rows]
    names = [table.coils[code] for code in codes]
    ranked = sorted(range(len(codes)), key=lambda place: (when[place], names[place]))
    return [(int(codes[place]), rows[place]) for place in ranked]


def _weld_cuts(table: InspectionTable, camera: Codes, places: Floats, rule: LandmarkRule) -> Floats:
    """Return the places of welds: at least half of the cameras saw one there, and at least two of several."""
    if rule.weld is None:
        return np.empty(0)
    welds = np.flatnonzero(table.label == rule.weld)
    welds = welds[np.argsort(places[welds], kind="stable")]
    if not len(welds):
        return np.empty(0)
    breaks = np.flatnonzero(np.diff(places[welds]) > 2 * rule.beside_m) + 1
    cameras = len(np.unique(camera))
    needed = max(min(2, cameras), cameras / 2)
    groups = [each for each in np.split(welds, breaks) if len(np.unique(camera[each])) >= needed]
    return np.array([float(np.median(places[each])) for each in groups])


def _cut_at(table: InspectionTable, places: Floats, cuts: Floats) -> InspectionTable:
    names = ("before the first weld", *(f"weld at {cut:.0f} m" for cut in cuts))
    return replace(table, coils=names, coil=np.searchsorted(cuts, places, side="right").astype(np.int32))


def _sections(table: InspectionTable, places: Floats, layout: LineLayout) -> InspectionTable:
    section = np.floor(places / SECTION_M).astype(np.int64)
    numbers, codes = np.unique(section, return_inverse=True)
    names = tuple(f"{layout.line.id} from {number * SECTION_M:.0f} m" for number in numbers)
    return replace(table, coils=names, coil=codes.astype(np.int32))


def _by_neighbours(table: InspectionTable, places: Floats, missing: npt.NDArray[np.bool_]) -> InspectionTable:
    """Give rows without a coil the coil that other cameras name at the same place of the strip."""
    known = ~missing
    codes = np.unique(table.coil[known])
    middle = np.array([float(np.median(places[known & (table.coil == code)])) for code in codes])
    order = np.argsort(middle)
    codes = codes[order]
    ends = np.array([float(places[known & (table.coil == code)].max()) for code in codes])
    starts = np.array([float(places[known & (table.coil == code)].min()) for code in codes])
    borders = (ends[:-1] + starts[1:]) / 2
    coil = table.coil.copy()
    coil[missing] = codes[np.searchsorted(borders, places[missing], side="right")]
    return replace(table, coil=coil)
