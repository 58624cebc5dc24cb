"""Turns rows of the correlation page into words, cells of heat maps, and tables."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.correlation_rows import CameraCount, CorrelationSnapshot, FlagCause, GroupCount
from dashboard.overview import Cell
from dashboard.words import class_word, clean, number, percent, plain, say

GROUP_COLUMNS = ("group_id", "first_camera", "defect_class", "first_seen", "expected", "exposure_m")
CAMERA_COLUMNS = ("camera_id", "defect_class", "sightings", "first")
_M_PER_KM = 1000.0
_FALSE_ALARM = "none"


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell of a heat map: place in travel order, names, the value that is coloured, and its words."""

    place: int
    row: str
    column: str
    value: float
    words: str


@dataclass(frozen=True, slots=True)
class CauseShare:
    """How probable one cause of a flag is."""

    cause: str
    probability: float


def figures(found: CorrelationSnapshot) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    sightings = sum(each.sightings for each in found.cameras)
    first = sum(each.first for each in found.cameras)
    return {
        "correlation_defects": str(first),
        "correlation_sightings": str(sightings),
        "correlation_per_defect": number(sightings / first) if first else "–",
        "correlation_open": str(sum(flag.is_open for flag in found.flags)),
    }


def group_cells(groups: Sequence[GroupCount]) -> list[HeatCell]:
    """Return defects per inspected kilometre by machine group and class."""
    order = {name: place for place, name in enumerate(dict.fromkeys(each.group_id for each in groups))}
    return [
        HeatCell(
            order[each.group_id], clean(each.group_id), class_word(clean(each.defect_class)),
            each.first_seen / each.exposure_m * _M_PER_KM,
            plain("heat.group", found=number(each.first_seen), expected=number(each.expected),
                  km=number(each.exposure_m / _M_PER_KM)),
        )
        for each in groups
        if each.exposure_m > 0
    ]  # fmt: skip


def camera_cells(cameras: Sequence[CameraCount], *, first_only: bool) -> list[HeatCell]:
    """Return sightings (or first sightings) by camera and class."""
    order = {name: place for place, name in enumerate(dict.fromkeys(each.camera_id for each in cameras))}
    return [
        HeatCell(
            order[each.camera_id], clean(each.camera_id), class_word(clean(each.defect_class)),
            float(each.first if first_only else each.sightings),
            plain("heat.camera", first=each.first, sightings=each.sightings),
        )
        for each in cameras
    ]  # fmt: skip


def first_against_seen(found: CorrelationSnapshot) -> list[dict[str, Cell]]:
    """Return for every camera what it saw, what it saw first, and what began just before it."""
    seen: dict[str, int] = defaultdict(int)
    first: dict[str, int] = defaultdict(int)
    for row in found.cameras:
        seen[row.camera_id] += row.sightings
        first[row.camera_id] += row.first
    began: dict[str, float] = defaultdict(float)
    for group in found.groups:
        began[group.first_camera] += group.first_seen
    groups = {group.first_camera: group.group_id for group in found.groups}
    return [
        {
            plain("table.camera"): clean(camera),
            plain("table.sightings"): seen[camera],
            plain("table.first_seen"): first[camera],
            plain("table.group"): clean(groups.get(camera, "–")),
            plain("table.began"): round(began[camera], 1),
        }
        for camera in dict.fromkeys(row.camera_id for row in found.cameras)
    ]


def flag_title(flag: FlagCause) -> str:
    """Return a flag in words, for the list to pick from."""
    state = plain("flag.open" if flag.is_open else "flag.closed")
    damage = class_word(clean(flag.defect_class or "–"))
    return plain("flag.title", order=flag.work_order_no, defect=damage, group=flag.group_id, state=state)


def cause_word(cause: str) -> str:
    """Return a cause in words."""
    return plain("cause.none") if cause == _FALSE_ALARM else clean(cause)


def shares(flag: FlagCause) -> list[CauseShare]:
    """Return the causes of a flag, most probable first."""
    ranked = sorted(flag.posterior.items(), key=lambda item: -item[1])
    return [CauseShare(cause_word(cause), share) for cause, share in ranked]


def sentences(flag: FlagCause) -> list[str]:
    """Say how sure the cause is, what comes second, and which machines no camera tells apart."""
    said = [say("flag.sure", group=flag.group_id, sure=percent(flag.probability))]
    if flag.runner_up is not None:
        share = percent(flag.runner_up_probability)
        said.append(say("flag.runner_up", group=cause_word(flag.runner_up), sure=share))
    if len(flag.machine_ids) > 1:
        members = ", ".join(f"{name} {percent(flag.member_posterior.get(name))}" for name in flag.machine_ids)
        said.append(say("flag.members", members=members))
    return said
