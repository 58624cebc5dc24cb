"""Turns a health snapshot into advice a person can act on, and into tables in words."""

from datetime import tzinfo
from typing import Final

from dashboard.overview import Cell, Overview
from dashboard.rows import HealthSnapshot
from dashboard.states import State, age_s
from dashboard.words import ago, byte_size, clean, clock, duration, number, plain, say

_STATUS_OLD_S: Final = 30.0


def advice(overview: Overview, health: HealthSnapshot, silent_after_s: float) -> list[str]:
    """Return in sentences (Markdown) what needs a hand and what to do, cameras first; empty when nothing does."""
    refused = [
        say("advice.rejected", frames=number(row.frames, 0), reason=reason_word(row.reason))
        for row in health.rejected
    ]
    return [*_of_cameras(overview), *_of_disks(health, silent_after_s), *refused]


def _of_cameras(overview: Overview) -> list[str]:
    keys = {State.SILENT: "advice.silent", State.BEHIND: "advice.behind", State.NO_DATA: "advice.no_data"}
    found = []
    for camera in overview.cameras:
        name, age = camera.row.camera_id, ago(camera.age_s)
        if camera.state in keys:
            found.append(say(keys[camera.state], camera=name, age=age))
        if not camera.row.assigned:
            found.append(say("advice.unassigned", camera=name))
    return found


def _of_disks(health: HealthSnapshot, silent_after_s: float) -> list[str]:
    found = []
    for status in health.statuses:
        waiting_s = age_s(status.oldest_spooled_at, health.as_of)
        if status.dropped_in_all > 0:
            dropped = number(status.dropped_in_all, 0)
            found.append(say("advice.dropped", camera=status.camera_id, frames=dropped))
        if waiting_s is not None and waiting_s > silent_after_s:
            found.append(say("advice.spooling", camera=status.camera_id, age=duration(waiting_s)))
    return found


def reason_word(reason: str) -> str:
    """Return why a message was refused as people write it."""
    return clean(reason).replace("_", " ")


def rejected_table(health: HealthSnapshot, where: tzinfo) -> list[dict[str, Cell]]:
    """Return one row per reason, the most frequent first."""
    return [
        {
            plain("table.reason"): reason_word(row.reason),
            plain("table.count"): row.frames,
            plain("table.latest"): clock(row.last_at, where, health.as_of),
            plain("table.camera"): clean(row.last_camera_id),
            plain("table.size"): byte_size(row.last_bytes),
            plain("table.detail"): clean(row.last_detail),
        }
        for row in sorted(health.rejected, key=lambda each: -each.frames)
    ]


def status_table(health: HealthSnapshot) -> list[dict[str, Cell]]:
    """Return one row per camera room; a report that is old is marked as old."""
    table: list[dict[str, Cell]] = []
    for row in health.statuses:
        reported_s = age_s(row.reported_at, health.as_of) or 0.0
        state = clean(row.state) if reported_s <= _STATUS_OLD_S else plain("status.old", state=row.state)
        table.append(
            {
                plain("table.camera"): clean(row.camera_id),
                plain("table.state"): state,
                plain("table.reported"): ago(reported_s),
                plain("table.captured"): row.captured_total,
                plain("table.published"): row.published_total,
                plain("table.waiting"): f"{number(row.spooled_frames, 0)} ({byte_size(row.spool_bytes)})",
                plain("table.dropped"): row.dropped_total,
                plain("table.dropped_all"): row.dropped_in_all,
                plain("table.detail"): clean(row.reason or "–"),
            }
        )
    return table


def model_table(health: HealthSnapshot, where: tzinfo) -> list[dict[str, Cell]]:
    """Return one row per model version that judged frames in the window."""
    return [
        {
            plain("table.model"): clean(row.model_name),
            plain("table.version"): clean(row.model_version),
            plain("table.judged"): row.frames,
            plain("table.cameras"): row.cameras,
            plain("table.latest"): clock(row.last_at, where, health.as_of),
            plain("table.registered"): clock(row.registered_at, where),
            plain("table.digest"): clean(row.sha256[:12] if row.sha256 else "–"),
        }
        for row in health.models
    ]
