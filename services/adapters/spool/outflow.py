"""The reading side of a spool: which frame goes next, which are under way, how far everything is released."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.adapters.spool.ledger import Books
from services.adapters.spool.records import captured_at_of
from services.adapters.spool.segments import SEGMENT_HEADER_BYTES, RecordPlace, Segment


@dataclass(slots=True, eq=False)
class Ticket:
    """A frame that was read for sending."""

    segment: Segment
    place: RecordPlace
    released: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to read next: a segment's ordinal and an offset in it."""

    ordinal: int = 0
    offset: int = SEGMENT_HEADER_BYTES


class Outflow:
    """Walks the segments in order; not thread-safe, the spool's lock guards it."""

    def __init__(self, segments: list[Segment], books: Books, released: tuple[UUID, int]) -> None:
        """Read from the oldest record on.

        Args:
            segments: Oldest first; the spool appends to and removes from the same list.
            books: Which session runs.
            released: A session and the sequence up to which its records were released before this start.
        """
        self.released_through = books.released_through
        self._segments = segments
        self._session_id = books.session_id
        self._released_before = released
        self._cursor = Cursor()
        self._order: deque[Ticket] = deque()
        self._under_way: dict[UUID, Ticket] = {}
        self._released_ahead: set[tuple[UUID, int]] = set()

    def next_unsent(self, *, durable_only: bool = True) -> tuple[Segment, RecordPlace] | None:
        """Return the next record to send without taking it, or None when there is none.

        Raises:
            DamagedRecord: The record at the cursor cannot be read; see `damaged_segment`.
        """
        while (segment := self._segment()) is not None:
            if self._cursor.offset >= segment.end and segment is not self._segments[-1]:
                self._cursor = Cursor(segment.ordinal + 1)
                continue
            if self._cursor.offset >= (segment.durable_end if durable_only else segment.end):
                return None
            place = segment.place_at(self._cursor.offset)
            if not self._is_released(segment, place):
                return segment, place
            self._cursor = Cursor(segment.ordinal, place.end)
        return None

    def take(self, segment: Segment, place: RecordPlace) -> Ticket:
        """Move past a record; it is under way once `sent` names it."""
        self._cursor = Cursor(segment.ordinal, place.end)
        ticket = Ticket(segment, place)
        self._order.append(ticket)
        return ticket

    def sent(self, frame_id: UUID, ticket: Ticket) -> None:
        """Remember which frame a ticket stands for."""
        self._under_way[frame_id] = ticket

    def release(self, frame_id: UUID) -> bool:
        """Release a frame that was taken; False when it is not under way (released before, or rewound)."""
        ticket = self._under_way.pop(frame_id, None)
        if ticket is None:
            return False
        self.settle(ticket)
        return True

    def settle(self, ticket: Ticket) -> None:
        """Count a ticket's record as released and move `released_through` over the settled prefix."""
        ticket.released = True
        ticket.segment.unreleased -= 1
        while self._order and self._order[0].released:
            self._pass(self._order.popleft())

    def rewind(self) -> None:
        """Read everything again that is under way; what was released out of order stays released."""
        first = next((ticket for ticket in self._order if not ticket.released), None)
        if first is None:
            return
        self._released_ahead |= {_key(t.segment, t.place) for t in self._order if t.released}
        self._cursor = Cursor(first.segment.ordinal, first.place.offset)
        self._order.clear()
        self._under_way.clear()

    def under_way_in(self, segment: Segment) -> int:
        """Return how many frames of a segment are read and unreleased."""
        return sum(t.segment is segment and not t.released for t in self._order)

    def skip_segment(self, segment: Segment) -> None:
        """Never read from this segment again."""
        if self._segment() is segment:
            self._cursor = Cursor(segment.ordinal + 1)

    @property
    def damaged_segment(self) -> tuple[Segment, int] | None:
        """The segment and offset at the cursor."""
        segment = self._segment()
        return None if segment is None else (segment, self._cursor.offset)

    def oldest_captured_at(self) -> datetime | None:
        """Return the capture time of the oldest unreleased frame, None when nothing waits.

        Raises:
            DamagedRecord: It cannot be read.
        """
        for ticket in self._order:
            if not ticket.released:
                return captured_at_of(ticket.segment.header(ticket.place))
        waiting = self.next_unsent(durable_only=False)
        return None if waiting is None else captured_at_of(waiting[0].header(waiting[1]))

    def _segment(self) -> Segment | None:
        wanted = self._cursor.ordinal
        segment = next((each for each in self._segments if each.ordinal >= wanted), None)
        if segment is not None and segment.ordinal != wanted:
            self._cursor = Cursor(segment.ordinal)
        return segment

    def _is_released(self, segment: Segment, place: RecordPlace) -> bool:
        key = _key(segment, place)
        if key in self._released_ahead:
            self._released_ahead.remove(key)
            self._order.append(Ticket(segment, place, released=True))
            return True
        return key[0] == self._released_before[0] and key[1] <= self._released_before[1]

    def _pass(self, ticket: Ticket) -> None:
        if ticket.segment.session_id == self._session_id:
            self.released_through = max(self.released_through, ticket.place.prefix.sequence)


def _key(segment: Segment, place: RecordPlace) -> tuple[UUID, int]:
    return segment.session_id, place.prefix.sequence
