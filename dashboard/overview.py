"""Turns a snapshot of the line into what the line page draws: judged cameras, machines, stations and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.charts import Station
from dashboard.rows import CameraRow, LineSnapshot, MachineRow
from dashboard.states import Rate, Sighting, State, age_s, judge_camera, judge_machine, with_health
from dashboard.words import ago, clean, metre, number, percent, percent_range, plain

Cell = str | float | None
"""What a table shows: words, a number, or nothing; shares are 0 to 1."""


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera with what can be said about it."""

    row: CameraRow
    state: State
    rate: Rate
    age_s: float | None


@dataclass(frozen=True, slots=True)
class MachineView:
    """A machine with the cameras right behind it; `watched_by` is the next camera down the strip, if any.

    `state` is what its cameras show, `shown` the process monitor's judgement where they show something of now.
    """

    row: MachineRow
    state: State
    shown: State
    rate: Rate
    age_s: float | None
    cameras: tuple[CameraView, ...]
    watched_by: str | None


@dataclass(frozen=True, slots=True)
class LineView:
    """One line: its machines and cameras in strip order."""

    line_id: str
    name: str
    machines: tuple[MachineView, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The plant at one moment, judged."""

    as_of: datetime
    window_s: float
    lines: tuple[LineView, ...]
    cameras: tuple[CameraView, ...]

    @property
    def rate(self) -> Rate:
        """Frames and defects of all cameras."""
        return _sum(self.cameras)

    @property
    def delivering(self) -> int:
        """How many cameras deliver frames of now, those of no line included."""
        return sum(camera.state in {State.RUNNING, State.UNASSIGNED} for camera in self.cameras)

    @property
    def unassigned(self) -> tuple[CameraView, ...]:
        """Cameras that no line file names."""
        return tuple(camera for camera in self.cameras if not camera.row.assigned)

    @property
    def silent(self) -> tuple[CameraView, ...]:
        """Cameras that delivered once and do not now."""
        return tuple(camera for camera in self.cameras if camera.state is State.SILENT)


def judge(snapshot: LineSnapshot, silent_after_s: float, health: Mapping[str, str] | None = None) -> Overview:
    """Judge every camera and machine of a snapshot.

    Args:
        snapshot: What cameras delivered.
        silent_after_s: Silence after which a camera counts as silent, at least.
        health: Machine id to its state in `machine_health`; None: nothing is known of it.
    """
    cameras = tuple(_camera(row, snapshot, silent_after_s) for row in snapshot.cameras)
    lines = []
    for line_id in dict.fromkeys(machine.line_id for machine in snapshot.machines):
        machines = tuple(machine for machine in snapshot.machines if machine.line_id == line_id)
        known = health or {}
        views = tuple(_machine(each, cameras, snapshot.as_of, known.get(each.machine_id)) for each in machines)
        lines.append(LineView(line_id, machines[0].line_name, views))
    return Overview(snapshot.as_of, snapshot.window_s, tuple(lines), cameras)


def _camera(row: CameraRow, snapshot: LineSnapshot, silent_after_s: float) -> CameraView:
    sighting = Sighting(row.last_captured_at, row.last_received_at, row.frames, snapshot.window_s, row.assigned)
    state = judge_camera(sighting, snapshot.as_of, silent_after_s)
    return CameraView(row, state, Rate(row.frames, row.defects), age_s(row.last_captured_at, snapshot.as_of))


def _machine(row: MachineRow, cameras: Sequence[CameraView], now: datetime, health: str | None) -> MachineView:
    behind = tuple(c for c in cameras if c.row.assigned and c.row.machine_id == row.machine_id)
    newest = max((c.row.last_captured_at for c in behind if c.row.last_captured_at), default=None)
    further = [
        camera.row
        for camera in cameras
        if camera.row.line_id == row.line_id and (camera.row.position_m or 0.0) >= row.position_m
    ]
    next_camera = min(further, key=lambda camera: camera.position_m or 0.0, default=None)
    state = judge_machine(camera.state for camera in behind)
    return MachineView(
        row=row,
        state=state,
        shown=with_health(state, health),
        rate=_sum(behind),
        age_s=age_s(newest, now),
        cameras=behind,
        watched_by=next_camera.camera_id if next_camera else None,
    )


def _sum(cameras: Sequence[CameraView]) -> Rate:
    return Rate(sum(c.rate.frames for c in cameras), sum(c.rate.defects for c in cameras))


def stations(line: LineView, window_s: float) -> list[Station]:
    """Return a line's machines and cameras in strip order, in words."""
    placed: list[tuple[float, int, Station]] = []
    for machine in line.machines:
        placed.append((machine.row.position_m, 0, _machine_station(machine, window_s)))
        placed += [(c.row.position_m or 0.0, 1, _camera_station(c, window_s)) for c in machine.cameras]
    return [station for _, _, station in sorted(placed, key=lambda each: each[:2])]


def _machine_station(machine: MachineView, window_s: float) -> Station:
    frames, defects = machine.rate.per_minute(window_s)
    unseen = machine.state is State.NO_CAMERA
    now = machine.state in {State.RUNNING, State.BEHIND}
    figure = plain("strip.defects", share=percent(machine.rate.share)) if now else plain("strip.not_now")
    return Station(
        is_camera=False,
        title=clean(machine.row.machine_id),
        name=clean(machine.row.name),
        place=metre(machine.row.position_m),
        state=machine.shown,
        first_line=_watched(machine) if unseen else figure,
        second_line=plain("strip.per_minute", rate=number(defects)) if now else "",
        detail=_watched(machine) if unseen else _detail(machine.rate, frames),
    )


def _camera_station(camera: CameraView, window_s: float) -> Station:
    frames, _ = camera.rate.per_minute(window_s)
    silent = camera.state in {State.SILENT, State.NO_DATA}
    return Station(
        is_camera=True,
        title=clean(camera.row.camera_id),
        name=plain("strip.behind", machine=camera.row.machine_id),
        place=metre(camera.row.position_m),
        state=camera.state,
        first_line=ago(camera.age_s),
        second_line="" if silent else plain("strip.frames", rate=number(frames, 0)),
        detail=_detail(camera.rate, frames),
    )


def _watched(machine: MachineView) -> str:
    if machine.watched_by is None:
        return plain("strip.unwatched")
    return plain("strip.watched", camera=machine.watched_by)


def _detail(rate: Rate, frames_per_minute: float) -> str:
    return plain(
        "strip.detail",
        frames=number(frames_per_minute),
        share=percent(rate.share),
        range=percent_range(rate.interval),
    )


def machine_table(overview: Overview) -> list[dict[str, Cell]]:
    """Return one row per machine, in strip order; no figures for a machine that no camera watches."""
    table = []
    for line in overview.lines:
        for machine in line.machines:
            running = sum(camera.state is State.RUNNING for camera in machine.cameras)
            seen_by = plain("table.running_of", running=running, all=len(machine.cameras))
            table.append(
                {
                    plain("table.machine"): clean(machine.row.machine_id),
                    plain("table.state"): plain(machine.shown.value),
                    plain("table.cameras"): seen_by if machine.cameras else _watched(machine),
                    **_figures(machine.rate if machine.cameras else None, overview.window_s),
                    plain("table.age"): ago(machine.age_s) if machine.cameras else "–",
                    plain("table.name"): clean(machine.row.name),
                }
            )
    return table


def camera_table(overview: Overview) -> list[dict[str, Cell]]:
    """Return one row per camera, those of no line last."""
    return [
        {
            plain("table.camera"): clean(camera.row.camera_id),
            plain("table.state"): plain(camera.state.value),
            plain("table.behind"): clean(camera.row.machine_id),
            **_figures(camera.rate, overview.window_s),
            plain("table.age"): ago(camera.age_s),
            plain("table.position"): metre(camera.row.position_m),
        }
        for camera in overview.cameras
    ]


def _figures(rate: Rate | None, window_s: float) -> dict[str, Cell]:
    frames, defects = (None, None) if rate is None else rate.per_minute(window_s)
    return {
        plain("table.frames"): frames,
        plain("table.defects"): defects,
        plain("table.rate"): rate.share if rate else None,
        plain("table.range"): percent_range(rate.interval if rate else None),
    }
