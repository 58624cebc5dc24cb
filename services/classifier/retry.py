"""Holding work while infrastructure is away: the same step again and again, with pauses, until it answers."""

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from services.contracts.errors import MillsightError, TransientError
from services.runtime.backoff import backoff_delays_s
from services.runtime.metrics import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 0.2
LONGEST_DELAY_S: Final = 5.0

ResultT = TypeVar("ResultT")


class HoldAbandoned(MillsightError):
    """The room stops while a batch was held: the batch is not committed and will be read again."""


class Hold:
    """Repeats steps that fail for infrastructure reasons, for ever; each attempt is bounded by its own deadline.

    Shared by all batches in flight, so that `problem` can say what the room is waiting for.
    """

    def __init__(
        self, stop: threading.Event, first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S
    ) -> None:
        """Give up only when `stop` is set."""
        self._stop = stop
        self._first_s = first_s
        self._longest_s = longest_s
        self._waiting: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()

    @property
    def problem(self) -> str | None:
        """What is being waited for, in words, or None."""
        with self._lock:
            return next(iter(self._waiting.values()), None)

    def until_done(self, stage: str, step: Callable[[], ResultT]) -> ResultT:
        """Return what `step` returns, however often it has to be tried.

        Raises:
            HoldAbandoned: The room stops.
        """
        waiter = (stage, threading.get_ident())
        try:
            for delay_s in backoff_delays_s(self._first_s, self._longest_s):
                try:
                    return step()
                except TransientError as error:
                    self._note(waiter, stage, error)
                    if self._stop.wait(delay_s):
                        raise HoldAbandoned(f"stopped while waiting to {stage}") from error
        finally:
            with self._lock:
                self._waiting.pop(waiter, None)
        raise AssertionError("the delays never end")

    def _note(self, waiter: tuple[str, int], stage: str, error: TransientError) -> None:
        TRANSIENT_ERRORS.labels(stage).inc()
        with self._lock:
            is_news = waiter not in self._waiting
            self._waiting[waiter] = f"{stage}: {error}"
        level = logging.WARNING if is_news else logging.DEBUG
        logger.log(level, "holding a batch", extra={"stage": stage, "reason": str(error)})
