"""Slices on the whole line: frames wait in Kafka until a classifier drains them, or they arrive at random."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import psycopg

from services.bench.processes import MemorySample, ProcessorMeter, sample_memory
from services.bench.room import Room
from services.bench.rows import Rows, Span, steady_window, wait_for_rows
from services.bench.stack import CAMERAS, BenchStack
from services.bench.statistics import LatencySummary, summarise_latency
from services.bench.worker import Answer, Worker, number, text
from services.runtime.deadline import Deadline

_PUBLISH_TIMEOUT_S: Final = 120.0
_STALL_S: Final = 60.0
_WARM_UP_FRAMES: Final = 64
_SETTLE_SHARE: Final = 0.1
_SAMPLE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Drained:
    """What draining a backlog showed.

    Attributes:
        rate: Rows per second over the steady window.
        costs_core_s: Core-seconds per frame of each part of the line, over the same window.
    """

    rate: float
    costs_core_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What random arrivals showed: latency, how late the load generator was at worst, and memory on the way."""

    latency: LatencySummary
    rate: float
    late_ms: float
    memory: tuple[MemorySample, ...]


class LineBench:
    """The classifier under load, against the real stack or the stub of Triton."""

    def __init__(self, stack: BenchStack, producer: Worker, connection: psycopg.Connection) -> None:
        """Use a stack whose stores run, a ready load generator, and a session in autocommit."""
        self._stack = stack
        self._producer = producer
        self._connection = connection
        self._rng = np.random.default_rng(0)

    def drain(self, triton_url: str, frames: int) -> Drained:
        """Let frames wait in Kafka, start a classifier, and wait until all are rows.

        Raises:
            WorkerFailed: The classifier ended, or stopped to make rows.
        """
        span = _span(self._producer.ask({"do": "preload", "frames": frames}, _PUBLISH_TIMEOUT_S))
        with (
            self._stack.start_classifier(triton_url) as classifier,
            ProcessorMeter({"classifier": classifier.pid} | self._stack.server_pids) as meter,
        ):
            rows = self._wait(span, classifier)
        window = steady_window(rows.committed_s)
        used = meter.used_s(window.begin_s, window.end_s)
        return Drained(window.rate, {name: spent / window.rows for name, spent in used.items()})

    def arrive(self, rate: float, seconds: float) -> Arrivals:
        """Let frames arrive at random for a while, after a warm-up whose frames do not count.

        Args:
            rate: Frames per second on average.
            seconds: How long.

        Raises:
            WorkerFailed: The classifier ended, or stopped to make rows.
        """
        with self._stack.start_classifier(self._stack.triton.grpc_url) as classifier:
            self._warm_up(classifier)
            watched = {"classifier": classifier.pid}
            first = sample_memory(watched)
            request = {"do": "arrive", "rate": rate, "seconds": seconds, "seed": int(self._rng.integers(2**31))}
            answer = self._producer.ask(request, seconds + _PUBLISH_TIMEOUT_S)
            rows = self._wait(_span(answer), classifier)
            last = sample_memory(watched)
        latencies = rows.latencies_ms[int(rows.latencies_ms.size * _SETTLE_SHARE) :]
        summary = summarise_latency(latencies, self._rng)
        return Arrivals(summary, number(answer, "frames") / seconds, number(answer, "late_ms"), (first, last))

    def soak(self, images: Path, rate: float, seconds: float) -> tuple[MemorySample, ...]:
        """Run the whole line, cameras with their spools included, and note the memory of every part.

        Args:
            images: What the cameras play.
            rate: Frames per second, all cameras together.
            seconds: How long.

        Raises:
            WorkerFailed: A room ended.
        """
        with (
            self._stack.start_classifier(self._stack.triton.grpc_url) as classifier,
            self._stack.start_camera(images, rate / len(CAMERAS)) as camera,
        ):
            watched = {"classifier": classifier.pid, "camera": camera.pid} | self._stack.server_pids
            deadline, samples = Deadline.after(seconds), []
            while not deadline.expired:
                time.sleep(min(_SAMPLE_S, deadline.remaining_s))
                classifier.check()
                camera.check()
                samples.append(sample_memory(watched))
        return tuple(samples)

    def _warm_up(self, classifier: Room) -> None:
        answer = self._producer.ask({"do": "preload", "frames": _WARM_UP_FRAMES}, _PUBLISH_TIMEOUT_S)
        self._wait(_span(answer), classifier)

    def _wait(self, span: Span, classifier: Room) -> Rows:
        return wait_for_rows(self._connection, span, _STALL_S, classifier.check)


def _span(answer: Answer) -> Span:
    return Span(text(answer, "since"), text(answer, "until"), int(number(answer, "frames")))
