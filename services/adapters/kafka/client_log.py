"""librdkafka's own log lines, without the flood that an absent broker makes."""

import logging
import time
from typing import Final

from typing_extensions import override

_QUIET_S: Final = 30.0


class RareLines(logging.Filter):
    """Lets a kind of line (its first word, such as FAIL) through once per half minute; others wait unseen."""

    def __init__(self) -> None:
        """Let the first line of every kind through."""
        super().__init__()
        self._next_s: dict[str, float] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line may pass."""
        kind = record.getMessage().split(" ", 1)[0]
        now_s = time.monotonic()
        if now_s < self._next_s.get(kind, now_s):
            return False
        self._next_s[kind] = now_s + _QUIET_S
        return True


def client_logger(name: str) -> logging.Logger:
    """Return the logger to hand to a client; `name` tells clients apart."""
    logger = logging.getLogger(f"librdkafka.{name}")
    if not logger.filters:
        logger.addFilter(RareLines())
    return logger
