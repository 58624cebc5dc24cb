"""Collects the rows of coils that still pass the cameras, and says when a coil is complete."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.contracts.monitor_records import ReadCursor
from services.domain.registration.coils import SECTION_M
from services.domain.registration.layout import LineLayout
from services.domain.registration.places import camera_indices, places_m
from services.domain.registration.table import UNKNOWN, Floats, InspectionTable

_ALIVE_S: Final = 30.0
"""A camera of which no row arrived for this long (our clock) is not waited for; one that lags behind is."""
_LONGEST_LAG_S: Final = 900.0
"""A coil is not kept open longer than this (capture time) for a camera that lags behind."""
_DAY_S: Final = 86400.0


@dataclass(slots=True)
class _Coil:
    """Rows so far, when the coil entered the line, its newest row, and where reading stood before the first."""

    parts: list[InspectionTable]
    entered_s: float
    newest_s: float
    cursor: ReadCursor


@dataclass(slots=True)
class OpenCoils:
    """The coils of one line that are not judged yet.

    Attributes:
        layout: The line.
        close_after_s: A coil without news for this long (capture time) is complete, even if a camera that lags
            behind may still have rows of it; None: 15 minutes.
    """

    layout: LineLayout
    close_after_s: float | None = None
    _coils: dict[str, _Coil] = field(default_factory=dict)
    _newest_s: dict[str, float] = field(default_factory=dict)
    _at_coil: dict[str, str] = field(default_factory=dict)
    _arrived_s: dict[str, float] = field(default_factory=dict)

    def add(self, table: InspectionTable, cursor: ReadCursor, now_s: float) -> None:
        """Take rows; those without a coil get the one that passed at their time, else a section of strip.

        Args:
            table: Rows of the line; cameras that the line does not know are left out.
            cursor: Where reading stood before them.
            now_s: When they arrived, by a clock that only goes forward.
        """
        camera = camera_indices(table, self.layout)
        if (camera < 0).any():
            table = table.take(camera >= 0)
            camera = camera[camera >= 0]
        if not len(table):
            return
        entered = table.captured_s - self.layout.station_m[camera] / self.layout.line.speed_m_s
        names = self._names(table, entered)
        for name in dict.fromkeys(names.tolist()):
            rows = np.flatnonzero(names == name)
            self._add_rows(str(name), table.take(rows), entered[rows], cursor)
        for code in np.unique(table.camera):
            self._arrived_s[table.cameras[code]] = now_s

    def complete(self, now_s: float, *, idle: bool = False) -> list[str]:
        """Return the coils that are complete, in the order of the line.

        A coil is complete when every camera that is alive is at a later coil, or when nothing of it came for
        `close_after_s` of capture time. The oldest open coil comes first, and none overtakes an open one.

        Args:
            now_s: By the clock of `add`.
            idle: Nothing arrives any more: all are complete.
        """
        ordered = sorted(self._coils, key=lambda name: (self._coils[name].entered_s, name))
        if idle:
            return ordered
        closed = []
        for name in ordered:
            if not self._is_complete(self._coils[name], now_s):
                break
            closed.append(name)
        return closed

    def take(self, name: str) -> InspectionTable:
        """Return all rows of a coil and forget it; of a frame that came twice the later row."""
        coil = self._coils.pop(name)
        table = coil.parts[0]
        for part in coil.parts[1:]:
            table = joined(table, part)
        return newest_rows(table)

    def oldest_s(self, name: str) -> float:
        """Return the oldest capture of an open coil, seconds since 1970."""
        return min(float(part.captured_s.min()) for part in self._coils[name].parts)

    @property
    def oldest_cursor(self) -> ReadCursor | None:
        """Where reading stood before the first row of all open coils; None when none is open."""
        if not self._coils:
            return None
        return min(self._coils.values(), key=lambda coil: coil.cursor.change_no).cursor

    def __len__(self) -> int:
        """Number of open coils."""
        return len(self._coils)

    def _names(self, table: InspectionTable, entered: Floats) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        names = np.array([*table.coils, ""], dtype=np.object_)[table.coil]
        missing = np.flatnonzero(table.coil == UNKNOWN)
        if not len(missing):
            return names
        known = sorted((coil.entered_s, name) for name, coil in self._coils.items())
        places = places_m(table, camera_indices(table, self.layout), self.layout)
        for row in missing:
            passed = [name for start_s, name in known if start_s <= entered[row] and not name.startswith("strip ")]
            names[row] = passed[-1] if passed else f"strip {int(places[row] // SECTION_M) * SECTION_M:.0f} m"
        return names

    def _add_rows(self, name: str, rows: InspectionTable, entered: Floats, cursor: ReadCursor) -> None:
        newest = float(rows.captured_s.max())
        coil = self._coils.get(name)
        if coil is None:
            coil = self._coils[name] = _Coil([], float(np.median(entered)), newest, cursor)
        coil.parts.append(rows)
        coil.newest_s = max(coil.newest_s, newest)
        for code in np.unique(rows.camera):
            camera = rows.cameras[code]
            at_s = float(rows.captured_s[rows.camera == code].max())
            if at_s >= self._newest_s.get(camera, -np.inf):
                self._newest_s[camera] = at_s
                self._at_coil[camera] = name

    def _is_complete(self, coil: _Coil, now_s: float) -> bool:
        patience_s = _LONGEST_LAG_S if self.close_after_s is None else self.close_after_s
        if self._watermark_s() - coil.newest_s > patience_s:
            return True
        alive = [camera for camera, at_s in self._arrived_s.items() if now_s - at_s <= _ALIVE_S]
        return bool(alive) and all(self._is_behind(self._at_coil[camera], coil) for camera in alive)

    def _is_behind(self, name: str, coil: _Coil) -> bool:
        """Tell whether a coil entered after another one; one that is judged already did not."""
        other = self._coils.get(name)
        return other is not None and other.entered_s > coil.entered_s

    def _watermark_s(self) -> float:
        """Return the time that the cameras have reached: their median, so one wrong clock does not decide."""
        newest = np.array(list(self._newest_s.values()))
        return float(np.median(newest[newest >= newest.max() - _DAY_S]))


def joined(first: InspectionTable, second: InspectionTable) -> InspectionTable:
    """Return the rows of two tables whose names may differ."""
    cameras = tuple(dict.fromkeys((*first.cameras, *second.cameras)))
    coils = tuple(dict.fromkeys((*first.coils, *second.coils)))
    classes = tuple(dict.fromkeys((*first.classes, *second.classes)))
    return first.recoded(cameras, coils, classes).joined(second.recoded(cameras, coils, classes))


def newest_rows(table: InspectionTable) -> InspectionTable:
    """Return one row for each frame: the one that came last."""
    latest = {str(frame_id): row for row, frame_id in enumerate(table.frame_id)}
    if len(latest) == len(table):
        return table
    return table.take(np.array(sorted(latest.values()), dtype=np.intp))
