"""SQL of the model page: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from collections.abc import Sequence
from typing import LiteralString

from dashboard.database import Database
from dashboard.model_rows import (
    Agreement,
    ClassCount,
    Comparison,
    Drift,
    HourOfCamera,
    TwoVerdicts,
    VersionRow,
)
from dashboard.rows import Moment

_NOW: LiteralString = "select now() as as_of"

_VERSIONS: LiteralString = """
with used as (
    select model_name, model_version, sum(frames)::bigint as frames, max(last_captured_at) as last_at
    from counted(now() - interval '24 hours', now() + interval '1 minute') group by 1, 2
)
select v.name, v.version, v.sha256, v.registered_at, v.labels, v.card, coalesce(u.frames, 0) as frames, u.last_at
from model_versions v left join used u on u.model_name = v.name and u.model_version = v.version
order by u.last_at desc nulls last, v.registered_at desc, v.name, length(v.version) desc, v.version desc
limit 50
"""

_COUNTS: LiteralString = """
select camera_id, defect_class,
       coalesce(sum(frames) filter (where minute >= %(as_of)s - interval '1 hour'), 0)::bigint as now,
       coalesce(sum(frames) filter (where minute < %(as_of)s - interval '1 hour'), 0)::bigint as before
from frame_counts
where minute >= %(as_of)s - interval '25 hours' and minute <= %(as_of)s
  and model_name = %(name)s and model_version = %(version)s
group by camera_id, defect_class order by camera_id, defect_class limit 5000
"""

_HOURS: LiteralString = """
select camera_id, date_trunc('hour', minute) as hour, sum(frames)::bigint as frames,
       sum(confidence_sum) / sum(frames) as mean_confidence
from frame_counts
where minute >= %(as_of)s - interval '25 hours' and minute <= %(as_of)s
  and model_name = %(name)s and model_version = %(version)s
group by camera_id, date_trunc('hour', minute) order by camera_id, hour limit 5000
"""

# Only the newest minutes in which both versions have frames are read frame by frame: the limits keep the planner
# from joining whole days instead.
_BOTH: LiteralString = """
with minutes as (
    select minute from frame_counts
    where minute >= now() - interval '24 hours' and model_name = %(name)s
      and model_version in (%(one)s, %(other)s)
    group by minute having count(distinct model_version) = 2 order by minute desc limit 60
),
pairs as (
    select a.frame_id, a.captured_at, a.camera_id, a.model_name, a.defect_class as one_class,
           a.confidence as one_confidence, b.defect_class as other_class, b.confidence as other_confidence
    from minutes m
    cross join lateral (
        select * from inspections
        where captured_at >= m.minute and captured_at < m.minute + interval '1 minute'
          and model_name = %(name)s and model_version = %(one)s limit 20000
    ) a
    cross join lateral (
        select * from inspections where frame_id = a.frame_id and captured_at = a.captured_at
          and model_name = a.model_name and model_version = %(other)s limit 1
    ) b
)
"""

_AGREEMENT: LiteralString = """
select count(*) as frames, count(*) filter (where one_class = other_class) as same, count(r.answer) as answered,
       count(*) filter (where one_class = r.answer) as one_right,
       count(*) filter (where other_class = r.answer) as other_right
from pairs left join review_answers r using (frame_id)
"""

_DIFFERING: LiteralString = """
select p.frame_id, p.captured_at, p.camera_id, p.one_class, p.one_confidence, p.other_class, p.other_confidence,
       r.answer, (select i.image from inspection_images i where i.frame_id = p.frame_id
                  and i.captured_at = p.captured_at and i.model_name = p.model_name limit 1) as image
from (select * from pairs where one_class <> other_class order by captured_at desc limit 24) p
left join review_answers r using (frame_id)
order by p.captured_at desc
"""


def versions(database: Database) -> Sequence[VersionRow]:
    """Return every version that classified frames, the one in use first."""
    return database.rows(VersionRow, _VERSIONS)


def drift(database: Database, name: str, version: str) -> Drift:
    """Return what a version said by camera: the newest hour, and the day before it."""
    as_of = database.rows(Moment, _NOW)[0].as_of
    which = {"as_of": as_of, "name": name, "version": version}
    counts = database.rows(ClassCount, _COUNTS, which)
    return Drift(as_of, tuple(counts), tuple(database.rows(HourOfCamera, _HOURS, which)))


def comparison(database: Database, name: str, one: str, other: str) -> Comparison:
    """Return how two versions of a model agree on frames of the last day that both judged."""
    which = {"name": name, "one": one, "other": other}
    agreement = database.rows(Agreement, _BOTH + _AGREEMENT, which)[0]
    return Comparison(agreement, tuple(database.rows(TwoVerdicts, _BOTH + _DIFFERING, which)))
