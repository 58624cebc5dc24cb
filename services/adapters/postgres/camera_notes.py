"""Decides whose 'last seen' is worth a write, so that a busy camera costs one update a second, not one a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.domain.inspection import Inspection

_STEP: Final = timedelta(seconds=1)
_MOST_CAMERAS: Final = 10_000


@dataclass(slots=True)
class CameraNotes:
    """What the database was last told about each camera: newest capture and newest receipt."""

    _told: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def due(self, batch: Sequence[Inspection]) -> list[Inspection]:
        """Return the newest inspection of each camera that moved on by a second since it was last told."""
        newest: dict[str, Inspection] = {}
        for inspection in batch:
            known = newest.get(inspection.camera_id)
            if known is None or known.captured_at < inspection.captured_at:
                newest[inspection.camera_id] = inspection
        return [inspection for inspection in newest.values() if self._moved(inspection)]

    def told(self, inspections: Sequence[Inspection]) -> None:
        """Remember what is committed. At most 10,000 cameras are remembered; beyond that all are told again."""
        if len(self._told) > _MOST_CAMERAS:
            self._told.clear()
        for inspection in inspections:
            self._told[inspection.camera_id] = (inspection.captured_at, inspection.received_at)

    def _moved(self, inspection: Inspection) -> bool:
        told = self._told.get(inspection.camera_id)
        if told is None:
            return True
        captured, received = told
        return inspection.captured_at - captured >= _STEP or inspection.received_at - received >= _STEP
