"""What people are told about flags, cameras and coil changes, in their words."""

from collections.abc import Iterator
from math import isfinite
from uuid import UUID

from services.contracts.monitor_records import CameraCondition, Notice
from services.domain.alerts import AlertKind
from services.domain.monitoring.facts import CAMERA_PREFIX, CoilRecord, Flag

_CONDITION_SEVERITY = 2


def raised(flag: Flag, used: UUID) -> Notice:
    """Say that something is wrong; once per alarm."""
    subject = f"{_place(flag)}: {_finding(flag)}"
    return _notice(flag, used, AlertKind.FLAG_RAISED, f"raised {flag.flag_id}", subject)


def escalated(flag: Flag, used: UUID) -> Notice:
    """Say that it got worse; once per severity."""
    subject = f"{_place(flag)} got worse: {_finding(flag)}"
    return _notice(flag, used, AlertKind.FLAG_ESCALATED, f"escalated {used} {flag.severity}", subject)


def cleared(flag: Flag, used: UUID) -> Notice:
    """Say that the process is back in control; once per coil."""
    subject = f"{_place(flag)} is back to normal since coil {flag.cleared_coil}"
    return _notice(flag, used, AlertKind.FLAG_CLEARED, f"cleared {used} {flag.cleared_coil}", subject)


def condition_began(condition: CameraCondition) -> Notice:
    """Say that a camera is ill."""
    subject = f"camera {condition.camera_id} is {_words(condition.kind)}: {condition.reason}"
    return _of_camera(condition, AlertKind.CAMERA_CONDITION, "began", subject)


def condition_ended(condition: CameraCondition) -> Notice:
    """Say that a camera is well again."""
    subject = f"camera {condition.camera_id} is no longer {_words(condition.kind)}"
    return _of_camera(condition, AlertKind.CAMERA_RECOVERED, "ended", subject)


def coil_change_notices(record: CoilRecord) -> Iterator[Notice]:
    """Say which coil-change marks of a coil are missing, or should not be there."""
    for event in record.landmarks:
        if event.kind == "seen":
            continue
        yield Notice(
            happening=f"{event.kind} {event.defect_class} {record.line_id} {record.coil_id}",
            kind=AlertKind.COIL_CHANGE_CONDITION.value,
            severity=_CONDITION_SEVERITY,
            subject=f"coil {record.coil_id}: {event.kind} {_words(event.defect_class)} at the coil change",
            body={
                "line_id": record.line_id,
                "machines": [],
                "camera_id": None,
                "defect_class": event.defect_class,
                "text": "",
                "link": None,
                "details": {
                    "coil_id": record.coil_id,
                    "position_m": event.position_m,
                    "cameras": list(event.cameras),
                },
            },
        )


def _notice(flag: Flag, used: UUID, kind: AlertKind, happening: str, subject: str) -> Notice:
    is_camera = flag.group_id.startswith(CAMERA_PREFIX)
    body = {
        "line_id": flag.line_id,
        "machines": [] if is_camera else list(flag.machine_ids),
        "camera_id": flag.group_id.removeprefix(CAMERA_PREFIX) if is_camera else None,
        "defect_class": flag.defect_class,
        "text": "\n".join(part for part in (flag.reason, flag.advice) if part),
        "link": None,
        "details": {
            "group_id": flag.group_id,
            "onset_coil": flag.onset_coil,
            "alarm_coil": flag.alarm_coil,
            "last_coil": flag.last_coil,
            "rate_ratio": _finite(flag.rate_ratio),
            "ratio_low": _finite(flag.ratio_low),
            "ratio_high": _finite(flag.ratio_high),
            "probability": flag.probability,
            "runner_up": flag.runner_up,
            "runner_up_probability": flag.runner_up_probability,
            "matched_rolls": list(flag.matched_rolls),
            "evidence": list(flag.evidence),
        },
    }
    return Notice(happening, kind.value, flag.severity, subject, body, used)


def _of_camera(condition: CameraCondition, kind: AlertKind, what: str, subject: str) -> Notice:
    key = (condition.line_id, condition.camera_id, condition.kind, condition.since.isoformat())
    return Notice(
        happening=f"{what} {' '.join(key)}",
        kind=kind.value,
        severity=_CONDITION_SEVERITY,
        subject=subject,
        body={
            "line_id": condition.line_id,
            "machines": [],
            "camera_id": condition.camera_id,
            "defect_class": None,
            "text": condition.reason,
            "link": None,
            "details": {"condition": condition.kind, "since": condition.since.isoformat()},
        },
        flag_id=condition.flag_id,
    )


def _place(flag: Flag) -> str:
    if flag.group_id.startswith(CAMERA_PREFIX):
        return f"camera {flag.group_id.removeprefix(CAMERA_PREFIX)}"
    return " or ".join(flag.machine_ids)


def _finding(flag: Flag) -> str:
    if flag.defect_class is None or flag.rate_ratio is None:
        return flag.reason
    times = f"{flag.rate_ratio:.1f} times as often as normal"
    return f"{_words(flag.defect_class)} {times} since coil {flag.onset_coil}"


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _words(name: str) -> str:
    return name.replace("_", " ")
