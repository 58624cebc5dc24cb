"""Structured logs: one JSON object a line on standard error, or plain text for a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime

from typing_extensions import override

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object; whatever is passed in `extra` becomes a field."""

    def __init__(self, room: str) -> None:
        """Remember which room speaks."""
        super().__init__()
        self._room = room

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        fields: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "room": self._room,
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


def configure_logging(room: str, level: str = "INFO") -> None:
    """Send all log records of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(room))
    logging.basicConfig(level=level, handlers=[handler], force=True)
