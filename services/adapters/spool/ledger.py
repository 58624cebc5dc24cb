"""The spool's state page: session, sequence and counters, in two slots that are written in turn.

Writing in place needs no free space, so the books can be kept on a full disk; a slot that was torn by a crash
fails its checksum and the other one, a single change older, counts.
"""

import fcntl
import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from services.contracts.capture import DropReason

_SLOT_BYTES: Final = 512
_SLOT: Final = struct.Struct("<4sQII")
_MAGIC: Final = b"MSL1"


@dataclass(frozen=True, slots=True)
class Books:
    """What must survive a crash.

    Attributes:
        session_id: Identity of this spool; new only when the sequence can no longer be trusted.
        next_sequence: Number of the next captured frame; never given twice within a session.
        released_through: Every frame of the session up to this number is acknowledged or dropped.
        captured: Frames captured over all sessions.
        waiting: Frames that were on disk and unreleased when this was written.
        dropped: Frames dropped, by reason.
        doomed: Name of a segment whose frames are already counted as dropped: delete, never send.
    """

    session_id: UUID
    next_sequence: int = 1
    released_through: int = 0
    captured: int = 0
    waiting: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    doomed: str | None = None

    @property
    def dropped_total(self) -> int:
        """Frames dropped for any reason."""
        return sum(self.dropped.values())

    @property
    def published(self) -> int:
        """Frames acknowledged by the broker: what was captured and is neither dropped nor waiting."""
        return self.captured - self.dropped_total - self.waiting

    def with_frame(self, *, stored: bool) -> Self:
        """Return the books after one more captured frame, which was stored or refused."""
        books = replace(
            self,
            next_sequence=self.next_sequence + 1,
            captured=self.captured + 1,
            waiting=self.waiting + stored,
        )
        return books if stored else books.with_drops(DropReason.SPOOL_FULL, 1)

    def with_drops(self, reason: DropReason, count: int) -> Self:
        """Return the books with `count` more frames dropped."""
        return replace(self, dropped=self.dropped | {reason: self.dropped.get(reason, 0) + count})


class Ledger:
    """The file behind the books."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            BlockingIOError: Another process holds it.
            OSError: It cannot be opened for writing.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise
        self._generation = 0
        if os.fstat(self._fd).st_size < 2 * _SLOT_BYTES:
            missing_from = os.fstat(self._fd).st_size
            os.pwrite(self._fd, bytes(2 * _SLOT_BYTES - missing_from), missing_from)

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written: all zero, as opposed to damaged."""
        return not any(os.pread(self._fd, 2 * _SLOT_BYTES, 0))

    def read(self) -> Books | None:
        """Return the newest valid books, or None when neither slot is valid."""
        slots = [self._read_slot(index) for index in (0, 1)]
        valid = [slot for slot in slots if slot is not None]
        if not valid:
            return None
        self._generation, books = max(valid, key=lambda slot: slot[0])
        return books

    def write(self, books: Books) -> None:
        """Write the next slot; survives the death of the process, and of the machine after `sync`."""
        text = json.dumps(asdict(books), default=str).encode()
        if len(text) > _SLOT_BYTES - _SLOT.size:
            raise ValueError("the books do not fit their slot")
        self._generation += 1
        head = _SLOT.pack(_MAGIC, self._generation, len(text), _crc(self._generation, text))
        os.pwrite(self._fd, head + text, (self._generation % 2) * _SLOT_BYTES)

    def sync(self) -> None:
        """Wait until what was written is on the disk."""
        os.fdatasync(self._fd)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def _read_slot(self, index: int) -> tuple[int, Books] | None:
        slot = os.pread(self._fd, _SLOT_BYTES, index * _SLOT_BYTES)
        magic, generation, length, crc = _SLOT.unpack_from(slot)
        text = slot[_SLOT.size : _SLOT.size + length]
        if magic != _MAGIC or crc != _crc(generation, text):
            return None
        fields = json.loads(text)
        return generation, Books(**(fields | {"session_id": UUID(fields["session_id"])}))


def _crc(generation: int, text: bytes) -> int:
    return zlib.crc32(text, zlib.crc32(generation.to_bytes(8, "little")))
