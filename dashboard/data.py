"""The only SQL of the dashboard: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer. Windows end now, by
the database's clock; a frame counts by when it was captured. Frames of cameras whose clock runs more than a minute
ahead are left out of windows until their time has come.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

from dashboard.database import Database
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
    Moment,
    RejectedRow,
    ReportRow,
)

REJECTED_WINDOW: Final = timedelta(hours=24)
_DELAY_SLICES: Final = 30
_DELAY_WINDOW: Final = timedelta(minutes=5)
_SHORTEST_WINDOW_S: Final = 10.0
_FULL_SAMPLE_S: Final = 300

_NOW: LiteralString = "select now() as as_of"

_MACHINES: LiteralString = """
select m.line_id, l.name as line_name, m.machine_id, m.name, m.kind, m.position_m
from machines m join lines l using (line_id)
where m.removed_at is null and m.position_m is not null
order by m.line_id, m.position_m
limit 500
"""

_CAMERAS: LiteralString = """
with counted as (
    select camera_id, sum(frames)::bigint as frames,
           (sum(frames) filter (where defect_class <> 'no_defect'))::bigint as defects,
           min(first_captured_at) as first_captured_at
    from counted(%(as_of)s - %(window)s, %(as_of)s + interval '1 minute')
    group by camera_id
),
ids as (
    select camera_id from cameras where removed_at is null or last_received_at > %(as_of)s - interval '1 day'
    union select camera_id from camera_status where reported_at > %(as_of)s - interval '1 day'
),
known as (
    select camera_id, line_id, machine_id, position_m, last_captured_at, last_received_at,
           coalesce(removed_at is null and machine_id <> 'unassigned', false) as assigned
    from ids left join cameras using (camera_id)
)
select case when k.assigned then k.line_id else 'unassigned' end as line_id,
       case when k.assigned then k.machine_id else 'unassigned' end as machine_id,
       k.camera_id,
       case when k.assigned then k.position_m end as position_m,
       k.assigned,
       coalesce(c.frames, 0) as frames,
       coalesce(c.defects, 0) as defects,
       k.last_captured_at,
       k.last_received_at,
       c.first_captured_at
from known k left join counted c using (camera_id)
where k.assigned or k.last_received_at is null or k.last_received_at > %(as_of)s - interval '1 day'
order by not k.assigned, k.line_id, k.position_m, k.camera_id
limit 500
"""

_NEWEST_DEFECTS: LiteralString = """
with newest as (
    select * from inspections
    where defect_class <> 'no_defect' and captured_at < now() + interval '1 minute'
    order by captured_at desc
    limit %(limit)s
)
select n.frame_id, n.defect_class, n.confidence, n.line_id, n.machine_id, n.camera_id, n.coil_id, n.captured_at,
       n.strip_position_m, n.model_name, n.model_version, i.image, i.evidence
from newest n left join inspection_images i using (frame_id, model_name, model_version, captured_at)
order by n.captured_at desc
"""

_NEWEST_CAPTURE: LiteralString = (
    "select max(last_captured_at) as as_of from cameras having count(last_captured_at) > 0"
)

_DELAY: LiteralString = """
select count(*) as frames,
       percentile_cont(0.5) within group (order by extract(epoch from stored_at - captured_at)) as p50_s,
       percentile_cont(0.95) within group (order by extract(epoch from stored_at - captured_at)) as p95_s
from inspections
where captured_at >= %(as_of)s - %(window)s and captured_at <= %(as_of)s
"""

# Counts all frames, sorts the delays of every n-th only: percentiles of an hour stay affordable on a busy line.
_DELAY_POINTS: LiteralString = """
with seen as (
    select date_bin(%(slice)s, captured_at, %(start)s) as slice_start,
           case when uuid_hash(frame_id) %% %(every)s = 0 then extract(epoch from stored_at - captured_at) end
               as delay_s
    from inspections
    where captured_at >= %(start)s and captured_at <= %(as_of)s
),
timed as (
    select slice_start, count(*) as frames,
           percentile_cont(array[0.5, 0.95]) within group (order by delay_s) as delays
    from seen group by 1
)
select slice_start, frames, delays[1] as p50_s, delays[2] as p95_s
from timed where delays is not null
order by slice_start
"""

# The same over slices of whole minutes: frames are counted already, and the delays of the first seconds of each
# slice stand for it.
_DELAY_OF_MINUTES: LiteralString = """
with counted_minutes as (
    select date_bin(%(slice)s, minute, %(start)s) as slice_start, sum(frames)::bigint as frames
    from frame_counts where minute >= %(start)s and minute <= %(as_of)s group by 1
)
select c.slice_start, c.frames, t.delays[1] as p50_s, t.delays[2] as p95_s
from counted_minutes c
cross join lateral (
    select percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from stored_at - captured_at))
               as delays
    from inspections
    where captured_at >= c.slice_start and captured_at < c.slice_start + %(slice)s / %(every)s
      and captured_at <= %(as_of)s
) t
where t.delays is not null
order by c.slice_start
"""

_REJECTED: LiteralString = """
select distinct on (reason) reason, count(*) over (partition by reason) as frames, rejected_at as last_at,
       camera_id as last_camera_id, detail as last_detail, payload_bytes as last_bytes
from rejected_frames
where rejected_at >= %(as_of)s - %(window)s
order by reason, rejected_at desc
limit 50
"""

_STATUSES: LiteralString = """
select s.camera_id, s.reported_at, s.state, s.reason, s.captured_total, s.published_total, s.dropped_total,
       s.spooled_frames, s.spool_bytes, s.oldest_spooled_at,
       coalesce(d.dropped, s.dropped_total)::bigint as dropped_in_all
from camera_status s
left join (
    select camera_id, sum(dropped_total) as dropped from camera_sessions group by camera_id
) d using (camera_id)
order by s.camera_id
limit 500
"""

_MODELS: LiteralString = """
with by_camera as (
    select model_name, model_version, camera_id, sum(frames)::bigint as frames, max(last_captured_at) as last_at
    from counted(%(as_of)s - %(window)s, %(as_of)s)
    group by model_name, model_version, camera_id
),
used as (
    select model_name, model_version, sum(frames)::bigint as frames, count(*) as cameras, max(last_at) as last_at
    from by_camera group by model_name, model_version
)
select u.*, v.sha256, v.registered_at
from used u left join model_versions v on v.name = u.model_name and v.version = u.model_version
order by u.frames desc
limit 50
"""

_REPORT: LiteralString = """
select line_id, machine_id, machine_name, defect_class, frames_inspected, defects, defect_rate,
       rate_low, rate_high, last_seen, cameras
from sightings_report(%(start)s, %(end)s)
"""


def line_snapshot(database: Database, window_s: float) -> LineSnapshot:
    """Return all machines and cameras in strip order, with counts over the last `window_s` seconds.

    The snapshot's own window begins with its first frame, so that a line that just started shows its true rate.
    """
    as_of = _now(database)
    parameters = {"as_of": as_of, "window": timedelta(seconds=window_s)}
    cameras = database.rows(CameraRow, _CAMERAS, parameters)
    first = min((row.first_captured_at for row in cameras if row.first_captured_at), default=as_of)
    watched_s = max(_SHORTEST_WINDOW_S, (as_of - first).total_seconds())
    return LineSnapshot(as_of, min(window_s, watched_s), tuple(machines(database)), tuple(cameras))


def machines(database: Database) -> Sequence[MachineRow]:
    """Return all machines of the line file in strip order."""
    return database.rows(MachineRow, _MACHINES)


def newest_defects(database: Database, limit: int) -> Sequence[DefectFrame]:
    """Return the `limit` newest frames that show a defect, newest first, with the pictures still kept."""
    return database.rows(DefectFrame, _NEWEST_DEFECTS, {"limit": limit})


def health_snapshot(database: Database, window_s: float) -> HealthSnapshot:
    """Return how frames travelled from camera to row over the last `window_s` seconds; rejections of 24 hours."""
    as_of = _now(database)
    window = timedelta(seconds=window_s)
    ends = {"as_of": as_of, "window": window}
    recent = {"as_of": as_of, "window": min(window, _DELAY_WINDOW)}
    every = max(1, round(window_s / _FULL_SAMPLE_S))
    length = window / _DELAY_SLICES
    by_minutes = length % timedelta(minutes=1) == timedelta()
    start = (as_of - window).replace(second=0, microsecond=0) if by_minutes else as_of - window
    slices = {"as_of": as_of, "start": start, "slice": length, "every": every}
    newest = database.rows(Moment, _NEWEST_CAPTURE)
    return HealthSnapshot(
        as_of=as_of,
        window_s=window_s,
        newest_captured_at=newest[0].as_of if newest else None,
        delay=database.rows(DelaySummary, _DELAY, recent)[0],
        points=tuple(database.rows(DelayPoint, _DELAY_OF_MINUTES if by_minutes else _DELAY_POINTS, slices)),
        rejected=tuple(database.rows(RejectedRow, _REJECTED, {"as_of": as_of, "window": REJECTED_WINDOW})),
        statuses=tuple(database.rows(CameraStatusRow, _STATUSES)),
        models=tuple(database.rows(ModelUseRow, _MODELS, ends)),
    )


def sightings_report(database: Database, start: datetime, end: datetime) -> Sequence[ReportRow]:
    """Return defects by machine and class for frames captured from `start` until before `end`."""
    return database.rows(ReportRow, _REPORT, {"start": start, "end": end})


def _now(database: Database) -> datetime:
    return database.rows(Moment, _NOW)[0].as_of
