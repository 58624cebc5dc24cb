"""Turns rows of inspections into tables of columns, tens of thousands at a time."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.domain.classes import NO_DEFECT
from services.domain.registration.table import UNKNOWN, Codes, Floats, InspectionTable, PictureColumns

Row = tuple[object, ...]

SELECTED: Final = """
frame_id::text, line_id, camera_id, coil_id, extract(epoch FROM captured_at)::float8,
coalesce(strip_position_m, 'NaN'), defect_class, confidence, coalesce(spot_x, 'NaN'), coalesce(spot_y, 'NaN'),
change_no, captured_at, model_version,
coalesce(brightness, 'NaN'), coalesce(saturated, 'NaN'), coalesce(sharpness, 'NaN'), coalesce(picture_hash, 0)"""
"""Columns that `by_line` takes, in its order."""

_VERSION, _BRIGHTNESS, _SATURATED, _SHARPNESS, _HASH = range(12, 17)


def by_line(rows: Sequence[Row]) -> dict[str, InspectionTable]:
    """Return a table per line of rows that have the columns `SELECTED`.

    Of a frame that several model versions judged, the newest version's row stays: the longest, then the last in
    the alphabet, which for Triton's numbers is the greatest.
    """
    lines: dict[str, list[Row]] = {}
    kept = _newest_versions(rows)
    first = kept[0][1] if kept else None
    if all(row[1] == first for row in kept):
        return {str(first): _table(kept)} if kept else {}
    for row in kept:
        lines.setdefault(str(row[1]), []).append(row)
    return {line_id: _table(each) for line_id, each in lines.items()}


def table_of_one_line(rows: Sequence[Row]) -> InspectionTable:
    """Return the table of rows of one line; see `by_line`."""
    return _table(_newest_versions(rows))


def _newest_versions(rows: Sequence[Row]) -> Sequence[Row]:
    if len({row[0] for row in rows}) == len(rows):
        return rows
    newest: dict[object, Row] = {}
    for row in rows:
        known = newest.get(row[0])
        if known is None or _rank(row) > _rank(known):
            newest[row[0]] = row
    return list(newest.values())


def _rank(row: Row) -> tuple[int, str]:
    version = str(row[_VERSION])
    return len(version), version


def _table(rows: Sequence[Row]) -> InspectionTable:
    columns = list(zip(*rows, strict=True)) if rows else [()] * (_HASH + 1)
    cameras, camera = _coded(columns[2], None)
    coils, coil = _coded(columns[3], None)
    classes, label = _coded(columns[6], NO_DEFECT)
    return InspectionTable(
        cameras=cameras,
        coils=coils,
        classes=classes,
        frame_id=np.array(columns[0], dtype=np.object_),
        camera=camera,
        coil=coil,
        captured_s=_floats(columns[4]),
        position_m=_floats(columns[5]),
        label=label,
        confidence=_floats(columns[7]),
        spot=np.column_stack((_floats(columns[8]), _floats(columns[9]))),
        pictures=PictureColumns(
            _floats(columns[_BRIGHTNESS]),
            _floats(columns[_SATURATED]),
            _floats(columns[_SHARPNESS]),
            np.array(columns[_HASH], dtype=np.int64),
        ),
    )


def _floats(column: Sequence[object]) -> Floats:
    return np.array(column, dtype=np.float64)


def _coded(column: Sequence[object], nothing: object) -> tuple[tuple[str, ...], Codes]:
    """Return the names in a column, sorted, and a code for each row; `nothing` becomes `UNKNOWN`."""
    names = sorted(str(name) for name in set(column) if name != nothing)
    codes: dict[object, int] = {name: code for code, name in enumerate(names)}
    codes[nothing] = UNKNOWN
    return tuple(names), np.fromiter((codes[name] for name in column), dtype=np.int32, count=len(column))
