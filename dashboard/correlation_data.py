"""SQL of the correlation page: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from typing import LiteralString

from dashboard.correlation_rows import CameraCount, CorrelationSnapshot, FlagCause, GroupCount
from dashboard.database import Database
from dashboard.rows import Moment

_NOW: LiteralString = "select now() as as_of"

_NEWEST_COIL: LiteralString = """
select max(ended_at) as as_of from coil_records having count(*) > 0
"""

_GROUPS: LiteralString = """
select g.group_id, g.first_camera, p.defect_class, sum(p.first_seen)::float8 as first_seen,
       sum(p.expected)::float8 as expected, sum(p.exposure_m)::float8 as exposure_m
from machine_groups g
join stream_points p using (line_id, group_id)
left join machines m on m.line_id = g.line_id and m.machine_id = g.machine_ids[1]
where g.is_current and p.ended_at >= now() - make_interval(hours => %(hours)s)
group by g.line_id, g.group_id, g.first_camera, m.position_m, p.defect_class
order by g.line_id, m.position_m nulls last, g.group_id, p.defect_class limit 2000
"""

_CAMERAS: LiteralString = """
select s.camera_id, s.defect_class, count(*) as sightings,
       count(*) filter (where s.camera_id = d.first_camera) as first
from defects d
join defect_sightings s using (defect_id)
left join cameras c on c.camera_id = s.camera_id
where d.seen_at >= now() - make_interval(hours => %(hours)s) and not d.landmark
group by s.camera_id, c.position_m, s.defect_class
order by c.position_m nulls last, s.camera_id, s.defect_class limit 2000
"""

_FLAGS: LiteralString = """
select o.work_order_no, f.defect_class, f.group_id, f.machine_ids, f.alarm_at, f.closed_at is null as is_open,
       f.probability, f.runner_up, f.runner_up_probability, f.posterior, f.member_posterior
from flags f join work_orders o using (flag_id)
where f.kind = 'machine' order by f.closed_at is not null, f.alarm_at desc limit 30
"""


def snapshot(database: Database, hours: int) -> CorrelationSnapshot:
    """Return counts over the last hours, and the open flags followed by the newest closed ones."""
    newest = database.rows(Moment, _NEWEST_COIL)
    return CorrelationSnapshot(
        as_of=database.rows(Moment, _NOW)[0].as_of,
        newest_coil_at=newest[0].as_of if newest else None,
        groups=tuple(database.rows(GroupCount, _GROUPS, {"hours": hours})),
        cameras=tuple(database.rows(CameraCount, _CAMERAS, {"hours": hours})),
        flags=tuple(database.rows(FlagCause, _FLAGS)),
    )
