"""What a classifier does beside classifying: topics, day partitions and retention, at the start and every hour."""

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from services.classifier.retry import FIRST_DELAY_S, LONGEST_DELAY_S
from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.backoff import backoff_delays_s

logger = logging.getLogger(__name__)

EVERY_S: Final = 3600.0


def keep_house(chores: Sequence[Callable[[], None]], stop: threading.Event, every_s: float = EVERY_S) -> None:
    """Do all chores in turn, again and again, until `stop` is set; each may be done twice without harm.

    A chore waits for infrastructure that is away. One that is not possible is logged and left to the next round.
    """
    while not stop.is_set():
        for chore in chores:
            _do(chore, stop)
        stop.wait(every_s)


def _do(chore: Callable[[], None], stop: threading.Event) -> None:
    for delay_s in backoff_delays_s(FIRST_DELAY_S, LONGEST_DELAY_S):
        try:
            chore()
        except TransientError as error:
            logger.debug("housekeeping waits", extra={"reason": str(error)})
        except ConfigurationError as error:
            logger.error("housekeeping is not possible", extra={"reason": str(error)})  # noqa: TRY400 - no bug
            return
        else:
            return
        if stop.wait(delay_s):
            return
