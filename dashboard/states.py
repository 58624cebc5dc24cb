"""Judges what the line is doing from bare figures: who is running, who is silent, how sure a rate is."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

_Z_95: Final = 1.959964
_GAPS_UNTIL_SILENT: Final = 3.0


class State(Enum):
    """What can be said about a camera or machine; the value names its word in `dashboard.words`.

    `BEHIND` means that rows arrive now but show strip of some time ago: a backlog is being worked off.
    `NO_CAMERA` is a machine that no camera stands directly behind. The last five are the monitor's judgement.
    """

    RUNNING = "state.running"
    BEHIND = "state.behind"
    SILENT = "state.silent"
    UNASSIGNED = "state.unassigned"
    NO_DATA = "state.no_data"
    NO_CAMERA = "state.no_camera"
    OK = "health.ok"
    WATCH = "health.watch"
    INSPECT = "health.inspect"
    MAINTENANCE_REQUIRED = "health.maintenance_required"
    LEARNING = "health.learning"


@dataclass(frozen=True, slots=True)
class Rate:
    """Share of frames that show a defect, with the 95 % Wilson interval; all None when no frame was inspected."""

    frames: int
    defects: int

    @property
    def share(self) -> float | None:
        """Defects per frame, 0 to 1."""
        return self.defects / self.frames if self.frames > 0 else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lowest and highest share that fits the count with 95 % confidence."""
        if self.frames <= 0:
            return None
        n, p, z = self.frames, self.defects / self.frames, _Z_95
        middle = p + z * z / (2 * n)
        reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)

    def per_minute(self, window_s: float) -> tuple[float, float]:
        """Return frames and defects per minute of a window that is `window_s` seconds long."""
        return self.frames * 60 / window_s, self.defects * 60 / window_s


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of one camera's latest frames.

    Attributes:
        captured_at: When the newest stored frame was taken (camera's clock); None when there never was one.
        received_at: When a frame of this camera last arrived (classifier's clock).
        frames: Frames in the window of `window_s` seconds.
        assigned: Whether the line file names the camera.
    """

    captured_at: datetime | None
    received_at: datetime | None
    frames: int
    window_s: float
    assigned: bool = True


def silence_limit_s(sighting: Sighting, received_s: float, silent_after_s: float) -> float:
    """Return after how many seconds this camera counts as silent: three of its usual gaps, at least the limit.

    The usual gap is taken over the part of the window in which frames came, so that a growing silence does not
    pass for a slow camera.
    """
    delivering_s = max(0.0, sighting.window_s - max(0.0, received_s))
    usual_gap_s = delivering_s / sighting.frames if sighting.frames > 0 else 0.0
    return max(silent_after_s, _GAPS_UNTIL_SILENT * usual_gap_s)


def age_s(moment: datetime | None, now: datetime) -> float | None:
    """Return seconds from `moment` to `now`; below zero when a camera's clock runs ahead, None for never."""
    return None if moment is None else (now - moment).total_seconds()


def judge_camera(sighting: Sighting, now: datetime, silent_after_s: float) -> State:
    """Say what a camera is doing; a frame that is old is never called running."""
    captured_s, received_s = age_s(sighting.captured_at, now), age_s(sighting.received_at, now)
    if captured_s is None or received_s is None:
        return State.NO_DATA
    limit_s = silence_limit_s(sighting, received_s, silent_after_s)
    if received_s > limit_s:
        return State.SILENT
    if not sighting.assigned:
        return State.UNASSIGNED
    return State.BEHIND if captured_s > limit_s else State.RUNNING


_JUDGED: Final = {
    "ok": State.OK,
    "watch": State.WATCH,
    "inspect": State.INSPECT,
    "maintenance_required": State.MAINTENANCE_REQUIRED,
    "learning": State.LEARNING,
    "no_data": State.NO_DATA,
}


def with_health(seen: State, health: str | None) -> State:
    """Return what to show of a machine: the monitor's judgement, unless its cameras show nothing of now.

    Args:
        seen: What its cameras show, see `judge_machine`.
        health: Its state in `machine_health`; None where the monitor has said nothing.
    """
    if seen not in {State.RUNNING, State.NO_CAMERA}:
        return seen
    return _JUDGED.get(health or "", seen)


def judge_machine(cameras: Iterable[State]) -> State:
    """Say what is known about a machine from the cameras that stand behind it: its best-informed camera speaks."""
    states = set(cameras)
    if not states:
        return State.NO_CAMERA
    order = (State.RUNNING, State.UNASSIGNED, State.BEHIND, State.SILENT, State.NO_DATA)
    return next(state for state in order if state in states)
