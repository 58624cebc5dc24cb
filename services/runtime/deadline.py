"""One monotonic time budget, spent by several steps in turn."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock after which work is no longer worth doing."""

    at_s: float

    @classmethod
    def after(cls, budget_s: float) -> "Deadline":
        """Return the deadline that lies `budget_s` seconds ahead."""
        return cls(time.monotonic() + budget_s)

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at_s - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the budget is spent."""
        return self.remaining_s <= 0.0
