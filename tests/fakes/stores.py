"""Repositories and dead-letter sinks in memory, each named for what it does."""

import threading
from collections.abc import Sequence
from uuid import UUID

from typing_extensions import override

from services.contracts.errors import DeliveryFailed, StorageUnavailable
from services.contracts.messages import CameraStatus, DeadLetter
from services.domain.inspection import Inspection, RejectedFrame, StoreReport


class MemoryRepository:
    """Keeps rows by their key, as the database does; records the order of calls."""

    def __init__(self) -> None:
        self.inspections: dict[tuple[UUID, str, str], Inspection] = {}
        self.rejected: dict[UUID, RejectedFrame] = {}
        self.statuses: list[CameraStatus] = []
        self.calls = 0
        self._lock = threading.Lock()

    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        with self._lock:
            self.calls += 1
            before = len(self.inspections)
            for each in inspections:
                self.inspections.setdefault((each.frame_id, each.model_name, each.model_version), each)
            for frame in rejected:
                self.rejected.setdefault(frame.frame_id, frame)
            inserted = len(self.inspections) - before
            return StoreReport(inserted, len(inspections) - inserted)

    def store_camera_status(self, statuses: Sequence[CameraStatus]) -> None:
        self.statuses += statuses


class FailingRepository(MemoryRepository):
    """Is away for the first `failures` calls, or for ever."""

    def __init__(self, failures: int | None = None) -> None:
        super().__init__()
        self.failures = failures
        self.attempts = 0

    @override
    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        self.attempts += 1
        if self.failures is None or self.attempts <= self.failures:
            raise StorageUnavailable("the database is away")
        return super().store(inspections, rejected)


class BrokenRepository(MemoryRepository):
    """Has a bug."""

    @override
    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        raise ZeroDivisionError("a bug")


class BlockingRepository(MemoryRepository):
    """Does not return from `store` before `gate` is set; then stores."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.entered = threading.Event()

    @override
    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        self.entered.set()
        assert self.gate.wait(20)
        return super().store(inspections, rejected)


class MemoryDeadLetters:
    """Keeps letters."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    def publish_all(self, letters: Sequence[DeadLetter]) -> None:
        self.letters += letters


class FailingDeadLetters(MemoryDeadLetters):
    """Does not deliver the first `failures` times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    @override
    def publish_all(self, letters: Sequence[DeadLetter]) -> None:
        if self.failures:
            self.failures -= 1
            raise DeliveryFailed("the broker is away")
        super().publish_all(letters)
