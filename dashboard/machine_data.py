"""SQL of the machine page: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from typing import Final, LiteralString

from dashboard.database import Database
from dashboard.machine_rows import ChartLimit, ClassShare, FlagRow, MachineDetail, MachineName
from dashboard.rows import Moment
from services.domain.spc.control_chart import StreamPoint

REPAIR_COILS: Final = 200
"""Coils after a repair that its rate is taken from, at most; a new onset of the same ends them earlier."""

_NOW: LiteralString = "select now() as as_of"

_MACHINES: LiteralString = """
select line_id, machine_id, machine_name, group_id, state, reason
from machine_health order by line_id, position_m, machine_id limit 500
"""

_CLASSES: LiteralString = """
select p.defect_class, sum(p.first_seen)::float8 as first_seen, sum(p.expected)::float8 as expected,
       sum(p.exposure_m)::float8 as exposure_m
from machine_groups g join stream_points p using (line_id, group_id)
where g.is_current and %(machine)s = any (g.machine_ids) and p.ended_at >= now() - make_interval(days => %(days)s)
group by p.defect_class order by sum(p.first_seen) desc, p.defect_class limit 100
"""

_POINTS: LiteralString = """
select g.group_id, p.coil_id, p.ended_at, p.first_seen, p.expected, p.exposure_m, p.statistic,
       e.frames, e.sightings
from machine_groups g
join stream_points p on p.line_id = g.line_id and p.group_id = g.group_id
left join camera_exposures e on e.line_id = p.line_id and e.coil_id = p.coil_id and e.camera_id = g.first_camera
where g.is_current and %(machine)s = any (g.machine_ids) and p.defect_class = %(defect_class)s
  and p.ended_at >= now() - make_interval(days => %(days)s)
order by p.ended_at desc, p.coil_id desc limit 2000
"""

_FLAGS: LiteralString = """
select o.work_order_no, f.defect_class, f.onset_coil, f.onset_at, f.alarm_coil, f.closed_at, o.state, o.feedback,
       f.rate_per_km, f.baseline_per_km, f.rate_ratio, f.probability, f.matched_rolls, f.period_m, f.reason,
       r.found / nullif(r.exposure_m, 0) * 1000 as repaired_per_km, r.exposure_m / 1000 as repaired_km
from flags f join work_orders o using (flag_id)
left join lateral (
    select sum(p.first_seen) as found, sum(p.exposure_m) as exposure_m
    from (
        select c.coil_id from coil_records c
        where o.state = 'done' and c.line_id = f.line_id and c.ended_at > o.finished_at
          and c.started_at >= o.finished_at
          and c.ended_at < coalesce((
              select min(n.onset_at) from flags n
              where n.line_id = f.line_id and n.group_id = f.group_id and n.defect_class = f.defect_class
                and n.alarm_at > o.finished_at
          ), 'infinity')
        order by c.ended_at limit %(coils)s
    ) c join stream_points p on p.line_id = f.line_id and p.coil_id = c.coil_id and p.group_id = f.group_id
        and p.defect_class = f.defect_class
) r on true
where %(machine)s = any (f.machine_ids) order by f.alarm_at desc limit 100
"""


_LIMIT: LiteralString = """
select f.threshold from flags f join machines m using (line_id)
where m.machine_id = %(machine)s order by f.alarm_at desc limit 1
"""


def machines(database: Database) -> list[MachineName]:
    """Return every machine with its state now, in strip order."""
    return database.rows(MachineName, _MACHINES)


def machine_detail(database: Database, machine_id: str, defect_class: str, days: int) -> MachineDetail:
    """Return what one machine showed of a class over the last days, its class mix, and all its flags."""
    of_span = {"machine": machine_id, "defect_class": defect_class, "days": days}
    limits = database.rows(ChartLimit, _LIMIT, {"machine": machine_id})
    return MachineDetail(
        as_of=database.rows(Moment, _NOW)[0].as_of,
        classes=tuple(database.rows(ClassShare, _CLASSES, of_span)),
        points=tuple(reversed(database.rows(StreamPoint, _POINTS, of_span))),
        limit=limits[0].threshold if limits else None,
        flags=tuple(database.rows(FlagRow, _FLAGS, {"machine": machine_id, "coils": REPAIR_COILS})),
    )
