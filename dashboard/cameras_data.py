"""SQL of the cameras page: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from datetime import timedelta
from typing import Final, LiteralString

from dashboard.cameras_rows import CameraNow, CamerasSnapshot, KeptPicture
from dashboard.database import Database
from dashboard.rows import Moment

WINDOW_S: Final = 300.0

_NOW: LiteralString = "select now() as as_of"

# A sequence that goes down is a new spool session, not a hole.
_CAMERAS: LiteralString = """
with recent as (
    select camera_id, defect_class, brightness, saturated, sharpness,
           sequence - lag(sequence) over (partition by camera_id order by captured_at, sequence) - 1 as hole
    from inspections
    where captured_at >= %(as_of)s - %(window)s and captured_at < %(as_of)s + interval '1 minute'
),
counted as (
    select camera_id, count(*) as frames, count(*) filter (where defect_class <> 'no_defect') as defects,
           coalesce(sum(greatest(hole, 0)), 0)::bigint as missing, avg(brightness)::float8 as brightness,
           avg(saturated)::float8 as saturated, avg(sharpness)::float8 as sharpness
    from recent group by camera_id
),
dropped as (
    select camera_id, sum(dropped_total)::bigint as dropped_ever from camera_sessions group by camera_id
),
ids as (
    select camera_id from cameras where removed_at is null or last_received_at > %(as_of)s - interval '1 day'
    union select camera_id from camera_status where reported_at > %(as_of)s - interval '1 day'
),
known as (
    select i.camera_id, c.line_id, c.machine_id, c.position_m, c.last_captured_at, c.last_received_at,
           coalesce(c.removed_at is null and c.machine_id <> 'unassigned', false) as assigned
    from ids i left join cameras c using (camera_id)
)
select k.camera_id,
       case when k.assigned then k.line_id else 'unassigned' end as line_id,
       case when k.assigned then k.machine_id else 'unassigned' end as machine_id,
       case when k.assigned then k.position_m end as position_m,
       k.assigned, k.last_captured_at, k.last_received_at,
       coalesce(n.frames, 0) as frames, coalesce(n.defects, 0) as defects, coalesce(n.missing, 0) as missing,
       n.brightness, n.saturated, n.sharpness,
       s.state as room_state, s.reason as room_reason, s.reported_at, s.spooled_frames,
       coalesce(d.dropped_ever, 0) as dropped_ever,
       coalesce(h.conditions, '{}') as conditions, h.reason as condition_reason, h.work_order_no
from known k
left join counted n using (camera_id)
left join camera_status s using (camera_id)
left join dropped d using (camera_id)
left join camera_health h on h.camera_id = k.camera_id and h.line_id = k.line_id and k.assigned
order by not k.assigned, k.line_id, k.position_m, k.camera_id
limit 500
"""

_PICTURE: LiteralString = """
with newest as (
    select frame_id, model_name, model_version, captured_at, defect_class from inspections
    where camera_id = %(camera)s and captured_at > now() - interval '1 day'
      and captured_at < now() + interval '1 minute'
    order by captured_at desc limit 200
)
select n.captured_at, n.defect_class, i.image
from newest n join inspection_images i using (frame_id, model_name, model_version, captured_at)
order by n.captured_at desc limit 1
"""


def cameras_snapshot(database: Database) -> CamerasSnapshot:
    """Return every camera that is declared, or was heard of in the last day."""
    as_of = database.rows(Moment, _NOW)[0].as_of
    found = database.rows(CameraNow, _CAMERAS, {"as_of": as_of, "window": timedelta(seconds=WINDOW_S)})
    return CamerasSnapshot(as_of, WINDOW_S, tuple(found))


def newest_picture(database: Database, camera_id: str) -> KeptPicture | None:
    """Return the newest kept picture among the camera's last 200 frames of a day, None when none was kept."""
    found = database.rows(KeptPicture, _PICTURE, {"camera": camera_id})
    return found[0] if found else None
