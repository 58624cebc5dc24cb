"""The source in memory promises what the real one promises."""

from collections.abc import Sequence

import pytest

from tests.fakes.broker import MemoryBroker, MemorySource
from tests.fakes.record_source_behaviour import RecordSourceBehaviour, World


class MemoryWorld:
    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def publish(self, topic: str, *values: bytes) -> None:
        for value in values:
            self.broker.append(topic, value)

    def new_source(self, topics: Sequence[str]) -> MemorySource:
        return MemorySource(self.broker)


class TestMemorySource(RecordSourceBehaviour):
    @pytest.fixture
    def world(self) -> World:
        return MemoryWorld()
