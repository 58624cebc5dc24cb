"""The loop that sends refused messages again: what is gone is told, what is away is tried later."""

import threading

from services.classifier.second_looks import give_second_looks
from services.contracts.errors import ConfigurationError, DeliveryFailed, MessageGone, StorageUnavailable
from services.domain.inspection import BrokerPosition

HERE = BrokerPosition("c", "frames.cam-1", 0, 7)


class Looks:
    """Hands out what it is given, one answer for each question; stops the loop at the end."""

    def __init__(self, stop: threading.Event, *answers: list[int] | Exception) -> None:
        self._stop = stop
        self._answers = list(answers)
        self.finished: list[tuple[int, str | None]] = []

    def take(self) -> list[tuple[int, BrokerPosition]]:
        answer = self._answers.pop(0)
        if not self._answers:
            self._stop.set()
        if isinstance(answer, Exception):
            raise answer
        return [(number, HERE) for number in answer]

    def finish(self, request_id: int, problem: str | None) -> None:
        self.finished.append((request_id, problem))


class Resender:
    """Answers with what it is given, one for each message."""

    def __init__(self, *fates: Exception | None) -> None:
        self._fates = list(fates)

    def resend(self, position: BrokerPosition) -> None:
        fate = self._fates.pop(0)
        if fate is not None:
            raise fate


def run(*answers: list[int] | Exception, fates: tuple[Exception | None, ...] = ()) -> list[tuple[int, str | None]]:
    stop = threading.Event()
    looks = Looks(stop, *answers)
    give_second_looks(looks, Resender(*fates), stop, every_s=0.0)
    return looks.finished


def test_a_message_that_is_gone_is_told_and_the_next_one_is_sent() -> None:
    gone = MessageGone("it is no longer in its topic")
    assert run([1, 2], fates=(gone, None)) == [(1, "it is no longer in its topic"), (2, None)]


def test_a_broker_or_a_database_that_is_away_finishes_nothing_and_the_loop_goes_on() -> None:
    away = DeliveryFailed("no broker")
    assert run(StorageUnavailable("no database"), [1], [1], fates=(away, None)) == [(1, None)]


def test_a_database_without_requests_ends_the_loop_and_not_the_classifier() -> None:
    assert run(ConfigurationError("older database"), [1]) == []
