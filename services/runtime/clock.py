"""The only place that asks the system what time it is."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that tells the time: aware UTC."""

    def __call__(self) -> datetime:
        """Return the present moment in UTC."""
        ...


def utc_now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)
