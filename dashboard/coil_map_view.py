"""Turns rows of the coil map into words and tables."""

from collections.abc import Sequence

from dashboard.coil_map_rows import CoilDetail, CoilRow, DefectPlace
from dashboard.overview import Cell
from dashboard.words import class_word, clean, metre, number, percent, plain

DEFECT_COLUMNS = (
    "defect_id", "along_m", "across", "defect_class", "class_probability", "group_id", "group_probability",
    "first_camera", "sightings", "periodic", "landmark",
)  # fmt: skip
NO_CAUSE = "none"


def coil_key(coil: CoilRow) -> str:
    """Return the coil's name in the address of the page."""
    return f"{coil.line_id}/{coil.coil_id}"


def coil_title(coil: CoilRow) -> str:
    """Return a coil in words, for the list to pick from."""
    return plain("coil.title", coil=coil.coil_id, grade=coil.grade or "–", defects=coil.defects)


def figures(detail: CoilDetail) -> dict[str, str]:
    """Return the figures at the top of the page by name."""
    coil = detail.coil
    money = "–" if coil.price is None else f"{number(coil.price)} {clean(coil.currency or '')}"
    loss = "–" if coil.quality_loss is None else f"{number(coil.quality_loss)} {clean(coil.currency or '')}"
    return {
        "coil_defects": str(coil.defects),
        "coil_grade": clean(coil.grade or "–"),
        "coil_length": metre(coil.length_m),
        "coil_price": money,
        "coil_loss": loss,
    }


def shown(defects: Sequence[DefectPlace], defect_class: str) -> list[DefectPlace]:
    """Return the defects of a class, or all of them for an empty name; coil-change marks always stay."""
    return [each for each in defects if each.landmark or defect_class in ("", each.defect_class)]


def defect_title(defect: DefectPlace) -> str:
    """Return a defect in words, for the list to pick from."""
    return plain("coil.defect", defect=class_word(clean(defect.defect_class)), metre=metre(defect.along_m))


def cause_word(defect: DefectPlace) -> str:
    """Return the most probable cause in words."""
    return plain("coil.false_alarm") if defect.group_id == NO_CAUSE else clean(defect.group_id)


def defect_table(defects: Sequence[DefectPlace]) -> list[dict[str, Cell]]:
    """Return a row for each defect in strip order."""
    return [
        {
            plain("table.along"): round(each.along_m, 1),
            plain("table.across"): None if each.across is None else round(each.across, 2),
            plain("table.defect"): class_word(clean(each.defect_class)),
            plain("table.cause"): cause_word(each),
            plain("table.sure"): percent(each.group_probability),
            plain("table.first"): clean(each.first_camera),
            plain("table.by_cameras"): each.sightings,
            plain("table.note"): _note(each),
        }
        for each in defects
    ]


def _note(defect: DefectPlace) -> str:
    if defect.landmark:
        return plain("coil.landmark")
    return plain("coil.periodic") if defect.periodic else ""
