"""Turns rows of the cameras page into what is shown: words, tables, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboard.cameras_rows import CameraNow, CamerasSnapshot, KeptPicture
from dashboard.overview import Cell
from dashboard.reasons import camera_why, condition_word
from dashboard.states import Sighting, State, age_s, judge_camera
from dashboard.words import ago, class_word, clean, metre, number, percent, plain, say

CAMERA_COLUMNS = (
    "camera_id", "line_id", "machine_id", "position_m", "assigned", "last_captured_at", "last_received_at",
    "frames", "defects", "missing", "brightness", "saturated", "sharpness", "room_state", "room_reason",
    "reported_at", "spooled_frames", "dropped_ever", "conditions", "condition_reason", "work_order_no",
)  # fmt: skip
_DELIVERING = frozenset({State.RUNNING, State.UNASSIGNED})


@dataclass(frozen=True, slots=True)
class JudgedCamera:
    """A camera with what it is doing; `age_s` is the age of its newest frame in seconds, None for never."""

    row: CameraNow
    state: State
    age_s: float | None


def judge(found: CamerasSnapshot, silent_after_s: float) -> list[JudgedCamera]:
    """Judge every camera by the rule of the line page; a frame that is old is never called running."""
    return [
        JudgedCamera(row, _state(row, found, silent_after_s), age_s(row.last_captured_at, found.as_of))
        for row in found.cameras
    ]


def _state(row: CameraNow, found: CamerasSnapshot, silent_after_s: float) -> State:
    sighting = Sighting(row.last_captured_at, row.last_received_at, row.frames, found.window_s, row.assigned)
    return judge_camera(sighting, found.as_of, silent_after_s)


def figures(cameras: Sequence[JudgedCamera]) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    rows = [camera.row for camera in cameras]
    return {
        "delivering": f"{sum(camera.state in _DELIVERING for camera in cameras)} / {len(cameras)}",
        "attention": str(sum(bool(row.conditions) for row in rows)),
        "missing": number(sum(row.missing for row in rows), 0),
        "camera_dropped": number(sum(row.dropped_ever for row in rows), 0),
    }


def condition_words(row: CameraNow) -> str:
    """Return what is wrong with the camera's pictures, in words."""
    return ", ".join(condition_word(kind) for kind in row.conditions) or "–"


def per_minute(row: CameraNow, window_s: float) -> float:
    """Return frames per minute over the window."""
    return row.frames * 60 / window_s


def camera_table(cameras: Sequence[JudgedCamera], window_s: float) -> list[dict[str, Cell]]:
    """Return a row of words and numbers for each camera, in the order given."""
    return [
        {
            plain("table.camera"): clean(camera.row.camera_id),
            plain("table.state"): plain(camera.state.value),
            plain("table.condition"): condition_words(camera.row),
            plain("table.age"): ago(camera.age_s),
            plain("table.frames"): per_minute(camera.row, window_s),
            plain("table.missing"): camera.row.missing,
            plain("table.camera_waiting"): camera.row.spooled_frames,
            plain("table.camera_dropped"): camera.row.dropped_ever,
            plain("table.behind"): clean(camera.row.machine_id),
            plain("table.position"): metre(camera.row.position_m),
        }
        for camera in cameras
    ]


def sentences(camera: JudgedCamera, window_s: float, now: datetime) -> list[str]:
    """Return what is to be said about a camera, as Markdown with everything from the database escaped."""
    row = camera.row
    said = [
        say("cameras.now", camera=row.camera_id, state=plain(camera.state.value), age=ago(camera.age_s)),
        say("cameras.place", machine=row.machine_id, metre=metre(row.position_m))
        if row.assigned
        else say("cameras.no_place", camera=row.camera_id),
        say("cameras.rate", rate=number(per_minute(row, window_s)), missing=number(row.missing, 0)),
    ]
    if row.brightness is not None:
        bright, white = percent(row.brightness), percent(row.saturated)
        said.append(say("cameras.look", bright=bright, white=white, sharp=number(row.sharpness, 0)))
    if row.conditions:
        said.append(
            say("cameras.condition", what=condition_words(row), reason=camera_why(row.condition_reason or "–"))
        )
    if row.reported_at is None:
        said.append(say("cameras.no_room"))
    else:
        age = ago(age_s(row.reported_at, now))
        counts = {"waiting": number(row.spooled_frames, 0), "dropped": number(row.dropped_ever, 0)}
        said.append(say("cameras.room", state=row.room_state or "–", age=age, **counts))
        if row.room_reason:
            said.append(say("cameras.room_reason", reason=row.room_reason))
    return said


def picture_caption(kept: KeptPicture, camera: JudgedCamera, now: datetime) -> str:
    """Say how old a kept picture is, and that it is not the newest frame where it is not."""
    age, what = ago(age_s(kept.captured_at, now)), class_word(clean(kept.defect_class))
    newest = camera.row.last_captured_at
    if newest is not None and newest > kept.captured_at:
        return say("cameras.picture_older", age=age, what=what, newest=ago(camera.age_s))
    return say("cameras.picture_newest", age=age, what=what)
