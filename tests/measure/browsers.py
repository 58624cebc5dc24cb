"""Looks at the dashboard as people do: first content of pages, ten browsers beside a writer, memory over time."""

import itertools
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Browser

from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.runtime.settings import PostgresSettings
from tests.e2e.browser import PAGES, WIDE
from tests.fakes.plant import drawn_jpeg
from tests.fixtures_postgres import an_inspection

_FIRST_CONTENT: Final = "[data-testid=stMetric], [data-testid=stAlert], [data-testid=stDataFrame]"
_BATCH: Final = 10
_PAUSE_S: Final = 0.2
_PICTURES: Final = 200


def first_content(browser: Browser, address: str, repeats: int) -> list[str]:
    """Return a line for each page: seconds from the address to the first figure, in a browser without a cache."""
    lines = [f"{'page':<20} {'n':>3} {'p50 s':>7} {'max s':>7}"]
    for name, path in PAGES.items():
        taken_s = []
        for _ in range(repeats):
            context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
            page = context.new_page()
            started = time.perf_counter()
            page.goto(address + path, wait_until="commit")
            page.wait_for_selector(_FIRST_CONTENT, timeout=60_000)
            taken_s.append(time.perf_counter() - started)
            context.close()
        lines.append(f"{name:<20} {repeats:>3} {np.median(taken_s):>7.2f} {max(taken_s):>7.2f}")
    return lines


class Writer:
    """Stores batches of ten frames five times a second as the classifier does, and notes how long each took.

    One frame in ten is a defect with its picture, no two pictures alike for a while.
    """

    def __init__(self, settings: PostgresSettings) -> None:
        self._pictures = itertools.cycle([drawn_jpeg("crease", seed) for seed in range(_PICTURES)])
        self._repository = PostgresInspectionRepository(settings)
        self._stopped = threading.Event()
        self.taken_s: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopped.set()
        self._thread.join(timeout=30)
        self._repository.close()

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE_S):
            now = datetime.now(UTC)
            frames = [an_inspection(captured_at=now) for _ in range(_BATCH - 1)]
            frames.append(an_inspection("crease", captured_at=now, image=next(self._pictures)))
            started = time.perf_counter()
            self._repository.store(frames, ())
            self.taken_s.append(time.perf_counter() - started)


def open_browsers(browser: Browser, address: str, count: int) -> list[Callable[[], None]]:
    """Open so many browsers on pages that refresh themselves; return what closes them."""
    live = ["line", "cameras", "pipeline-health", "maintenance", "machine"]
    closing: list[Callable[[], None]] = []
    for number in range(count):
        context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
        context.new_page().goto(address + PAGES[live[number % len(live)]], wait_until="commit", timeout=120_000)
        closing.append(context.close)
    return closing


def beside_the_line(browser: Browser, address: str, settings: PostgresSettings, seconds: float) -> list[str]:
    """Return the time to store a batch without and with ten open browsers, in two rounds each, alternating."""
    lines = [f"{'browsers':>8} {'n':>5} {'p50 ms':>8} {'p95 ms':>8}"]
    for count in (0, 10, 0, 10):
        closing = open_browsers(browser, address, count)
        pages = [page for context in browser.contexts for page in context.pages]
        if pages:
            pages[0].wait_for_timeout(10_000)
        with Writer(settings) as writer:
            (pages[0].wait_for_timeout(seconds * 1000) if pages else time.sleep(seconds))
        p50_ms, p95_ms = np.percentile(writer.taken_s, [50, 95]) * 1000
        lines.append(f"{count:>8} {len(writer.taken_s):>5} {p50_ms:>8.1f} {p95_ms:>8.1f}")
        for close in closing:
            close()
    return lines


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process, megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def dashboard_pid(address: str) -> int:
    """Return the process that serves the dashboard at an address, by the port in its command line.

    Raises:
        LookupError: There is none.
    """
    port = address.rsplit(":", 1)[1]
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            words = (folder / "cmdline").read_bytes().split(b"\0") if (folder / "cmdline").exists() else []
            if b"--server.port" in words and port.encode() in words:
                return int(folder.name)
    raise LookupError(f"no dashboard serves {address}")


def memory_over(
    browser: Browser, address: str, settings: PostgresSettings, minutes: float, say: Callable[[str], None]
) -> None:
    """Say the dashboard's memory every minute while five browsers look at live pages and frames are stored."""
    pid = dashboard_pid(address)
    closing = open_browsers(browser, address, 5)
    page = browser.contexts[-1].pages[0]
    with Writer(settings):
        for minute in range(int(minutes) + 1):
            say(f"minute {minute:>3}: {resident_mb(pid):.1f} MB")
            page.wait_for_timeout(60_000)
    for close in closing:
        close()
