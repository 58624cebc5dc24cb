"""Batches between broker and database: the batch threads, and what each of them holds."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from services.classifier.pipeline import Outcome
from services.classifier.progress import PartitionProgress
from services.contracts.records import Partition, Record
from services.runtime import metrics


@dataclass(frozen=True, slots=True)
class Batch:
    """Records in flight, each with the progress of its partition's present assignment."""

    records: Sequence[Record]
    progress: Sequence[PartitionProgress]

    def touches(self, partitions: frozenset[Partition]) -> bool:
        """Whether any record comes from one of these partitions; none named means any."""
        return not partitions or any(record.partition in partitions for record in self.records)


class InFlight:
    """Runs batches in threads of their own; belongs to the intake thread."""

    def __init__(self, limit: int) -> None:
        """Run `limit` batches at a time."""
        self._limit = limit
        self._threads = ThreadPoolExecutor(limit, thread_name_prefix="batch")
        self._batches: dict[Future[Outcome], Batch] = {}

    @property
    def has_room(self) -> bool:
        """Whether a batch thread is free."""
        return len(self._batches) < self._limit

    def start(self, process: Callable[[Sequence[Record]], Outcome], batch: Batch) -> None:
        """Hand a batch to a thread; a batch beyond the limit waits for one."""
        self._batches[self._threads.submit(process, batch.records)] = batch
        self._count()

    def finished(self) -> Iterator[tuple[Batch, Future[Outcome]]]:
        """Give out the batches that have come to an end, each once."""
        for future in [future for future in self._batches if future.done()]:
            yield self._batches.pop(future), future
        self._count()

    def wait(self, wait_s: float, partitions: frozenset[Partition] = frozenset()) -> bool:
        """Wait until a batch that touches these partitions has ended; return whether there was any to wait for."""
        futures = [future for future, batch in self._batches.items() if batch.touches(partitions)]
        wait(futures, wait_s, FIRST_COMPLETED)
        return bool(futures)

    def close(self) -> None:
        """Start no more; threads that still run end by themselves, since all they wait for has a deadline."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _count(self) -> None:
        metrics.INFLIGHT_FRAMES.set(sum(len(batch.records) for batch in self._batches.values()))
