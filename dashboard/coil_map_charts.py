"""The map of a coil: length from left to right, width from top to bottom, every registered defect in its place."""

from collections.abc import Sequence
from typing import Final

import altair as alt

from dashboard.charts import Ink
from dashboard.coil_map_rows import DefectPlace
from dashboard.coil_map_view import cause_word
from dashboard.words import class_word, clean, plain

_COLOURS: Final = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A94A3", "#7B3F00", "#5D3A9B", "#B8A000",
)  # fmt: skip
_SHAPES: Final = (
    "circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left",
)  # fmt: skip
_MIDDLE: Final = 0.5
_HEIGHT_PX: Final = 260


def coil_map(defects: Sequence[DefectPlace], length_m: float, ink: Ink) -> alt.LayerChart | alt.FacetChart:
    """Draw a coil. Classes differ by colour and shape; periodic marks wear a ring; coil changes are lines."""
    rows = [
        {
            "id": each.defect_id, "along": each.along_m, "across": _MIDDLE if each.across is None else each.across,
            "placed": each.across is not None, "class": class_word(clean(each.defect_class)),
            "cause": cause_word(each), "periodic": each.periodic, "landmark": each.landmark,
        }
        for each in defects
    ]  # fmt: skip
    names = sorted({str(row["class"]) for row in rows})
    x = alt.X(
        "along:Q", title=plain("coil.axis.along"), scale=alt.Scale(domain=[0, max(length_m, 1.0)], nice=False)
    )
    y = alt.Y("across:Q", title=plain("coil.axis.across"), scale=alt.Scale(domain=[1, 0]))
    base = alt.Chart(alt.InlineData(rows)).encode(x=x)
    tips = [
        alt.Tooltip("class:N", title=plain("tip.defect")),
        alt.Tooltip("along:Q", title=plain("coil.axis.along"), format=".1f"),
        alt.Tooltip("cause:N", title=plain("table.cause")),
    ]
    points = (
        base.transform_filter("!datum.landmark")
        .mark_point(filled=True, size=70)
        .encode(
            y=y,
            color=alt.Color("class:N", title=None, scale=alt.Scale(domain=names, range=list(_COLOURS))),
            shape=alt.Shape("class:N", title=None, scale=alt.Scale(domain=names, range=list(_SHAPES))),
            opacity=alt.condition("datum.placed", alt.value(0.95), alt.value(0.45)),
            tooltip=tips,
        )
    )
    rings = (
        base.transform_filter("datum.periodic && !datum.landmark")
        .mark_point(filled=False, size=190, color=ink.text, shape="circle")
        .encode(y=y)
    )
    lines = (
        base.transform_filter("datum.landmark")
        .mark_rule(color=ink.faint, strokeDash=[5, 3], strokeWidth=2)
        .encode(tooltip=tips)
    )
    return alt.layer(lines, points, rings).properties(height=_HEIGHT_PX)
