"""SQL of the review queue: bounded questions to the read-only role, typed rows as answers.

Every function raises `dashboard.database.DataUnavailable` when the database does not answer.
"""

from typing import Final, LiteralString

from dashboard.database import Database
from dashboard.review_rows import ClassAnswers, FramePicture, QueuedFrame, QueueSnapshot
from services.domain.inspection import UNSURE_BELOW

CANDIDATES: Final = 500
"""So many of the newest frames of each kind are looked through."""

# The literal must stand in the text for index inspections_unsure to be used.
_QUEUE: LiteralString = """
with found as (
    (select frame_id, captured_at, line_id, machine_id, camera_id, coil_id, model_name, model_version,
            defect_class, confidence
     from inspections where confidence < 0.6 and captured_at < now() + interval '1 minute'
     order by captured_at desc limit %(candidates)s)
    union
    (select frame_id, captured_at, line_id, machine_id, camera_id, coil_id, model_name, model_version,
            defect_class, confidence
     from inspections where defect_class <> 'no_defect' and captured_at < now() + interval '1 minute'
     order by captured_at desc limit %(candidates)s)
),
kept as (
    select f.* from found f
    where exists (select from inspection_images i where (i.frame_id, i.model_name, i.model_version, i.captured_at)
                  = (f.frame_id, f.model_name, f.model_version, f.captured_at))
      and not exists (select from reviews r where r.frame_id = f.frame_id)
      and (%(machine)s = '' or f.machine_id = %(machine)s) and (%(class)s = '' or f.defect_class = %(class)s)
),
judged as (
    select k.*, k.confidence < %(unsure)s as unsure,
           coalesce(bool_or(d.defect_class <> k.defect_class or exists (
               select from defect_sightings other
               where other.defect_id = d.defect_id and other.defect_class <> s.defect_class)), false) as disagreed,
           coalesce(bool_or(exists (
               select from flags f where f.closed_at is null and f.line_id = d.line_id and f.group_id = d.group_id
               and f.defect_class = d.defect_class)), false) as flagged
    from kept k
    left join defect_sightings s on s.frame_id = k.frame_id::text
    left join defects d on d.defect_id = s.defect_id
    group by k.frame_id, k.captured_at, k.line_id, k.machine_id, k.camera_id, k.coil_id, k.model_name,
             k.model_version, k.defect_class, k.confidence
)
select * from judged
where (%(why)s = '' and (unsure or disagreed or flagged)) or (%(why)s = 'unsure' and unsure)
   or (%(why)s = 'disagreed' and disagreed) or (%(why)s = 'flagged' and flagged)
order by unsure::int + disagreed::int + flagged::int desc, confidence, captured_at desc
limit 200
"""

_PICTURE: LiteralString = """
select m.image, m.evidence, i.probabilities, coalesce(v.labels, '{}') as labels
from inspections i
left join inspection_images m using (frame_id, model_name, model_version, captured_at)
left join model_versions v on v.name = i.model_name and v.version = i.model_version
where i.frame_id = %(frame)s and i.captured_at = %(captured)s
  and i.model_name = %(model)s and i.model_version = %(version)s
"""

_ANSWERS: LiteralString = """
select said_class, count(*) as answered, count(*) filter (where confirmed) as confirmed,
       count(*) filter (where answer is null) as unclear
from review_answers group by said_class order by answered desc, said_class limit 100
"""


def queue(database: Database, why: str, machine_id: str, defect_class: str) -> QueueSnapshot:
    """Return at most 200 frames without an answer, those with most reasons first, and the answers so far.

    Args:
        database: Where to ask.
        why: `unsure`, `disagreed`, `flagged`, or '' for any of them.
        machine_id: '' for all machines.
        defect_class: What the model says; '' for all classes.
    """
    parameters = {
        "why": why, "machine": machine_id, "class": defect_class, "candidates": CANDIDATES,
        "unsure": UNSURE_BELOW,
    }  # fmt: skip
    found = database.rows(QueuedFrame, _QUEUE, parameters)
    return QueueSnapshot(tuple(found), tuple(database.rows(ClassAnswers, _ANSWERS)))


def picture_of(database: Database, frame: QueuedFrame) -> FramePicture | None:
    """Return the picture of a frame and what the model said of it; None when the frame is gone."""
    where = {
        "frame": frame.frame_id, "captured": frame.captured_at, "model": frame.model_name,
        "version": frame.model_version,
    }  # fmt: skip
    found = database.rows(FramePicture, _PICTURE, where)
    return found[0] if found else None
