"""Stable names of frames: the same frame gets the same id however often it travels."""

from typing import Final
from uuid import UUID, uuid5

_NAMESPACE: Final = UUID("6f0c5a56-2a35-5c1e-9d0a-0d6c1b7a5e11")


def frame_id_for_spooled(camera_id: str, session_id: UUID, sequence: int) -> UUID:
    """Name a frame of the camera room: from the spool's session and its durable counter, never from a clock."""
    return uuid5(_NAMESPACE, f"spool/{camera_id}/{session_id}/{sequence}")


def frame_id_for_bare(cluster_id: str, topic: str, partition: int, offset: int) -> UUID:
    """Name a bare image or an unreadable message: from where it lay in which cluster."""
    return uuid5(_NAMESPACE, f"broker/{cluster_id}/{topic}/{partition}/{offset}")
