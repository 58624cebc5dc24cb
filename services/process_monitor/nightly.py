"""Writes the nightly list of a line: once for each day, when its first coil of the next day is judged."""

from datetime import UTC, date, datetime, timedelta

from services.contracts.monitor_records import NightlyEntry
from services.domain.monitoring.analysis import CoilReport
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.nightly import nightly_streams
from services.process_monitor.ports import MonitorStore


class NightlyList:
    """Keeps one list a day (UTC), and today's up to date while the day goes on."""

    def __init__(self, store: MonitorStore, line_id: str) -> None:
        """Join the parts."""
        self._store = store
        self._line_id = line_id
        self._written: tuple[date, int] | None = None

    def after_coil(self, monitor: LineMonitor, report: CoilReport) -> None:
        """Write the list of the coil's day, at the first coil of each hour.

        Raises:
            StorageUnavailable: Nothing was kept.
        """
        end = datetime.fromtimestamp(report.outcome.coil.end_s, UTC)
        hour = (end.date(), end.hour)
        if hour == self._written:
            return
        start = end - timedelta(days=1)
        frame = monitor.frame
        entries = [
            NightlyEntry(
                group_id=frame.layout.groups[each.group].group_id,
                defect_class=frame.classes[each.defect_class],
                first_seen=each.count,
                expected=each.expected,
                exposure_m=each.metres,
                p_value=each.p_value,
                q_value=each.q_value,
                is_listed=each.is_listed,
            )
            for each in nightly_streams(monitor.state, frame, start.timestamp())
        ]
        self._store.save_nightly(self._line_id, end.date(), (start, end), entries)
        self._written = hour
