"""The spool of one camera: append on one side, take and release on the other."""

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

from services.adapters.spool.inflow import Inflow, SpoolLimits
from services.adapters.spool.ledger import Books
from services.adapters.spool.outflow import Outflow, Ticket
from services.adapters.spool.records import DamagedRecord, decode_record, encode_record
from services.adapters.spool.recovery import open_directory, set_aside
from services.adapters.spool.segments import Segment
from services.contracts.capture import (
    CameraIdentity,
    CapturedImage,
    DropReason,
    SpoolPolicy,
    SpoolStatus,
)
from services.contracts.messages import Frame

_STEPS_TO_MAKE_ROOM: Final = 4

logger = logging.getLogger(__name__)


class FrameSpool:
    """Keeps frames on disk from capture until release; see the package for the format and the reasons.

    Two threads use it: one calls `append`, the other everything else. A frame that was appended is taken only
    after `sync`, so nothing is ever sent that a power cut could take back.
    """

    def __init__(self, directory: Path, identity: CameraIdentity, limits: SpoolLimits) -> None:
        """Open the directory and put its books in order.

        Raises:
            ConfigurationError: The directory is in use or cannot be written.
        """
        self._directory = directory
        self._identity = identity
        self._policy = limits.policy
        recovered = open_directory(directory)
        self._ledger = recovered.ledger
        self._books = recovered.books
        self._segments = recovered.segments
        self._outflow = Outflow(recovered.segments, recovered.books, recovered.released)
        self._inflow = Inflow(directory, recovered.segments, limits)
        self._problem: str | None = None
        self._books_changed = False
        self._lock = threading.Lock()

    def append(self, captured: CapturedImage) -> bool:
        """Give a captured image its sequence number and write it; False when the policy refused it.

        Waits for the file system's cache only, never for a flush or the broker. A refused frame keeps its sequence
        number and is counted as dropped, so the hole in the numbers and the counter say the same.
        """
        sha256 = hashlib.sha256(captured.image).digest()
        record = encode_record(self._identity, captured, self._books.next_sequence, sha256)
        with self._lock:
            problem = self._make_room(record) or self._store(record)
            self._write(self._books.with_frame(stored=problem is None))
            self._report(problem)
        return problem is None

    def sync(self) -> None:
        """Make all appended frames durable and remove segments that are fully released.

        Raises:
            OSError: The disk failed to flush; nothing new may be taken.
        """
        with self._lock:
            dirty = [each for each in self._segments if each.durable_end < each.end]
            spent = self._inflow.remove_spent()
            changed, self._books_changed = self._books_changed, False
        for segment in dirty:
            segment.sync()
        if spent or (changed and dirty):
            self._ledger.sync()
        for segment in spent:
            segment.delete()

    def take(self) -> Frame | None:
        """Return the next durable frame in order, or None; it is under way until released or rewound.

        A frame that fails its checksum is set aside, counted as dropped and passed over.
        """
        while (read := self._read_next()) is not None:
            ticket, body = read
            try:
                frame = decode_record(ticket.segment.session_id, ticket.place.prefix, body)
            except DamagedRecord as damage:
                self._pass_over(ticket, damage, body)
                continue
            with self._lock:
                self._outflow.sent(frame.frame_id, ticket)
            return frame
        return None

    def release(self, frame_ids: Sequence[UUID]) -> int:
        """Mark frames as acknowledged by the broker; return how many of them were still waiting."""
        with self._lock:
            count = sum(self._outflow.release(frame_id) for frame_id in frame_ids)
            if count:
                self._write(
                    replace(
                        self._books,
                        waiting=self._books.waiting - count,
                        released_through=self._outflow.released_through,
                    )
                )
        return count

    def rewind(self) -> None:
        """Take again, in order, every frame that is under way."""
        with self._lock:
            self._outflow.rewind()

    def status(self) -> SpoolStatus:
        """Return the books as they stand."""
        with self._lock:
            try:
                oldest_at = self._outflow.oldest_captured_at()
            except DamagedRecord:
                oldest_at = None
            books = self._books
            return SpoolStatus(
                session_id=books.session_id,
                sequence=books.next_sequence - 1,
                captured=books.captured,
                published=books.published,
                dropped=books.dropped_total,
                waiting=books.waiting,
                waiting_bytes=sum(each.end for each in self._segments if each.unreleased),
                oldest_waiting_at=oldest_at,
                problem=self._problem,
            )

    def close(self) -> None:
        """Flush and close the files; what waits is taken up by the next start."""
        self.sync()
        with self._lock:
            self._ledger.sync()
            self._ledger.close()
            for segment in self._segments:
                segment.close()
            self._segments.clear()

    def _make_room(self, record: Sequence[bytes]) -> str | None:
        """Return None when there is room, made if need be, else why there is none."""
        record_bytes = sum(map(len, record))
        for _ in range(_STEPS_TO_MAKE_ROOM):
            problem = self._inflow.no_room(record_bytes)
            if problem is None or not (self._retire_spent_active() or self._drop_oldest()):
                return problem
        return self._inflow.no_room(record_bytes)

    def _store(self, record: Sequence[bytes]) -> str | None:
        """Write a record; a disk that is fuller than it says may cost the oldest frames, too."""
        problem = self._inflow.store(record, self._books.session_id)
        if problem is not None and self._drop_oldest():
            problem = self._inflow.store(record, self._books.session_id)
        return problem

    def _retire_spent_active(self) -> bool:
        """Delete the segment being written when all in it is released."""
        active = self._inflow.active
        if active is None or active.unreleased:
            return False
        self._ledger.sync()
        self._inflow.remove(active)
        active.delete()
        return True

    def _drop_oldest(self) -> bool:
        """Drop the oldest segment of which nothing is under way, if the policy allows it."""
        if self._policy is not SpoolPolicy.DROP_OLDEST:
            return False
        for segment in self._segments:
            if segment.durable_end == segment.end and not self._outflow.under_way_in(segment):
                self._drop(segment)
                return True
        return False

    def _drop(self, segment: Segment) -> None:
        """Book the loss durably, then delete: a crash in between neither loses count nor sends the frames."""
        books = self._books.with_drops(DropReason.DROPPED_OLDEST, segment.unreleased)
        books = replace(books, waiting=books.waiting - segment.unreleased, doomed=segment.path.name)
        self._write(books)
        self._ledger.sync()
        extra = {"camera": self._identity.camera_id, "dropped": segment.unreleased}
        logger.warning("the spool is full: its oldest frames are dropped", extra=extra)
        self._outflow.skip_segment(segment)
        self._inflow.remove(segment)
        segment.delete()
        self._write(replace(books, doomed=None))

    def _read_next(self) -> tuple[Ticket, bytes] | None:
        with self._lock:
            while True:
                try:
                    found = self._outflow.next_unsent()
                except DamagedRecord as damage:
                    self._abandon_segment(damage)
                    continue
                if found is None:
                    return None
                segment, place = found
                return self._outflow.take(segment, place), segment.body(place)

    def _abandon_segment(self, damage: DamagedRecord) -> None:
        """Give up the unread rest of the segment at the cursor."""
        at = self._outflow.damaged_segment
        if at is None:
            return
        segment, offset = at
        lost = segment.unreleased - self._outflow.under_way_in(segment)
        set_aside(self._directory, segment.path.name, segment.bytes_between(offset, segment.end))
        self._outflow.skip_segment(segment)
        self._inflow.seal(segment)
        segment.unreleased -= lost
        self._count_damage(lost, damage)

    def _pass_over(self, ticket: Ticket, damage: DamagedRecord, body: bytes) -> None:
        set_aside(self._directory, f"frame-{ticket.place.prefix.sequence}", body)
        with self._lock:
            self._outflow.settle(ticket)
            self._count_damage(1, damage)

    def _count_damage(self, lost: int, damage: DamagedRecord) -> None:
        books = self._books.with_drops(DropReason.DAMAGED, lost)
        self._write(replace(books, waiting=books.waiting - lost, released_through=self._outflow.released_through))
        extra = {"camera": self._identity.camera_id, "dropped": lost}
        logger.error("spooled frames are damaged: set aside, counted as dropped: %s", damage, extra=extra)

    def _write(self, books: Books) -> None:
        self._books = books
        self._ledger.write(books)
        self._books_changed = True

    def _report(self, problem: str | None) -> None:
        if (problem is None) != (self._problem is None):
            logger.warning("spool: %s", problem or "frames fit again", extra={"camera": self._identity.camera_id})
        self._problem = problem
