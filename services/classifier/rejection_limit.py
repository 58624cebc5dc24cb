"""Stops a topic whose messages are rejected too often: a bad roll-out must not become dead letters."""

import threading
from collections import deque
from dataclasses import dataclass

from services.classifier.settings import DeadLetterSettings
from services.contracts.errors import DeadLetterLimitExceeded


@dataclass(frozen=True, slots=True)
class _Tally:
    at_s: float
    messages: int
    rejected: int


class RejectionLimit:
    """Counts per topic over a sliding window, so that one broken camera does not stop its neighbours.

    Of a topic that is all bad, at most `min_messages` messages (and at least one batch, so that an attempt always
    gets on) reach the dead letters; then the topic is closed for a while with nothing lost, and tried again after
    the pause with a fresh count.
    """

    def __init__(self, settings: DeadLetterSettings) -> None:
        """Start with nothing counted and all topics open."""
        self._settings = settings
        self._tallies: dict[str, deque[_Tally]] = {}
        self._closed: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def admit(self, topic: str, messages: int, rejected: int, now_s: float) -> None:
        """Count what one batch holds of a topic.

        Raises:
            DeadLetterLimitExceeded: The topic is closed, or would exceed the limit with these. They are not
                counted and must neither be dead-lettered nor committed.
        """
        with self._lock:
            self._refuse_closed(topic, now_s)
            tallies = self._tallies.setdefault(topic, deque())
            while tallies and tallies[0].at_s < now_s - self._settings.window_s:
                tallies.popleft()
            total = messages + sum(tally.messages for tally in tallies)
            bad = rejected + sum(tally.rejected for tally in tallies)
            if (
                rejected
                and tallies
                and total >= self._settings.min_messages
                and bad > self._settings.limit_ratio * total
            ):
                self._close(topic, f"{bad} of the last {total} messages of {topic} were rejected", now_s)
                self._refuse_closed(topic, now_s)
            tallies.append(_Tally(now_s, messages, rejected))

    def _close(self, topic: str, what: str, now_s: float) -> None:
        self._tallies[topic].clear()
        reason = (
            f"{what}, the limit is {self._settings.limit_ratio:.0%}:"
            f" the topic is set aside for {self._settings.pause_s:.0f} s"
        )
        self._closed[topic] = (now_s + self._settings.pause_s, reason)

    def _refuse_closed(self, topic: str, now_s: float) -> None:
        until_s, reason = self._closed.get(topic, (now_s, ""))
        if now_s < until_s:
            raise DeadLetterLimitExceeded(reason)
        self._closed.pop(topic, None)
