"""The process monitor: inspections in; attributed defects, charts, flags and work orders out.

A walk through one turn of the loop:

1. **Read** the next page of inspections, in the order of their commit, and hand each line its rows.
2. **Judge** the coils that have passed all cameras (`LineWatch`): register defects, move the charts, raise and
   clear flags. Everything that follows from a coil, the state after it and the place up to which reading is done
   are kept in one transaction: whatever dies in between, the next start goes on from there with the same result.
3. **Go back** when rows of a judged coil come late: the state from before that coil is loaded, and it and all
   coils after it are judged again. The order in which rows arrive is no matter.

When the database is away (`TransientError`) the turn is tried again; nothing is skipped.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from services.contracts.errors import TransientError
from services.contracts.monitor_records import ReadCursor
from services.process_monitor.line_watch import LineWatch
from services.process_monitor.ports import InspectionSource, MonitorStore
from services.process_monitor.settings import ReadingSettings
from services.runtime import metrics
from services.runtime.backoff import backoff_delays_s
from services.runtime.health import Health

logger = logging.getLogger(__name__)

_FIRST_DELAY_S: Final = 0.2
_LONGEST_DELAY_S: Final = 10.0
_TICK_S: Final = 2.0

OpenWatches = Callable[[], Mapping[str, LineWatch]]
"""Makes the watches of all lines from what the database keeps. Raises `StorageUnavailable`."""


class ProcessMonitor:
    """The use case; the module's text walks through it. Used by one thread, apart from `health`."""

    def __init__(
        self,
        settings: ReadingSettings,
        source: InspectionSource,
        store: MonitorStore,
        open_watches: OpenWatches,
        stop: threading.Event,
    ) -> None:
        """Join the parts; nothing is read yet."""
        self._settings = settings
        self._source = source
        self._store = store
        self._open_watches = open_watches
        self._stop = stop
        self._watches: Mapping[str, LineWatch] = {}
        self._cursor: ReadCursor | None = None
        self._problem: str | None = "not started yet"
        self._news_at_s = time.monotonic()
        self.health = Health(checks={"analysis": lambda: self._problem})

    def run(self) -> None:
        """Watch until stopped.

        Raises:
            ConfigurationError: The line file or the database does not fit.
        """
        delays = self._delays()
        while not self._stop.is_set():
            self.health.tick()
            try:
                busy = self._turn()
            except TransientError as error:
                self._problem = str(error)
                metrics.TRANSIENT_ERRORS.labels("monitor").inc()
                logger.warning("the analysis waits", extra={"reason": self._problem})
                self._rest(next(delays))
                continue
            self._problem = None
            delays = self._delays()
            if not busy:
                self._rest(self._settings.poll_s)

    def _turn(self) -> bool:
        """Do one round; return whether there may be more to do at once.

        Watches are made anew after a failure: what they hold may be ahead of what was kept.
        """
        if self._cursor is None:
            self._watches = self._open_watches()
            self._cursor = self._store.load_cursor()
        try:
            return self._read_and_judge(self._cursor)
        except TransientError:
            self._cursor = None
            raise

    def _read_and_judge(self, cursor: ReadCursor) -> bool:
        page = self._source.new_rows(cursor, self._settings.page_rows)
        for line_id, table in page.lines.items():
            if line_id in self._watches:
                self._watches[line_id].add(table, cursor)
        self._cursor = page.cursor
        if len(page):
            self._news_at_s = time.monotonic()
        is_idle = time.monotonic() - self._news_at_s > self._settings.idle_close_s
        judged = 0
        for watch in self._watches.values():
            judged += watch.turn(lambda: self._safe_cursor(page.cursor), idle=is_idle, alive=self._alive)
        if len(page) and not any(len(watch.open) for watch in self._watches.values()):
            self._store.save_cursor(page.cursor)
        metrics.MONITOR_OPEN_COILS.set(sum(len(watch.open) for watch in self._watches.values()))
        return page.has_more or judged > 0

    def _alive(self) -> bool:
        """Tick, and say whether to go on."""
        self.health.tick()
        return not self._stop.is_set()

    def _safe_cursor(self, read: ReadCursor) -> ReadCursor:
        """Return up to where nothing that was read would be missed: where the oldest open coil begins."""
        cursors = [cursor for watch in self._watches.values() if (cursor := watch.open.oldest_cursor) is not None]
        return min((*cursors, read), key=lambda cursor: (cursor.history_at is None, cursor.change_no))

    def _rest(self, seconds: float) -> None:
        """Wait, ticking, until there is work again or the room stops."""
        until = time.monotonic() + seconds
        while not self._stop.is_set() and (left := until - time.monotonic()) > 0:
            self.health.tick()
            self._stop.wait(min(left, _TICK_S))

    @staticmethod
    def _delays() -> Iterator[float]:
        return backoff_delays_s(_FIRST_DELAY_S, _LONGEST_DELAY_S)
