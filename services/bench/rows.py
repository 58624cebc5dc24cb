"""What the database says about a slice: how many of its frames are rows, and when each was committed."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import psycopg

from services.bench.statistics import Samples
from services.bench.worker import WorkerFailed

_COUNT: Final = "SELECT count(*) FROM millsight.inspections WHERE captured_at BETWEEN %s AND %s"
_TIMES: Final = """
SELECT extract(epoch FROM captured_at)::float8, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8
FROM millsight.inspections WHERE captured_at BETWEEN %s AND %s ORDER BY captured_at, frame_id
"""
_STEADY_FROM: Final = 0.10
_STEADY_TO: Final = 0.95
_POLL_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Span:
    """The frames of one slice: captured between two moments (ISO 8601, UTC), this many of them."""

    since: str
    until: str
    frames: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Unix times in seconds of every frame of a slice that became a row, in order of capture."""

    captured_s: Samples
    committed_s: Samples

    @property
    def latencies_ms(self) -> Samples:
        """From capture to the commit record of each row."""
        return (self.committed_s - self.captured_s) * 1000


@dataclass(frozen=True, slots=True)
class Window:
    """The steady part of a slice: rows committed after `begin_s` and up to `end_s` (Unix times)."""

    begin_s: float
    end_s: float
    rows: int

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / (self.end_s - self.begin_s)


def steady_window(committed_s: Samples) -> Window:
    """Return the window between the commits that pass 10 % and 95 % of the rows: neither start-up nor running dry.

    Raises:
        ValueError: All rows were committed at once, so there is no window.
    """
    times = np.sort(committed_s)
    if times.size == 0 or times[0] == times[-1]:
        raise ValueError("a rate needs rows of at least two commits")
    begin = float(times[int(_STEADY_FROM * times.size)])
    end = float(times[int(_STEADY_TO * times.size) - 1])
    if end <= begin:
        begin, end = float(times[0]), float(times[-1])
    return Window(begin, end, int(np.count_nonzero((times > begin) & (times <= end))))


def wait_for_rows(
    connection: psycopg.Connection, span: Span, timeout_s: float, check: Callable[[], None] = lambda: None
) -> Rows:
    """Wait until every frame of the slice is a row, then say when each was committed.

    Args:
        connection: A session in autocommit.
        span: The slice.
        timeout_s: How long progress may stand still, in seconds.
        check: Called while waiting; raises when waiting is pointless.

    Raises:
        WorkerFailed: No further row came for `timeout_s`.
    """
    count, progress_s = -1, time.monotonic()
    while count < span.frames:
        check()
        row = connection.execute(_COUNT, (span.since, span.until)).fetchone()
        found = 0 if row is None else int(row[0])
        if found > count:
            count, progress_s = found, time.monotonic()
        elif time.monotonic() - progress_s > timeout_s:
            raise WorkerFailed(
                f"only {count} of {span.frames} frames became rows, and none in the last {timeout_s:.0f} s"
            )
        else:
            time.sleep(_POLL_S)
    times = np.array(connection.execute(_TIMES, (span.since, span.until)).fetchall(), dtype=np.float64)
    return Rows(times[:, 0], times[:, 1])
