"""Closes the loop: what maintenance did goes back into the analysis, and its effect is measured."""

import logging
from datetime import datetime, timedelta
from typing import Final

from services.contracts.monitor_records import MaintenanceEvent, Notice
from services.domain.alerts import AlertKind
from services.domain.monitoring.analysis import CoilReport, LineAnalysis
from services.domain.monitoring.facts import CAMERA_PREFIX
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.repairs import RepairVerdict, RepairWatch, judge_repair
from services.process_monitor.ports import InspectionSource, MonitorStore

_LOOK_BACK: Final = timedelta(days=2)

logger = logging.getLogger(__name__)


class Maintenance:
    """Follows the work orders of one line."""

    def __init__(self, source: InspectionSource, store: MonitorStore, line_id: str) -> None:
        """Join the parts."""
        self._source = source
        self._store = store
        self._line_id = line_id

    def before_coil(self, analysis: LineAnalysis, start: datetime) -> None:
        """Apply the work orders that ended since the coil before: their charts start anew.

        Args:
            analysis: Of the line.
            start: First capture of the coil that comes next.
        """
        since = analysis.maintained_until or start - _LOOK_BACK
        for event in self._source.maintenance_events(since):
            if event.line_id == self._line_id and since < event.finished_at <= start:
                self._apply(analysis, event)
        analysis.maintained_until = max(since, start)

    def after_coil(self, analysis: LineAnalysis, report: CoilReport) -> None:
        """Count one more coil after every repair, and say whether it worked when that is clear."""
        frame, evidence = analysis.monitor.frame, report.outcome.standing.reading.evidence
        groups = {group.group_id: index for index, group in enumerate(frame.layout.groups)}
        for watch in list(analysis.repairs):
            if watch.group_id not in groups or watch.defect_class not in frame.classes:
                analysis.repairs.remove(watch)
                continue
            place = (groups[watch.group_id], frame.classes.index(watch.defect_class))
            watch.after += float(evidence.count[place])
            watch.after_m += float(evidence.metres[place])
            watch.coils += 1
            verdict = judge_repair(watch)
            if verdict is not None:
                analysis.repairs.remove(watch)
                self._record(watch, verdict)

    def _apply(self, analysis: LineAnalysis, event: MaintenanceEvent) -> None:
        monitor = analysis.monitor
        if event.group_id.startswith(CAMERA_PREFIX):
            _forget_camera(monitor, event.group_id.removeprefix(CAMERA_PREFIX))
            return
        groups = frozenset(
            index
            for index, group in enumerate(monitor.frame.layout.groups)
            if set(group.machine_ids) & set(event.machine_ids)
        )
        for fault in [each for each in monitor.faults if each.group in groups]:
            name = monitor.frame.classes[fault.defect_class]
            if not event.is_done:
                if name == event.defect_class or event.defect_class is None:
                    monitor.accepted(fault)
            elif event.verified is None and name == event.defect_class:
                group_id = monitor.frame.layout.groups[fault.group].group_id
                analysis.repairs.append(
                    RepairWatch(event.work_order_no, group_id, name, fault.count, fault.metres)
                )
        if event.is_done:
            monitor.repaired(groups)

    def _record(self, watch: RepairWatch, verdict: RepairVerdict) -> None:
        kind = AlertKind.REPAIR_VERIFIED if verdict.verified else AlertKind.REPAIR_NO_CHANGE
        subject = f"{watch.work_order_no}: {verdict.sentence}"
        notice = Notice(
            happening=f"repair/{watch.work_order_no}",
            kind=kind.value,
            severity=2,
            subject=subject,
            body={
                "line_id": self._line_id,
                "machines": watch.group_id.split("+"),
                "defect_class": watch.defect_class,
                "text": subject,
            },
        )
        self._store.record_repair(watch.work_order_no, verdict.sentence, verified=verdict.verified, notice=notice)
        logger.info("a repair was judged", extra={"work_order": watch.work_order_no, "verified": verdict.verified})


def _forget_camera(monitor: LineMonitor, camera_id: str) -> None:
    if camera_id not in monitor.frame.layout.cameras:
        return
    camera = monitor.frame.layout.cameras.index(camera_id)
    monitor.camera_faults = [each for each in monitor.camera_faults if each.camera != camera]
    monitor.restart_cameras(monitor.only_camera(camera))
