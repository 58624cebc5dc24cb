"""Alerts: what is told to people, about what, and what a receiver wants to hear; `alert_plan` says when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

URGENT: Final = 4
"""The severity that bypasses cooldown and digest."""


class AlertKind(StrEnum):
    """What happened."""

    FLAG_RAISED = "flag_raised"
    FLAG_ESCALATED = "flag_escalated"
    FLAG_CLEARED = "flag_cleared"
    CAMERA_CONDITION = "camera_condition"
    CAMERA_RECOVERED = "camera_recovered"
    COIL_CHANGE_CONDITION = "coil_change_condition"
    REPAIR_VERIFIED = "repair_verified"
    REPAIR_NO_CHANGE = "repair_no_change"


@dataclass(frozen=True, slots=True)
class Cause:
    """What alerts are about: the unit of the cooldown.

    Attributes:
        line_id: The line; `unassigned` for a camera that no line file names.
        machines: The machine, or the group that no camera separates, in strip order; empty for a camera or a line.
        camera_id: The camera, when it is about the camera itself.
        defect_class: The defect class; None when it is not about one.
    """

    line_id: str
    machines: tuple[str, ...] = ()
    camera_id: str | None = None
    defect_class: str | None = None

    def __post_init__(self) -> None:
        """Refuse a cause that is about machines and a camera at once."""
        if self.machines and self.camera_id is not None:
            raise ValueError("a cause is about machines or about a camera, not both")


@dataclass(frozen=True, slots=True)
class Alert:
    """One fact that people may want to be told; a row of the outbox.

    Attributes:
        alert_id: The row's number.
        created_at: When it was written, aware.
        flag_id: The flag it is about (a UUID), or None.
        cause: What it is about.
        severity: 1 watch, 2 inspect, 3 plan this shift, 4 act now.
        kind: What happened.
        subject: One line for people.
        text: Some lines for people.
        link: An http(s) address where more can be seen, or None.
        details: JSON values for machines.
    """

    alert_id: int
    created_at: datetime
    flag_id: str | None
    cause: Cause
    severity: int
    kind: AlertKind
    subject: str
    text: str
    link: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an unknown severity and a time without zone."""
        if not 1 <= self.severity <= URGENT:
            raise ValueError(f"severity {self.severity} of alert {self.alert_id} is not between 1 and {URGENT}")
        if self.created_at.tzinfo is None:
            raise ValueError(f"the time of alert {self.alert_id} has no zone")


@dataclass(frozen=True, slots=True)
class ReceiverPolicy:
    """What a receiver wants to hear, and how often.

    Attributes:
        name: The receiver.
        kinds: The kinds it wants; empty for all.
        min_severity: The least severity it wants.
        cooldown_s: Silence after a message, per cause; without effect on a receiver with a digest.
        digest_every_s: Collect for this long and send one message; None sends at once.
        give_up_after_s: Age of an alert after which it is no longer tried.
    """

    name: str
    kinds: frozenset[AlertKind] = frozenset()
    min_severity: int = 1
    cooldown_s: float = 0.0
    digest_every_s: float | None = None
    give_up_after_s: float = 7 * 86400.0

    def wants(self, alert: Alert) -> bool:
        """Whether the receiver asked for alerts like this one."""
        return alert.severity >= self.min_severity and (not self.kinds or alert.kind in self.kinds)


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """An alert that a receiver has not got yet; `next_attempt_at` is None unless an attempt failed."""

    alert: Alert
    attempts: int = 0
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Alerts that travel together.

    Attributes:
        receiver: The receiver's name.
        alerts: Of one cause: newest first. A digest: most severe first, then oldest first.
        is_digest: Whether it collects several causes.
        attempts: Failed attempts so far, the most of any of its alerts.
    """

    receiver: str
    alerts: tuple[Alert, ...]
    is_digest: bool
    attempts: int

    @property
    def alert_ids(self) -> tuple[int, ...]:
        """Numbers of its alerts, ascending."""
        return tuple(sorted(alert.alert_id for alert in self.alerts))

    @property
    def severity(self) -> int:
        """The highest severity in it."""
        return max(alert.severity for alert in self.alerts)
