"""The writing side of a spool: which segment takes the next record, and whether there is room for it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from services.adapters.spool.segments import SEGMENT_HEADER_BYTES, Segment
from services.contracts.capture import SpoolPolicy

_LARGEST_SEGMENT_BYTES: Final = 16 << 20
_SMALLEST_SEGMENT_BYTES: Final = 64 << 10
_SEGMENTS_PER_SPOOL: Final = 16


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How large a spool may grow.

    Attributes:
        max_bytes: Bytes of segment files on disk.
        min_free_bytes: Free space of the disk that is left alone.
        policy: What gives way when a limit is reached.
    """

    max_bytes: int
    min_free_bytes: int
    policy: SpoolPolicy

    @property
    def segment_bytes(self) -> int:
        """Size at which a new segment begins; space is freed in such steps."""
        share = self.max_bytes // _SEGMENTS_PER_SPOOL
        return max(_SMALLEST_SEGMENT_BYTES, min(_LARGEST_SEGMENT_BYTES, share))


class Inflow:
    """Appends to the newest segment; not thread-safe, the spool's lock guards it.

    Attributes:
        active: The segment that is being written, None until the first record after a start.
    """

    def __init__(self, directory: Path, segments: list[Segment], limits: SpoolLimits) -> None:
        """Write behind `segments`; a new start always begins a new file."""
        self.active: Segment | None = None
        self._directory = directory
        self._segments = segments
        self._limits = limits
        self._next_ordinal = max((each.ordinal for each in segments), default=0) + 1

    def no_room(self, record_bytes: int) -> str | None:
        """Return why a record of this size must not be written, None when it may."""
        held = sum(each.end for each in self._segments)
        if held + record_bytes > self._limits.max_bytes:
            return f"the spool is full: {held} of {self._limits.max_bytes} bytes wait for the broker"
        disk = os.statvfs(self._directory)
        free = disk.f_bavail * disk.f_frsize
        if free - record_bytes < self._limits.min_free_bytes:
            return f"the disk of the spool has only {free >> 20} MB free"
        return None

    def store(self, record: Sequence[bytes], session_id: UUID) -> str | None:
        """Write a record; return why it could not be written, in which case the files are as before."""
        try:
            segment = self._segment_for(sum(map(len, record)), session_id)
            segment.append(record)
        except OSError as error:
            return f"the spool cannot be written: {error.strerror}"
        segment.unreleased += 1
        return None

    def seal(self, segment: Segment) -> None:
        """Write no more to this segment."""
        if segment is self.active:
            self.active = None

    def remove(self, segment: Segment) -> None:
        """Forget a segment; the caller deletes it."""
        self._segments.remove(segment)
        self.seal(segment)

    def remove_spent(self) -> list[Segment]:
        """Forget and return the finished segments in which nothing waits."""
        spent = [s for s in self._segments if s.unreleased == 0 and s is not self.active]
        for segment in spent:
            self._segments.remove(segment)
        return spent

    def _segment_for(self, record_bytes: int, session_id: UUID) -> Segment:
        active = self.active
        full = active is not None and active.end + record_bytes > self._limits.segment_bytes
        if active is None or (full and active.end > SEGMENT_HEADER_BYTES):
            active = Segment.create(self._directory, self._next_ordinal, session_id)
            self._next_ordinal += 1
            self._segments.append(active)
            self.active = active
        return active
