"""One line under watch: judges complete coils, goes back when rows come late, follows work orders."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import numpy as np

from services.contracts.errors import ConfigurationError
from services.contracts.monitor_checkpoint import pack_checkpoint, unpack_checkpoint
from services.contracts.monitor_records import Checkpoint, CoilResult, ReadCursor
from services.domain.material import MaterialPack
from services.domain.monitoring.analysis import CoilReport, LineAnalysis
from services.domain.monitoring.records import coil_record, defects_of
from services.domain.monitoring.state import HISTORY_COILS
from services.domain.registration.layout import LineLayout
from services.domain.registration.places import camera_indices
from services.domain.registration.table import InspectionTable
from services.domain.topology import LineVersion
from services.process_monitor.conditions import OpenConditions
from services.process_monitor.maintenance import Maintenance
from services.process_monitor.nightly import NightlyList
from services.process_monitor.open_coils import OpenCoils, newest_rows
from services.process_monitor.ports import InspectionSource, MonitorStore
from services.runtime import metrics

OTHER_CLASS: Final = "other"
"""Class of verdicts whose name neither the material pack nor the line knows."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WatchParts:
    """What a watch works with."""

    source: InspectionSource
    store: MonitorStore
    versions: Sequence[LineVersion]
    classes: tuple[str, ...]
    pack: MaterialPack


class LineWatch:
    """Watches one line; used by one thread."""

    def __init__(self, parts: WatchParts) -> None:
        """Go on from the newest kept state of the line, or begin anew.

        Raises:
            StorageUnavailable: Try again later.
            ConfigurationError: No camera of the line stands behind a machine.
        """
        self._parts = parts
        self._line = parts.versions[-1].line
        self.analysis = self._new_analysis()
        self.open = OpenCoils(LineLayout.of(self._line), self._line.monitoring.close_after_s)
        self.maintenance = Maintenance(parts.source, parts.store, self._line.id)
        self.conditions = OpenConditions(self._line.id)
        self._nightly = NightlyList(parts.store, self._line.id)
        self._restore(parts.store.load_checkpoint(self._line.id))
        layout = self.analysis.monitor.frame.layout
        groups = (*layout.groups, *((layout.unseen,) if layout.unseen else ()))
        parts.store.save_groups(self._line.id, groups)
        for counter in (metrics.MONITOR_COILS, metrics.MONITOR_ROWS, metrics.MONITOR_LATE_COILS):
            counter.labels(self.line_id)
        metrics.MONITOR_ROWS_TOO_LATE.labels(self.line_id)

    @property
    def line_id(self) -> str:
        """The line."""
        return self._line.id

    def add(self, table: InspectionTable, cursor: ReadCursor) -> None:
        """Take new rows."""
        self.open.add(table, cursor, time.monotonic())

    def turn(self, safe_cursor: Callable[[], ReadCursor], *, idle: bool, alive: Callable[[], bool]) -> int:
        """Judge what is complete; return how many coils that were.

        Args:
            safe_cursor: Says up to where nothing that was read would be missed after a restart.
            idle: Nothing arrives any more: open coils are complete.
            alive: Called between coils; False: stop here, the rest is judged after the next start.

        Raises:
            StorageUnavailable: Some coils may be kept already; the watch must be made anew.
        """
        names = self.open.complete(time.monotonic(), idle=idle)
        late = [name for name in names if self._is_late(name)]
        for name in names:
            if name not in late:
                if not alive():
                    return 0
                rows = self.open.take(name)
                self._judge(name, rows, safe_cursor())
        if late:
            self._go_back(late, alive)
        return len(names)

    def _is_late(self, name: str) -> bool:
        """Tell whether a coil was judged already, or entered the line before one that was."""
        state = self.analysis.monitor.state
        if name in self.analysis.judged:
            return True
        newest_s = float(state.ring_times[(state.coils - 1) % HISTORY_COILS, 0])
        return state.coils > state.began and self.open.oldest_s(name) < newest_s

    def _judge(self, name: str, rows: InspectionTable, cursor: ReadCursor | None) -> None:
        """Judge one coil and keep everything that follows from it."""
        rows = self._recoded(rows)
        start = datetime.fromtimestamp(float(rows.captured_s.min()), UTC)
        self.maintenance.before_coil(self.analysis, start)
        report = self.analysis.take(name, rows)
        self.maintenance.after_coil(self.analysis, report)
        self._parts.store.save_coil(self._result(report, cursor))
        self._nightly.after_coil(self.analysis.monitor, report)
        self._count(report, len(rows))

    def _result(self, report: CoilReport, cursor: ReadCursor | None) -> CoilResult:
        monitor = self.analysis.monitor
        camera = monitor.frame.layout.line.cameras[0]
        record = coil_record(report, monitor.frame, monitor.state, camera.material)
        conditions = self.conditions.after_coil(report, monitor.frame.layout.cameras)
        checkpoint = Checkpoint(
            self._line.id, record.number, record.coil_id, pack_checkpoint(self.analysis), version("millsight")
        )
        return CoilResult(
            record=record,
            defects=defects_of(report, monitor.frame),
            flags=report.flags,
            conditions=conditions,
            checkpoint=checkpoint,
            cursor=cursor,
        )

    def _go_back(self, names: Sequence[str], alive: Callable[[], bool]) -> None:
        """Judge coils again whose rows came late, and every coil after them: the order of arrival is no matter."""
        tables = self._late_tables(names)
        if not tables:
            return
        first = min(self._number_at(name, table) for name, table in tables.items())
        checkpoint = self._parts.store.load_checkpoint(self.line_id, first)
        if checkpoint is None and first > 0:
            for name, table in tables.items():
                self._give_up(name, len(table))
            return
        metrics.MONITOR_LATE_COILS.labels(self.line_id).inc(len(tables))
        logger.info("rows came late: coils are judged again", extra={"line_id": self.line_id, "from_coil": first})
        self._restore(checkpoint)
        number = -1 if checkpoint is None else checkpoint.coil_number
        for name in self._parts.source.coils_after(self.line_id, number):
            tables.setdefault(name, newest_rows(self._parts.source.rows_of_coil(self.line_id, name)))
        whole = {name: table for name, table in tables.items() if len(table)}
        for name in sorted(whole, key=lambda each: (_entered_s(whole[each], self.open.layout), each)):
            self._judge(name, whole[name], None)
            alive()

    def _late_tables(self, names: Sequence[str]) -> dict[str, InspectionTable]:
        """Return all rows of late coils that have rows which were not judged yet.

        Rows that were read twice after a restart are no news. Sections of strip whose rows name no coil cannot be
        found again: their late rows stay in the inspections and are not judged.
        """
        tables = {}
        for name in names:
            read = self.open.take(name)
            table = newest_rows(self._parts.source.rows_of_coil(self.line_id, name))
            if not len(table):
                self._give_up(name, len(read))
            elif len(table) != self.analysis.judged.get(name, (0, 0))[1]:
                tables[name] = table
        return tables

    def _number_at(self, name: str, table: InspectionTable) -> int:
        """Return the number a late coil has or takes: that of the first judged coil that began after it."""
        if name in self.analysis.judged:
            return self.analysis.judged[name][0]
        state = self.analysis.monitor.state
        numbers = state.remembered()
        later = numbers[state.ring_times[numbers % HISTORY_COILS, 0] > float(table.captured_s.min())]
        return int(later[0]) if len(later) else state.coils

    def _give_up(self, name: str, rows: int) -> None:
        metrics.MONITOR_ROWS_TOO_LATE.labels(self.line_id).inc(rows)
        logger.error(
            "rows came too late to be judged; they stay among the inspections",
            extra={"line_id": self.line_id, "coil_id": name, "rows": rows},
        )

    def _restore(self, checkpoint: Checkpoint | None) -> None:
        self.analysis = self._new_analysis()
        if checkpoint is None:
            return
        try:
            unpack_checkpoint(checkpoint.state, self.analysis)
        except ConfigurationError as error:
            logger.warning(
                "the kept state is of another program or line: the line is learnt anew",
                extra={"line_id": self._line.id, "reason": str(error)},
            )
            self.analysis = self._new_analysis(checkpoint.coil_number + 1)

    def _new_analysis(self, first_number: int = 0) -> LineAnalysis:
        parts = self._parts
        try:
            return LineAnalysis(parts.versions, parts.classes, parts.pack, first_number)
        except ValueError as error:
            raise ConfigurationError(f"{error}: place a camera behind a machine in the line file") from error

    def _recoded(self, rows: InspectionTable) -> InspectionTable:
        """Return rows with the watch's classes; names it does not know become `OTHER_CLASS`."""
        known = set(self._parts.classes)
        names = tuple(name if name in known else OTHER_CLASS for name in rows.classes)
        return InspectionTable(
            rows.cameras, rows.coils, names, rows.frame_id, rows.camera, rows.coil, rows.captured_s,
            rows.position_m, rows.label, rows.confidence, rows.spot, rows.pictures,
        ).recoded(rows.cameras, rows.coils, self._parts.classes)  # fmt: skip

    def _count(self, report: CoilReport, rows: int) -> None:
        metrics.MONITOR_COILS.labels(self.line_id).inc()
        metrics.MONITOR_ROWS.labels(self.line_id).inc(rows)
        metrics.MONITOR_NEWEST.labels(self.line_id).set(report.outcome.coil.end_s)
        for severity in range(1, 5):
            flags = [flag for flag in report.flags if flag.cleared_coil is None and flag.severity == severity]
            metrics.FLAGS_OPEN.labels(self.line_id, str(severity)).set(len(flags))


def watched_classes(pack: MaterialPack, model_labels: Sequence[str]) -> tuple[str, ...]:
    """Return the classes that a line's watch tells apart: the pack's, the model's, and one for the rest."""
    return tuple(dict.fromkeys((*pack.classes, *model_labels, OTHER_CLASS)))


def _entered_s(table: InspectionTable, layout: LineLayout) -> float:
    """Return when a coil entered the line, as `coil_order` reckons it."""
    camera = camera_indices(table, layout)
    return float(np.median(table.captured_s - layout.station_m[camera] / layout.line.speed_m_s))
