"""Times every query of every page on a filled database."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import numpy as np
from typing_extensions import override

from dashboard import (
    cameras_data,
    coil_map_data,
    correlation_data,
    data,
    database,
    machine_data,
    maintenance_data,
    model_data,
    refused_data,
    review_data,
)
from dashboard.database import Database, Parameters, RowT

Pages = dict[str, Callable[[], object]]


class TimedDatabase(Database):
    """Remembers how long every query took, by page and query."""

    def __init__(self, url: str) -> None:
        super().__init__(url, database.PoolLimits(size=1, statement_timeout_s=60.0))
        self.page = ""
        self.taken_s: dict[tuple[str, str], list[float]] = defaultdict(list)

    @override
    def rows(self, row_type: type[RowT], query: LiteralString, parameters: Parameters | None = None) -> list[RowT]:
        """Ask, and note the time until the last row was there."""
        started = time.perf_counter()
        found = super().rows(row_type, query, parameters)
        self.taken_s[self.page, row_type.__name__].append(time.perf_counter() - started)
        return found


def pages_of(asked: Database) -> Pages:
    """Return what each page asks, with the widest choice that it offers."""
    now = datetime.now(UTC)
    coil = coil_map_data.coils(asked)[0]
    machine = "skinpass-1"
    waiting = review_data.queue(asked, "", "", "").frames[0]

    def coil_page() -> None:
        coil_map_data.coils(asked)
        found = coil_map_data.coil_detail(asked, coil.line_id, coil.coil_id)
        for defect in (found.defects if found else ())[:1]:
            coil_map_data.sightings(asked, defect.defect_id)

    def review_page() -> None:
        review_data.queue(asked, "", "", "")
        review_data.picture_of(asked, waiting)

    def model_page() -> None:
        model_data.versions(asked)
        model_data.drift(asked, "surface_defects", "1")
        model_data.comparison(asked, "surface_defects", "1", "2")

    return {
        "line": lambda: (data.line_snapshot(asked, 3600.0), data.newest_defects(asked, 12)),
        "cameras": lambda: (cameras_data.cameras_snapshot(asked), cameras_data.newest_picture(asked, "cam-3")),
        "pipeline health": lambda: (data.health_snapshot(asked, 3600.0), refused_data.refused_messages(asked)),
        "correlation": lambda: correlation_data.snapshot(asked, 24),
        "coil map": coil_page,
        "review": review_page,
        "machine": lambda: (
            machine_data.machines(asked),
            machine_data.machine_detail(asked, machine, "rolled_pit", 30),
        ),
        "maintenance": lambda: (
            maintenance_data.maintenance_snapshot(asked, "all"),
            maintenance_data.order_detail(asked, "WO-000001"),
        ),
        "report of a day": lambda: data.sightings_report(asked, now - timedelta(hours=24), now),
        "report of all": lambda: data.sightings_report(asked, now - timedelta(days=7), now),
        "model": model_page,
    }


@contextmanager
def timed(url: str) -> Iterator[TimedDatabase]:
    """Open a database that times, and close it."""
    opened = TimedDatabase(url)
    try:
        yield opened
    finally:
        opened.close()


def measure_queries(url: str, repeats: int) -> list[str]:
    """Return a line for each query: page, rows it returns, n, median and 95th percentile in ms."""
    with timed(url) as asked:
        pages = pages_of(asked)
        for round_number in range(repeats + 1):
            if round_number == 1:
                asked.taken_s.clear()  # the first round warms the cache
            for name, ask in pages.items():
                asked.page = name
                ask()
        lines = [f"{'page':<18} {'query':<18} {'n':>4} {'p50 ms':>8} {'p95 ms':>8}"]
        for (page, rows), taken_s in asked.taken_s.items():
            p50_ms, p95_ms = np.percentile(taken_s, [50, 95]) * 1000
            lines.append(f"{page:<18} {rows:<18} {len(taken_s):>4} {p50_ms:>8.1f} {p95_ms:>8.1f}")
    return lines
