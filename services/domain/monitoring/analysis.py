"""From rows to flags: the same steps for an export on disk and for a line that runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from services.domain.material import MaterialPack
from services.domain.monitoring.camera_flagging import camera_flag
from services.domain.monitoring.engine import CoilOutcome, take_coil
from services.domain.monitoring.facts import Flag, LandmarkEvent
from services.domain.monitoring.flagging import FlagContext, machine_flag, worst_first
from services.domain.monitoring.frame import Floats, MonitorFrame
from services.domain.monitoring.grades import CoilJudgement, judge_coil
from services.domain.monitoring.landmark_events import WeldBook, landmark_events
from services.domain.monitoring.migration import move_to
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.periods import look_for_period
from services.domain.monitoring.repairs import RepairWatch
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.registration.coil import register_coil
from services.domain.registration.coils import coil_order, with_coils
from services.domain.registration.layout import LineLayout
from services.domain.registration.table import InspectionTable
from services.domain.topology import Line, LineVersion


@dataclass(frozen=True, slots=True)
class CoilReport:
    """One coil, judged.

    Attributes:
        outcome: Charts and registered defects.
        flags: Flags that are open after this coil or were cleared by it.
        judgement: Grade, price and loss.
        landmarks: Marks of coil changes.
        expected: (G, C) defects that the normal rates let expect on this coil.
    """

    outcome: CoilOutcome
    flags: tuple[Flag, ...]
    judgement: CoilJudgement
    landmarks: tuple[LandmarkEvent, ...]
    expected: Floats


class LineAnalysis:
    """One line's monitor with its material: takes coils of rows, gives reports.

    Attributes:
        monitor: Charts and open faults.
        welds: How usual welds are on the line.
        repairs: Finished work orders whose effect is not known yet.
        maintained_until: Work orders that ended before this are taken into account; None: none are.
        judged: The latest coils by name: number, and rows they were judged by.
    """

    def __init__(
        self, versions: Sequence[LineVersion], classes: Sequence[str], pack: MaterialPack, first_number: int = 0
    ) -> None:
        """Start before the first coil.

        Args:
            versions: The line's dated versions, oldest first.
            classes: Defect classes that may occur.
            pack: Of the line's material.
            first_number: Number of the first coil.

        Raises:
            ValueError: No camera of the line stands behind a machine.
        """
        self._versions = tuple(versions)
        self._classes = tuple(classes)
        self._pack = pack
        frame = monitor_frame(self._versions[0].line, classes, pack)
        self.monitor = LineMonitor(frame, MonitorState.new(frame, first_number))
        self.welds = WeldBook()
        self.repairs: list[RepairWatch] = []
        self.maintained_until: datetime | None = None
        self.judged: dict[str, tuple[int, int]] = {}

    def take(self, name: str, rows: InspectionTable) -> CoilReport:
        """Take the next coil.

        Args:
            name: Of the coil.
            rows: All its rows.
        """
        gone = self._follow_line(float(rows.captured_s.min()))
        monitor = self.monitor
        coil = register_coil(rows, monitor.frame.layout, monitor.frame.landmarks)
        normal = monitor.state.rate
        landmarks = landmark_events(coil, monitor.frame, self.welds)
        outcome = take_coil(monitor, name, coil)
        judgement = judge_coil(outcome, monitor.frame, self._pack)
        for fault in (*monitor.faults, *outcome.cleared):
            look_for_period(fault, monitor.log, monitor.frame, outcome.coil)
            group = monitor.frame.layout.groups[fault.group].group_id
            fault.loss += judgement.loss.get(group, 0.0)
            fault.loss_m += judgement.loss_m.get(group, 0.0)
        expected = normal * outcome.standing.reading.evidence.metres
        self._note_judged(name, outcome.standing.number, len(rows))
        return CoilReport(outcome, (*gone, *self._flags(outcome)), judgement, landmarks, expected)

    def frames(self) -> tuple[MonitorFrame, ...]:
        """Return the set-ups of all versions of the line, newest first."""
        lines = [each.line for each in reversed(self._versions)]
        return tuple(monitor_frame(line, self._classes, self._pack) for line in lines)

    def _note_judged(self, name: str, number: int, rows: int) -> None:
        self.judged.pop(name, None)
        self.judged[name] = (number, rows)
        while len(self.judged) > HISTORY_COILS:
            del self.judged[next(iter(self.judged))]

    def layout_of_all(self) -> LineLayout:
        """Return the line as it stands last, with the cameras that only earlier versions had."""
        line = self._versions[-1].line
        cameras = {each.camera_id: each for version in self._versions for each in version.line.cameras}
        return LineLayout.of(replace(line, cameras=tuple(cameras.values())))

    def _follow_line(self, moment_s: float) -> tuple[Flag, ...]:
        """Change over to the line as it stood at a moment; return, as cleared, flags of what exists no more."""
        moment = datetime.fromtimestamp(moment_s, UTC)
        line = line_at(self._versions, moment)
        if line is self.monitor.frame.layout.line:
            return ()
        frame = monitor_frame(line, self._classes, self._pack)
        gone = self._gone(frame)
        move_to(self.monitor, frame)
        return gone

    def _gone(self, frame: MonitorFrame) -> tuple[Flag, ...]:
        context = self._context()
        monitor, layout = self.monitor, self.monitor.frame.layout
        groups = {each.group_id for each in frame.layout.groups}
        faults = [each for each in monitor.faults if layout.groups[each.group].group_id not in groups]
        lost = [each for each in monitor.camera_faults if layout.cameras[each.camera] not in frame.layout.cameras]
        return (
            *(machine_flag(each, context, cleared=True) for each in faults),
            *(camera_flag(each, context, cleared=True) for each in lost),
        )

    def _context(self) -> FlagContext:
        return FlagContext(self.monitor.frame, self.monitor.state, self.monitor.log, self._pack)

    def _flags(self, outcome: CoilOutcome) -> tuple[Flag, ...]:
        monitor, context = self.monitor, self._context()
        return (
            *(machine_flag(each, context, cleared=False) for each in monitor.faults),
            *(machine_flag(each, context, cleared=True) for each in outcome.cleared),
            *(camera_flag(each, context, cleared=False) for each in monitor.camera_faults),
            *(camera_flag(each, context, cleared=True) for each in outcome.cameras_cleared),
        )


def line_at(versions: Sequence[LineVersion], moment: datetime) -> Line:
    """Return the version that held at a moment; before the first one, the first."""
    held = [each for each in versions if each.valid_from is None or each.valid_from <= moment]
    return (held[-1] if held else versions[0]).line


def analyse(table: InspectionTable, analysis: LineAnalysis) -> Iterator[CoilReport]:
    """Yield a report of every coil of an export, in the order of the line.

    Args:
        table: Rows of the line, in any order.
        analysis: A new one, or one that goes on.
    """
    layout = analysis.layout_of_all()
    table = with_coils(table, layout, analysis.monitor.frame.landmarks)
    for code, rows in coil_order(table, layout):
        yield analysis.take(table.coils[code], table.take(rows))


def final_flags(reports: Iterator[CoilReport]) -> tuple[Flag, ...]:
    """Run through reports and return every flag as it stood last, worst first."""
    latest: dict[object, Flag] = {}
    for report in reports:
        for flag in report.flags:
            latest[flag.flag_id] = flag
    return worst_first(tuple(latest.values()))
