"""The latest defects with their most probable cause: evidence frames of flags, and marks to find a period in."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.monitoring.reading import CoilReading
from services.domain.monitoring.state import HISTORY_COILS
from services.domain.registration.coil import RegisteredCoil

LONGEST: Final = 6000
_LEAST_WEIGHT: Final = 0.3
"""Defects that are less sure than this of every machine are no evidence against one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One defect.

    Attributes:
        number: Of its coil.
        group: Index of its most probable machine group.
        defect_class: Index of its most probable class there.
        weight: Posterior of both.
        place_m: Along the strip.
        frame_id: Of its clearest sighting.
        camera: Index of the camera that took it.
    """

    number: int
    group: int
    defect_class: int
    weight: float
    place_m: float
    frame_id: str
    camera: int


class EvidenceLog:
    """Bounded by coils and entries, so that it does not grow with history."""

    def __init__(self, entries: Iterator[Entry] | None = None) -> None:
        """Start empty, or with entries in their order."""
        self._entries: deque[Entry] = deque(entries or (), maxlen=LONGEST)

    def __iter__(self) -> Iterator[Entry]:
        """Oldest first."""
        return iter(self._entries)

    def note(self, number: int, coil: RegisteredCoil, reading: CoilReading) -> None:
        """Take the defects of one coil, and forget coils that nobody looks back on any more."""
        while self._entries and self._entries[0].number <= number - HISTORY_COILS:
            self._entries.popleft()
        born = reading.detection.born
        if not len(born):
            return
        flat = born.reshape(len(born), -1)
        best = flat.argmax(axis=1)
        weight = flat[np.arange(len(flat)), best]
        for defect in np.flatnonzero(weight >= _LEAST_WEIGHT):
            group, defect_class = divmod(int(best[defect]), born.shape[2])
            row, camera = _clearest(coil, int(reading.rows[defect]))
            place = float(coil.place_m[reading.rows[defect]])
            self._entries.append(
                Entry(
                    number,
                    group,
                    defect_class,
                    float(weight[defect]),
                    place,
                    str(coil.table.frame_id[row]),
                    camera,
                )
            )

    def of(self, group: int, defect_class: int, since: int) -> list[Entry]:
        """Return the entries of a stream since a coil, oldest first."""
        return [
            each
            for each in self._entries
            if each.group == group and each.defect_class == defect_class and each.number >= since
        ]


def segments_m(entries: list[Entry]) -> list[npt.NDArray[np.float64]]:
    """Return the places of defects, an array for each coil, metres."""
    numbers = sorted({each.number for each in entries})
    return [np.array([each.place_m for each in entries if each.number == number]) for number in numbers]


def _clearest(coil: RegisteredCoil, defect: int) -> tuple[int, int]:
    """Return row and camera of the sighting with the highest confidence; the first camera wins a tie."""
    cameras = np.flatnonzero(coil.rows[defect] >= 0)
    rows = coil.rows[defect, cameras]
    best = int(coil.table.confidence[rows].argmax())
    return int(rows[best]), int(cameras[best])
