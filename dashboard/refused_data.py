"""Reads refused messages one by one, and what could be seen of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from dashboard.data import REJECTED_WINDOW
from dashboard.database import Database
from dashboard.rows import RefusedMessage

_REFUSED: LiteralString = """
select r.frame_id, r.camera_id, r.reason, r.detail, r.rejected_at, r.payload_bytes, s.state as second_look,
       s.problem
from rejected_frames r
left join lateral (
    select state, problem from second_looks where frame_id = r.frame_id order by request_id desc limit 1
) s on true
where r.rejected_at >= now() - %(window)s
order by r.rejected_at desc limit 100
"""

_PICTURE: LiteralString = "select picture from rejected_frames where frame_id = %(frame_id)s"


@dataclass(frozen=True, slots=True)
class _Picture:
    picture: bytes | None


def refused_messages(database: Database) -> Sequence[RefusedMessage]:
    """Return the newest 100 messages of a day that could not be inspected, newest first."""
    return database.rows(RefusedMessage, _REFUSED, {"window": REJECTED_WINDOW})


def refused_picture(database: Database, frame_id: UUID) -> bytes | None:
    """Return what could be seen of a refused message; None when there was nothing, or it is gone by retention."""
    found = database.rows(_Picture, _PICTURE, {"frame_id": frame_id})
    return found[0].picture if found else None
