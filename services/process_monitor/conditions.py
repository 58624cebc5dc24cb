"""What is wrong with cameras, from one coil to the next: began, goes on, over."""

from collections.abc import Sequence
from datetime import UTC, datetime

from services.contracts.monitor_records import CameraCondition
from services.domain.monitoring.analysis import CoilReport
from services.domain.monitoring.facts import CAMERA_PREFIX


class OpenConditions:
    """The conditions of one line's cameras that go on."""

    def __init__(self, line_id: str) -> None:
        """Begin without any."""
        self._line_id = line_id
        self._since: dict[tuple[str, str], datetime] = {}
        self._reasons: dict[tuple[str, str], str] = {}

    def after_coil(self, report: CoilReport, cameras: Sequence[str]) -> tuple[CameraCondition, ...]:
        """Return the conditions that the coil showed and those that it ended.

        Args:
            report: Of the coil.
            cameras: Of the line, in strip order.
        """
        start = datetime.fromtimestamp(report.outcome.coil.start_s, UTC)
        seen = {
            (cameras[camera], finding.kind.value): finding.reason
            for camera, finding in report.outcome.check.findings
        }
        flags = {flag.group_id: flag.flag_id for flag in report.flags}
        for key in seen:
            self._since.setdefault(key, start)
        self._reasons.update(seen)
        conditions = tuple(
            CameraCondition(
                line_id=self._line_id,
                camera_id=camera,
                kind=kind,
                since=since,
                until=None if (camera, kind) in seen else start,
                reason=self._reasons[camera, kind],
                flag_id=flags.get(CAMERA_PREFIX + camera),
            )
            for (camera, kind), since in self._since.items()
        )
        for condition in conditions:
            if condition.until is not None:
                del self._since[condition.camera_id, condition.kind]
        return conditions
