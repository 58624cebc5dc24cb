"""What a spool finds when it opens: the books, the segments, and damage set aside and counted."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from services.adapters.spool.ledger import Books, Ledger
from services.adapters.spool.records import DamagedRecord
from services.adapters.spool.segments import SEGMENT_SUFFIX, Segment
from services.contracts.capture import DropReason
from services.contracts.errors import ConfigurationError

_DAMAGED_FILES_KEPT: Final = 16
_LEDGER_NAME: Final = "ledger"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """An opened spool directory.

    `released` names the session and the sequence up to which records on disk are released; after damage it is the
    session before the present one.
    """

    ledger: Ledger
    books: Books
    segments: list[Segment]
    released: tuple[UUID, int]


@dataclass(slots=True)
class _Found:
    """Counts over all segments."""

    waiting: int = 0
    unbooked: int = 0
    last_sequence: int = 0


def open_directory(directory: Path) -> Recovered:
    """Open or create a spool directory and put its books in order.

    A torn tail that no book mentions is a write the crash cut short: it was never sent, it is cut off. When frames
    that the books mention are gone, they are counted as dropped (`damaged`) and a new session begins, since the
    sequence can no longer be trusted not to repeat.

    Raises:
        ConfigurationError: The directory is in use or cannot be written.
    """
    ledger = _open_ledger(directory)
    old = ledger.read()
    if old is None and not ledger.is_new:
        set_aside(directory, _LEDGER_NAME, (directory / _LEDGER_NAME).read_bytes())
        logger.error("the spool's ledger is damaged: a new session begins", extra={"spool": str(directory)})
    books = old or Books(session_id=uuid4())
    if books.doomed is not None:
        (directory / books.doomed).unlink(missing_ok=True)
    found = _Found()
    segments = [
        segment
        for path in sorted(directory.glob(f"*{SEGMENT_SUFFIX}"))
        if (segment := _open_segment(path, books, found)) is not None
    ]
    released = (books.session_id, books.released_through)
    books = _settled(books, found, directory)
    ledger.write(books)
    ledger.sync()
    for segment in [each for each in segments if each.unreleased == 0]:
        segments.remove(segment)
        segment.delete()
    return Recovered(ledger, books, segments, released)


def set_aside(directory: Path, name: str, data: bytes) -> None:
    """Keep damaged bytes for a look; the newest few files stay. A full disk loses them, not the spool."""
    folder = directory / "damaged"
    try:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}-{uuid4().hex[:8]}").write_bytes(data)
        kept = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        for path in kept[:-_DAMAGED_FILES_KEPT]:
            path.unlink()
    except OSError as error:
        logger.warning("damaged bytes could not be set aside: %s", error.strerror, extra={"file": name})


def _open_ledger(directory: Path) -> Ledger:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return Ledger(directory / _LEDGER_NAME)
    except BlockingIOError:
        raise ConfigurationError(
            f"spool directory {directory} is in use by another process: give each camera room its own"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"spool directory {directory} cannot be written: {error.strerror or error}"
        ) from error


def _open_segment(path: Path, books: Books, found: _Found) -> Segment | None:
    try:
        segment = Segment.open(path)
    except DamagedRecord as damage:
        _report(path, damage)
        set_aside(path.parent, path.name, path.read_bytes())
        path.unlink()
        return None
    try:
        for place in segment.scan():
            _count(segment, place.prefix.sequence, books, found)
    except DamagedRecord as damage:
        _report(path, damage)
        set_aside(path.parent, path.name, segment.bytes_between(segment.end, segment.file_bytes))
        segment.cut_tail()
    return segment


def _count(segment: Segment, sequence: int, books: Books, found: _Found) -> None:
    of_this_session = segment.session_id == books.session_id
    if of_this_session:
        found.last_sequence = max(found.last_sequence, sequence)
        found.unbooked += sequence >= books.next_sequence
    if not of_this_session or sequence > books.released_through:
        found.waiting += 1
        segment.unreleased += 1


def _settled(books: Books, found: _Found, directory: Path) -> Books:
    """Join the books with what was found; see `open_directory` for the rule on damage."""
    lost = max(0, books.waiting + found.unbooked - found.waiting)
    settled = replace(
        books,
        next_sequence=max(books.next_sequence, found.last_sequence + 1),
        captured=max(books.captured + found.unbooked, found.waiting),
        waiting=found.waiting,
        doomed=None,
    )
    if lost == 0:
        return settled
    logger.error(
        "%d spooled frames are damaged and lost: counted as dropped, a new session begins",
        lost,
        extra={"spool": str(directory), "dropped": lost},
    )
    fresh = replace(settled, session_id=uuid4(), next_sequence=1, released_through=0)
    return fresh.with_drops(DropReason.DAMAGED, lost)


def _report(path: Path, damage: DamagedRecord) -> None:
    logger.error(
        "spool segment is damaged, set aside under damaged/: %s",
        damage,
        extra={"segment": str(path), "bytes": path.stat().st_size},
    )
