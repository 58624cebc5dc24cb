"""Housekeeping waits for what is away, passes over what is not possible, and comes again."""

import threading

from services.classifier.housekeeping import keep_house
from services.contracts.errors import ConfigurationError, StorageUnavailable


def test_chores_wait_for_infrastructure_skip_the_impossible_and_come_again() -> None:
    stop = threading.Event()
    done: list[str] = []

    def away_at_first() -> None:
        done.append("topics")
        if done.count("topics") == 1:
            raise StorageUnavailable("not yet")

    def impossible() -> None:
        done.append("partitions")
        raise ConfigurationError("the role may not")

    def last() -> None:
        done.append("retention")
        if done.count("retention") == 2:
            stop.set()

    keep_house([away_at_first, impossible, last], stop, every_s=0.01)

    assert done == ["topics", "topics", "partitions", "retention", "topics", "partitions", "retention"]


def test_a_chore_that_waits_ends_when_the_room_stops() -> None:
    stop = threading.Event()

    def away() -> None:
        stop.set()
        raise StorageUnavailable("away for good")

    keep_house([away], stop)
