"""Looks at the dashboard as people do: first content of pages, ten browsers beside a writer, memory over time."""

import itertools
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Browser, BrowserContext
from pydantic import SecretStr

from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.runtime.settings import PostgresSettings
from tests.e2e.browser import PAGES, WIDE
from tests.fakes.plant import drawn_jpeg
from tests.fixtures_postgres import an_inspection

_FIRST_CONTENT: Final = "[data-testid=stMetric], [data-testid=stAlert], [data-testid=stDataFrame]"
_BATCH: Final = 10
_EVERY_S: Final = 0.2
_PICTURES: Final = 200


def first_content(browser: Browser, address: str, repeats: int) -> list[str]:
    """Return a line for each page: seconds from address to first figure, at a first visit and at the next one."""
    lines = [f"{'page':<20} {'n':>3} {'first p50 s':>12} {'max s':>7} {'again p50 s':>12} {'max s':>7}"]
    for name, path in PAGES.items():
        first_s, again_s = [], []
        for _ in range(repeats):
            context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
            first_s.append(_opened_after_s(context, address + path))
            again_s.append(_opened_after_s(context, address + path))
            context.close()
        both = [f"{np.median(taken_s):>12.2f} {max(taken_s):>7.2f}" for taken_s in (first_s, again_s)]
        lines.append(f"{name:<20} {repeats:>3} {' '.join(both)}")
    return lines


def _opened_after_s(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_selector(_FIRST_CONTENT, timeout=60_000)
    taken_s = time.perf_counter() - started
    page.close()
    return taken_s


def write(url: str, seconds: float) -> list[float]:
    """Store a batch of ten frames five times a second as the classifier does; return how long each took.

    One frame in ten is a defect with its picture, no two pictures alike for a while. Runs in a process of its own,
    as the classifier does.
    """
    repository = PostgresInspectionRepository(PostgresSettings(url=SecretStr(url)))
    pictures = itertools.cycle([drawn_jpeg("crease", seed) for seed in range(_PICTURES)])
    taken_s = []
    due_s = time.monotonic()
    end_s = due_s + seconds
    while due_s < end_s:
        now = datetime.now(UTC)
        frames = [an_inspection(captured_at=now) for _ in range(_BATCH - 1)]
        frames.append(an_inspection("crease", captured_at=now, image=next(pictures)))
        started = time.perf_counter()
        repository.store(frames, ())
        taken_s.append(time.perf_counter() - started)
        due_s += _EVERY_S
        time.sleep(max(0.0, due_s - time.monotonic()))
    repository.close()
    return taken_s


def writers() -> ProcessPoolExecutor:
    """Return where `write` runs."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def open_browsers(browser: Browser, address: str, count: int) -> list[Callable[[], None]]:
    """Open so many browsers on pages that refresh themselves; return what closes them."""
    live = ["line", "cameras", "pipeline-health", "maintenance", "machine"]
    closing: list[Callable[[], None]] = []
    for number in range(count):
        context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
        context.new_page().goto(address + PAGES[live[number % len(live)]], wait_until="commit", timeout=120_000)
        closing.append(context.close)
    return closing


def beside_the_line(browser: Browser, address: str, url: str, seconds: float) -> list[str]:
    """Return the time to store a batch without and with ten open browsers, in two rounds each, alternating."""
    lines = [f"{'browsers':>8} {'n':>5} {'p50 ms':>8} {'p95 ms':>8}"]
    for count in (0, 10, 0, 10):
        closing = open_browsers(browser, address, count)
        pages = [page for context in browser.contexts for page in context.pages]
        if pages:
            pages[0].wait_for_timeout(10_000)
        with writers() as elsewhere:
            writing = elsewhere.submit(write, url, seconds)
            while not writing.done():
                pages[0].wait_for_timeout(500) if pages else time.sleep(0.5)
        p50_ms, p95_ms = np.percentile(writing.result(), [50, 95]) * 1000
        lines.append(f"{count:>8} {len(writing.result()):>5} {p50_ms:>8.1f} {p95_ms:>8.1f}")
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


def memory_over(browser: Browser, address: str, url: str, minutes: int, say: Callable[[str], None]) -> None:
    """Say the dashboard's memory every minute while five browsers look at live pages and frames are stored."""
    pid = dashboard_pid(address)
    closing = open_browsers(browser, address, 5)
    page = browser.contexts[-1].pages[0]
    with writers() as elsewhere:
        elsewhere.submit(write, url, 60.0 * minutes)
        for minute in range(minutes + 1):
            say(f"minute {minute:>3}: {resident_mb(pid):.1f} MB")
            page.wait_for_timeout(60_000)
    for close in closing:
        close()
