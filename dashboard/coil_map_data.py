"""SQL of the coil map: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from typing import LiteralString

from dashboard.coil_map_rows import CoilDetail, CoilRow, DefectPlace, SightingRow
from dashboard.database import Database

_COILS: LiteralString = """
select c.line_id, c.coil_id, c.ended_at, c.length_m, c.material, c.grade, c.grade_reason, c.price, c.currency,
       (select sum(value::float8) from jsonb_each_text(c.quality_loss)) as quality_loss, c.defects,
       '{}'::text[] as held_back
from coil_records c order by c.ended_at desc, c.number desc limit 200
"""

_COIL: LiteralString = """
select c.line_id, c.coil_id, c.ended_at, c.length_m, c.material, c.grade, c.grade_reason, c.price, c.currency,
       (select sum(value::float8) from jsonb_each_text(c.quality_loss)) as quality_loss, c.defects,
       coalesce((select array_agg(h.work_order_no order by h.work_order_no) from containment h
                 where h.line_id = c.line_id and h.coil_id = c.coil_id), '{}') as held_back
from coil_records c where c.line_id = %(line)s and c.coil_id = %(coil)s
"""

_DEFECTS: LiteralString = """
select d.defect_id::text as defect_id, d.position_m - c.start_m as along_m, p.spot_x as across, d.defect_class,
       d.class_probability, d.group_id, d.group_probability, d.first_camera,
       (select count(*) from defect_sightings s where s.defect_id = d.defect_id) as sightings,
       exists (select from flags f where f.line_id = d.line_id and f.group_id = d.group_id
               and f.defect_class = d.defect_class and f.period_m is not null) as periodic,
       d.landmark
from defects d
join coil_records c using (line_id, coil_id)
left join lateral (
    select i.spot_x from defect_sightings s
    join inspections i on i.frame_id = s.frame_id::uuid and i.captured_at = s.captured_at
    where s.defect_id = d.defect_id and i.spot_x is not null order by s.ordinal limit 1
) p on true
where d.line_id = %(line)s and d.coil_id = %(coil)s order by d.position_m, d.defect_id limit 2000
"""

_SIGHTINGS: LiteralString = """
with seen as (
    select s.camera_id, s.defect_class, s.confidence, s.captured_at, s.frame_id::uuid as frame_id
    from defect_sightings s where s.defect_id = %(defect)s::uuid order by s.ordinal limit 50
), answers as (
select s.camera_id, s.defect_class, s.confidence, s.captured_at, i.probabilities, i.spot_x, i.spot_y, i.model_name,
       i.model_version, m.image, m.evidence
from seen s
left join inspections i on i.frame_id = s.frame_id and i.captured_at = s.captured_at
left join inspection_images m on m.frame_id = s.frame_id and m.captured_at = s.captured_at
    and m.model_name = i.model_name and m.model_version = i.model_version
union all
select camera_id, null, null, null, null, null, null, null, null, null, null
from defects d, unnest(d.looked) as camera_id where d.defect_id = %(defect)s::uuid
)
select a.* from answers a left join cameras c using (camera_id)
order by c.position_m nulls last, a.captured_at, a.camera_id limit 100
"""


def coils(database: Database) -> list[CoilRow]:
    """Return the newest 200 coils, newest first; which of them are held back is told by `coil_detail`."""
    return database.rows(CoilRow, _COILS)


def coil_detail(database: Database, line_id: str, coil_id: str) -> CoilDetail | None:
    """Return a coil with its defects, None when the line has no such coil."""
    which = {"line": line_id, "coil": coil_id}
    found = database.rows(CoilRow, _COIL, which)
    return CoilDetail(found[0], tuple(database.rows(DefectPlace, _DEFECTS, which))) if found else None


def sightings(database: Database, defect_id: str) -> list[SightingRow]:
    """Return what each camera saw of a defect in the order of travel, or that it saw nothing."""
    return database.rows(SightingRow, _SIGHTINGS, {"defect": defect_id})
