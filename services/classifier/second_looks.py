"""Sends refused messages to their topics again when people ask for it, beside the classifying."""

import logging
import threading
from typing import Final, Protocol

from services.contracts.errors import ConfigurationError, MessageGone, TransientError
from services.domain.inspection import BrokerPosition

logger = logging.getLogger(__name__)

EVERY_S: Final = 5.0


class SecondLooks(Protocol):
    """What people asked for. Raises `StorageUnavailable` when the database does not answer."""

    def take(self) -> list[tuple[int, BrokerPosition]]:
        """Return requests with where each message lies; one that is never finished comes again."""
        ...

    def finish(self, request_id: int, problem: str | None) -> None:
        """Note that the message was sent again, or why that cannot be."""


class Resender(Protocol):
    """Where messages lie."""

    def resend(self, position: BrokerPosition) -> None:
        """Send a message again. Raises `MessageGone` when it is gone, `DeliveryFailed` to try again later."""


def give_second_looks(
    looks: SecondLooks, resender: Resender, stop: threading.Event, every_s: float = EVERY_S
) -> None:
    """Do what people ask for until `stop` is set. What fails for infrastructure's sake is tried again later."""
    while not stop.wait(every_s):
        try:
            for request_id, position in looks.take():
                _give(looks, resender, request_id, position)
        except TransientError as error:
            logger.debug("second looks wait", extra={"reason": str(error)})
        except ConfigurationError as error:
            logger.error("second looks are not possible", extra={"reason": str(error)})  # noqa: TRY400 - no bug
            return


def _give(looks: SecondLooks, resender: Resender, request_id: int, position: BrokerPosition) -> None:
    try:
        resender.resend(position)
    except MessageGone as gone:
        looks.finish(request_id, str(gone))
        logger.warning("a refused message cannot be sent again", extra={"reason": str(gone)})
    else:
        looks.finish(request_id, None)
        logger.info("sent a refused message again", extra={"topic": position.topic, "offset": position.offset})
