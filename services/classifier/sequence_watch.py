"""Notices frames that a camera counted and nobody delivered."""

import threading
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

PATIENCE_S: Final = 30.0
"""A missing number that arrives within this time was late, not lost."""

_MAX_MISSING: Final = 1000


@dataclass(slots=True)
class _Session:
    highest: int
    missing: dict[int, float] = field(default_factory=dict)


class SequenceWatch:
    """Follows every camera's durable counter; batches may come in any order, frames may come twice.

    Counting begins with the first number seen, since another worker may have read what was before.
    """

    def __init__(self) -> None:
        """Start without cameras."""
        self._sessions: dict[tuple[str, UUID], _Session] = {}
        self._lock = threading.Lock()

    def saw(self, camera_id: str, session_id: UUID, sequence: int, now_s: float) -> None:
        """Say that a frame with this number was read, whatever became of it."""
        with self._lock:
            session = self._sessions.setdefault((camera_id, session_id), _Session(sequence))
            if sequence <= session.highest:
                session.missing.pop(sequence, None)
                return
            first_missing = max(session.highest + 1, sequence - _MAX_MISSING)
            session.missing |= dict.fromkeys(range(first_missing, sequence), now_s)
            session.highest = sequence

    def overdue(self, now_s: float) -> dict[str, int]:
        """Return how many numbers of each camera have stayed away too long; each is told once."""
        gaps: dict[str, int] = {}
        with self._lock:
            for (camera_id, _), session in self._sessions.items():
                late = [number for number, since_s in session.missing.items() if since_s < now_s - PATIENCE_S]
                for number in late:
                    del session.missing[number]
                if late:
                    gaps[camera_id] = gaps.get(camera_id, 0) + len(late)
        return gaps

    def forget(self, camera_ids: frozenset[str]) -> None:
        """Stop following cameras whose topic another worker reads now."""
        with self._lock:
            for key in [key for key in self._sessions if key[0] in camera_ids]:
                del self._sessions[key]
