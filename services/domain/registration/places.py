"""Where on the strip a frame was taken: the position it carries, else capture time and line speed."""

import numpy as np

from services.domain.registration.layout import LineLayout
from services.domain.registration.table import Codes, Floats, InspectionTable


def camera_indices(table: InspectionTable, layout: LineLayout) -> Codes:
    """Return (N,) the index in the layout of each row's camera, -1 for a camera that is not on the line."""
    index = {name: place for place, name in enumerate(layout.cameras)}
    code = np.array([index.get(name, -1) for name in table.cameras], dtype=np.int32)
    return np.asarray(code[table.camera], dtype=np.int32)


def places_m(table: InspectionTable, camera: Codes, layout: LineLayout) -> Floats:
    """Return (N,) places on the strip in metres, on the scale of the line's first camera where stretch is known.

    A frame without a position gets one from its capture time: speed x time minus the camera's distance from the
    line's entry, shifted so that it agrees with the frames of the same rows that do have a position.

    Args:
        table: Rows of one line.
        camera: (N,) index of each row's camera in `layout.cameras`.
        layout: The line.
    """
    from_time = layout.line.speed_m_s * table.captured_s - layout.station_m[camera]
    given = np.isfinite(table.position_m)
    if given.all():
        return table.position_m
    shift = float(np.median(table.position_m[given] - from_time[given])) if given.any() else 0.0
    return np.where(given, table.position_m, from_time + shift)


def frame_pitch_m(sorted_places: Floats) -> float:
    """Return the usual distance between successive frames of one camera, 0 when there are fewer than two."""
    steps = np.diff(sorted_places)
    steps = steps[steps > 0]
    if not len(steps):
        return 0.0
    middle = len(steps) // 2
    return float(np.partition(steps, middle)[middle])
