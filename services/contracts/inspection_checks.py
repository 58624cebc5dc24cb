"""Checks of an export of inspections that need several rows or the line file."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from services.contracts.inspection_columns import ExportColumns
from services.domain.registration.table import UNKNOWN, Floats, InspectionTable
from services.domain.topology import Topology

_FRAMES_BACK: Final = 2.0
_LEAST_BACK_M: Final = 0.1
"""Positions may fall back by this many frames, and at least by this length: encoders tremble."""


def lines_of_cameras(columns: ExportColumns, table: InspectionTable, topology: Topology) -> npt.NDArray[np.int64]:
    """Return (N,) the index of each row's line in `topology.lines`; a camera of a line's older versions counts.

    Raises:
        ConfigurationError: A camera stands in no line.
    """
    numbers = {line.id: number for number, line in enumerate(topology.lines)}
    versions = (*topology.lines, *topology.older)
    line_of = {camera.camera_id: numbers[line.id] for line in versions for camera in line.cameras}
    strange = np.array([name not in line_of for name in table.cameras])
    if strange.any():
        row = int(strange[table.camera].argmax())
        known = ", ".join(camera.camera_id for camera in topology.cameras) or "none"
        columns.refuse(
            row,
            "camera_id",
            f"camera {table.cameras[table.camera[row]]!r} stands in no line file; known are {known}",
        )
    return np.array([line_of[name] for name in table.cameras], dtype=np.int64)[table.camera]


def rows_to_keep(columns: ExportColumns, table: InspectionTable) -> npt.NDArray[np.bool_]:
    """Return (N,) which rows to keep: the first of each frame and camera.

    Raises:
        ConfigurationError: Two rows of a frame and camera contradict each other.
    """
    kept = np.ones(len(table), dtype=np.bool_)
    frames = columns.texts("frame_id", required=True)
    if pc.count_distinct(frames).as_py() == len(table):
        return kept
    frame = frames.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    key = frame * len(table.cameras) + table.camera
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1]) + 1
    later, earlier = order[again], order[again - 1]
    kept[later] = False
    differing = np.zeros(len(later), dtype=np.bool_)
    fields: tuple[npt.NDArray[Any], ...] = (table.coil, table.captured_s, table.position_m, table.label)
    for values in (*fields, table.confidence, table.spot[:, 0], table.spot[:, 1]):
        one, two = values[earlier], values[later]
        both_unknown = np.isnan(one) & np.isnan(two)
        differing |= (one != two) & ~both_unknown
    if differing.any():
        row = int(later[differing].min())
        columns.refuse(
            row,
            "frame_id",
            f"frame {table.frame_id[row]!r} of camera {table.cameras[table.camera[row]]!r} stands in the file"
            " before, with other values",
        )
    return kept


def refuse_backwards(columns: ExportColumns, table: InspectionTable) -> None:
    """Refuse positions of one camera and coil that fall while time goes on by more than an encoder trembles.

    Raises:
        ConfigurationError: They do; the sentence names line, camera and coil.
    """
    rows = np.flatnonzero(np.isfinite(table.position_m) & (table.coil != UNKNOWN))
    if not len(rows):
        return
    passage = table.camera[rows].astype(np.int64) * max(len(table.coils), 1) + table.coil[rows]
    order = np.lexsort((table.position_m[rows], table.captured_s[rows], passage))
    rows, passage = rows[order], passage[order]
    position_m = table.position_m[rows]
    moving = np.abs(np.diff(position_m)[np.diff(passage) == 0])
    moving = moving[moving > 0]
    allowed_m = max(_FRAMES_BACK * float(np.median(moving)), _LEAST_BACK_M) if len(moving) else _LEAST_BACK_M
    fallen = np.flatnonzero(position_m < _furthest_m(position_m, passage) - allowed_m)
    if not len(fallen):
        return
    row = int(rows[fallen[0]])
    earlier = np.flatnonzero(passage[: fallen[0]] == passage[fallen[0]])
    before_m = float(position_m[earlier].max())
    columns.refuse(
        row,
        "strip_position_m",
        f"{table.position_m[row]:g} m after {before_m:g} m: positions of camera"
        f" {table.cameras[table.camera[row]]!r} run backwards on coil {table.coils[table.coil[row]]!r}",
    )


def _furthest_m(position_m: Floats, passage: npt.NDArray[np.int64]) -> Floats:
    """Return (N,) the furthest place so far within each passage; rows of a passage stand together."""
    _, number = np.unique(passage, return_inverse=True)
    lift = number * (float(np.ptp(position_m)) + 1.0)
    return np.asarray(np.maximum.accumulate(position_m + lift) - lift, dtype=np.float64)
