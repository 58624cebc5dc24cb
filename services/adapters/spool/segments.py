"""Segment files: append-only files of records, each bound to the session that wrote it."""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from services.adapters.spool.records import PREFIX_BYTES, DamagedRecord, Prefix

_MAGIC: Final = b"MSEG"
_HEADER: Final = struct.Struct("<4s16sI")
SEGMENT_HEADER_BYTES: Final = _HEADER.size
SEGMENT_SUFFIX: Final = ".segment"


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record lies in its segment."""

    offset: int
    prefix: Prefix

    @property
    def end(self) -> int:
        """Offset of the next record."""
        return self.offset + self.prefix.record_bytes


class Segment:
    """One open segment file.

    Attributes:
        ordinal: Position of the file in the spool: older files have smaller numbers.
        end: Offset after the last whole record.
        durable_end: Offset up to which the bytes are known to be on the disk.
        unreleased: Records that are neither acknowledged nor dropped.
    """

    def __init__(self, path: Path, fd: int, session_id: UUID, end: int) -> None:
        """Wrap an open file; use `create` or `open`."""
        self.path = path
        self.ordinal = int(path.stem)
        self.session_id = session_id
        self.end = end
        self.durable_end = end
        self.unreleased = 0
        self._fd = fd

    @classmethod
    def create(cls, directory: Path, ordinal: int, session_id: UUID) -> Self:
        """Start a new file.

        Raises:
            OSError: The disk is full or not writable; nothing is left behind.
        """
        path = directory / f"{ordinal:010d}{SEGMENT_SUFFIX}"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        head = _MAGIC + session_id.bytes
        try:
            _write_all(fd, [head + struct.pack("<I", zlib.crc32(head))], 0)
            _sync_directory(directory)
        except OSError:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise
        return cls(path, fd, session_id, SEGMENT_HEADER_BYTES)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an existing file; its records are found by `scan`.

        Raises:
            DamagedRecord: The header is short or fails its checksum.
        """
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        head = os.pread(fd, SEGMENT_HEADER_BYTES, 0)
        if len(head) < SEGMENT_HEADER_BYTES or _HEADER.unpack(head) != (
            _MAGIC,
            head[4:20],
            zlib.crc32(head[:20]),
        ):
            os.close(fd)
            raise DamagedRecord(f"{path.name} has no valid header")
        return cls(path, fd, UUID(bytes=head[4:20]), SEGMENT_HEADER_BYTES)

    @property
    def file_bytes(self) -> int:
        """Size on disk, torn tail included."""
        return os.fstat(self._fd).st_size

    def append(self, buffers: Sequence[bytes]) -> None:
        """Write one record; on any error the file is cut back to the last whole record.

        Raises:
            OSError: No space, over a quota or a limit, or the disk failed.
        """
        try:
            written = _write_all(self._fd, buffers, self.end)
        except OSError:
            os.ftruncate(self._fd, self.end)
            raise
        self.end += written

    def sync(self) -> None:
        """Make every whole record durable; may be called beside `append`.

        Raises:
            OSError: The disk failed; nothing more is durable.
        """
        end = self.end
        if end > self.durable_end:
            os.fdatasync(self._fd)
            self.durable_end = end

    def scan(self) -> Iterator[RecordPlace]:
        """Walk the file by its prefixes, setting `end` after each whole record; images are not read.

        Raises:
            DamagedRecord: From `end` on the file holds no whole record.
        """
        size = self.file_bytes
        self.end = SEGMENT_HEADER_BYTES
        while self.end < size:
            place = self.place_at(self.end)
            if place.end > size:
                raise DamagedRecord(f"frame {place.prefix.sequence} ends early")
            self.end = self.durable_end = place.end
            yield place

    def place_at(self, offset: int) -> RecordPlace:
        """Read the prefix of the record at an offset.

        Raises:
            DamagedRecord: No valid record starts there.
        """
        return RecordPlace(offset, Prefix.parse(os.pread(self._fd, PREFIX_BYTES, offset)))

    def body(self, place: RecordPlace) -> bytes:
        """Read a record's header and image."""
        return os.pread(
            self._fd,
            place.prefix.header_bytes + place.prefix.image_bytes,
            place.offset + PREFIX_BYTES,
        )

    def header(self, place: RecordPlace) -> bytes:
        """Read a record's JSON header only."""
        return os.pread(self._fd, place.prefix.header_bytes, place.offset + PREFIX_BYTES)

    def bytes_between(self, start: int, end: int) -> bytes:
        """Read raw bytes, to set damage aside."""
        return os.pread(self._fd, end - start, start)

    def cut_tail(self) -> None:
        """Remove whatever follows the last whole record."""
        os.ftruncate(self._fd, self.end)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def delete(self) -> None:
        """Close and remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def _write_all(fd: int, buffers: Sequence[bytes], offset: int) -> int:
    total = sum(len(each) for each in buffers)
    written = os.pwritev(fd, buffers, offset)
    if written < total:
        rest = memoryview(b"".join(buffers))
        while written < total:
            written += os.pwrite(fd, rest[written:], offset + written)
    return total


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
