"""Rows as the dashboard reads them, for tests without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from dashboard.maintenance_rows import (
    ContainedRow,
    EventRow,
    MachineHealthRow,
    MaintenanceSnapshot,
    OrderRow,
)
from dashboard.rows import (
    CameraRow,
    CameraStatusRow,
    DefectFrame,
    DelayPoint,
    DelaySummary,
    HealthSnapshot,
    LineSnapshot,
    MachineRow,
    ModelUseRow,
    RejectedRow,
    ReportRow,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCRIPT = "<script>alert('x')</script>"
WINDOW_S = 900.0


def machine(machine_id: str, position_m: float, name: str = "Some machine") -> MachineRow:
    return MachineRow("strip-1", "Strip line 1", machine_id, name, "washer", position_m)


def camera(camera_id: str, machine_id: str, *, age_s: float | None = 0.5, **changes: Any) -> CameraRow:
    seen_at = None if age_s is None else NOW - timedelta(seconds=age_s)
    values: dict[str, Any] = {
        "line_id": "strip-1", "machine_id": machine_id, "camera_id": camera_id, "position_m": 20.0,
        "assigned": True,
        "frames": 900, "defects": 45, "last_captured_at": seen_at, "last_received_at": seen_at, **changes,
    }  # fmt: skip
    return CameraRow(**values)


def stray_camera(camera_id: str) -> CameraRow:
    return camera(camera_id, "unassigned", line_id="unassigned", position_m=None, assigned=False)


def line(*, machines: tuple[MachineRow, ...] = (), cameras: tuple[CameraRow, ...] = ()) -> LineSnapshot:
    return LineSnapshot(NOW, WINDOW_S, machines, cameras)


def defect(image: bytes | None, **changes: Any) -> DefectFrame:
    values: dict[str, Any] = {
        "frame_id": UUID(int=1), "defect_class": "oil_spot", "confidence": 0.91, "line_id": "strip-1",
        "machine_id": "washer-1", "camera_id": "cam-2", "coil_id": "H-4711",
        "captured_at": NOW - timedelta(seconds=4),
        "strip_position_m": 120.5, "model_name": "surface_defects", "model_version": "1", "image": image,
        "evidence": [[0.0, 1.0], [2.0, 0.0]], **changes,
    }  # fmt: skip
    return DefectFrame(**values)


def health(**changes: Any) -> HealthSnapshot:
    values: dict[str, Any] = {
        "as_of": NOW, "window_s": WINDOW_S, "newest_captured_at": NOW - timedelta(seconds=1),
        "delay": DelaySummary(900, 0.08, 0.2), "points": (DelayPoint(NOW - timedelta(minutes=2), 60, 0.08, 0.2),),
        "rejected": (), "statuses": (), "models": (), **changes,
    }  # fmt: skip
    return HealthSnapshot(**values)


def rejected(reason: str = "truncated_image", detail: str = "the JPEG ends early", frames: int = 3) -> RejectedRow:
    return RejectedRow(reason, frames, NOW - timedelta(minutes=3), "cam-2", detail, 2048)


def status(camera_id: str, **changes: Any) -> CameraStatusRow:
    values: dict[str, Any] = {
        "camera_id": camera_id, "reported_at": NOW - timedelta(seconds=2), "state": "running", "reason": None,
        "captured_total": 1000, "published_total": 1000, "dropped_total": 0, "spooled_frames": 0, "spool_bytes": 0,
        "oldest_spooled_at": None, "dropped_in_all": 0, **changes,
    }  # fmt: skip
    return CameraStatusRow(**values)


def model_use() -> ModelUseRow:
    return ModelUseRow("surface_defects", "1", 900, 4, NOW, "ab" * 32, NOW - timedelta(days=2))


def report_row(machine_id: str, defect_class: str | None, frames: int, defects: int) -> ReportRow:
    rate = defects / frames if frames else None
    seen = NOW - timedelta(hours=1) if defects else None
    low, high = (rate * 0.8, rate * 1.2) if rate is not None else (None, None)
    return ReportRow(
        "strip-1", machine_id, "Cleaning section", defect_class, frames, defects, rate, low, high, seen, ["cam-2"]
    )


def healthy(machine_id: str, name: str = "Some machine", state: str = "ok") -> MachineHealthRow:
    return MachineHealthRow("strip-1", machine_id, name, machine_id, state, "no chart is raised", 100.0, None)


def order(work_order_no: str, **changes: Any) -> OrderRow:
    values: dict[str, Any] = {
        "work_order_no": work_order_no, "state": "new", "priority": 2, "line_id": "strip-1",
        "group_id": "skinpass-1", "machine_ids": ["skinpass-1"], "damage_code": "rolled_pit", "cause_code": None,
        "feedback": None, "created_at": NOW, "required_by": NOW + timedelta(hours=8), "assigned_to": None,
        "finished_at": None, "onset_coil": "C-3", "onset_position_m": 3200.0, "onset_at": NOW - timedelta(hours=1),
        "rate_ratio": 5.04, "ratio_low": 3.4, "ratio_high": 7.1, "probability": 0.96, "runner_up": "washer-1",
        "runner_up_probability": 0.03, "matched_rolls": ["work-roll-top"], "quality_loss": 240.0,
        "reason": "rolled pits", "advice": "Change or grind the work roll. Look at the strip.", **changes,
    }  # fmt: skip
    return OrderRow(**values)


def contained(coil_id: str, defects: int = 3) -> ContainedRow:
    return ContainedRow(coil_id, NOW, 3000.0, 4000.0, defects, "B")


def event(who: str, comment: str | None = None) -> EventRow:
    return EventRow(NOW, who, "acknowledge", "acknowledged", comment)


def maintenance(
    machines: tuple[MachineHealthRow, ...] = (), orders: tuple[OrderRow, ...] = ()
) -> MaintenanceSnapshot:
    late = sum(each.required_by < NOW for each in orders)
    return MaintenanceSnapshot(NOW, machines, orders, len(orders), late)
