"""Topic names, and which camera a topic belongs to."""

import re
from typing import Final

from services.contracts.errors import ConfigurationError

FRAME_TOPIC_PREFIX: Final = "frames."
DEAD_LETTER_TOPIC: Final = "frames.dlq"
CAMERA_STATUS_TOPIC: Final = "cameras.status"

FRAME_TOPIC_PATTERN: Final = r"^frames\.([^d].*|d|d[^l].*|dl|dl[^q].*|dlq.+)$"
"""Every frame topic and not the dead letters; librdkafka's expressions know no look-ahead."""

_CAMERA_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED: Final = frozenset({"dlq"})


def check_camera_id(camera_id: str) -> str:
    """Return the id unchanged when it can name a camera and its topic.

    Raises:
        ConfigurationError: The id holds characters a topic cannot carry, is too long, or is reserved.
    """
    if not _CAMERA_ID.fullmatch(camera_id) or camera_id in _RESERVED:
        raise ConfigurationError(
            f"camera id {camera_id!r} cannot name a topic: use 1 to 64 letters, digits, '_' or '-', and not 'dlq'"
        )
    return camera_id


def frame_topic(camera_id: str) -> str:
    """Return the topic that one camera publishes to.

    Raises:
        ConfigurationError: The id cannot name a topic.
    """
    return FRAME_TOPIC_PREFIX + check_camera_id(camera_id)


def camera_id_of(topic: str) -> str:
    """Return the camera that a frame topic belongs to: all that follows the prefix."""
    return topic.removeprefix(FRAME_TOPIC_PREFIX)
