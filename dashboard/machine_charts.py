"""The control chart of the machine page: points, limits, signals and marks, coil by coil."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import altair as alt

from dashboard.charts import Ink
from dashboard.machine_view import Mark
from dashboard.words import clean, plain
from services.domain.spc.control_chart import DrawnChart

_POINT, _SIGNAL, _LIMIT = "#0072B2", "#D55E00", "#8A94A3"
_MARKS: Final = {"onset": "#E69F00", "alarm": "#D55E00", "repair": "#009E73"}
_HEIGHT_PX: Final = 320
_MARK_LINE_PX: Final = 14
_LATE_SHARE: Final = 0.8
"""Words of marks beyond this share of the chart stand to the left of their line, or they would leave the chart."""


def control_chart(chart: DrawnChart, marks: Sequence[Mark], ink: Ink) -> alt.LayerChart | alt.FacetChart:
    """Draw a chart in coil order. Signals are large, and triangles, so that colour is not the only sign."""
    order = {str(row["coil_id"]): place for place, row in enumerate(chart.rows)}
    rows = [
        {
            "place": place + 1, "coil": clean(row["coil_id"]), "point": row["point"], "centre": row["centre"],
            "lower": row["lower"], "upper": row["upper"], "signal": bool(row["signal"]),
        }
        for place, row in enumerate(chart.rows)
    ]  # fmt: skip
    x = alt.X(
        "place:Q",
        title=plain("machine.axis"),
        axis=alt.Axis(tickMinStep=1, format="d"),
        scale=alt.Scale(zero=False),
    )
    base = alt.Chart(alt.InlineData(rows)).encode(x=x)
    tips = [
        alt.Tooltip("coil:N", title=plain("tip.coil")),
        alt.Tooltip("point:Q", title=plain("tip.point"), format=".3g"),
        alt.Tooltip("upper:Q", title=plain("tip.limit"), format=".3g"),
    ]
    y = alt.Y("point:Q", title=None)
    layers: list[alt.Chart] = [
        base.mark_line(color=_POINT, strokeWidth=1.2).encode(y=y),
        base.mark_point(filled=True, size=28, color=_POINT)
        .encode(y=y, tooltip=tips)
        .transform_filter("!datum.signal"),
        base.mark_point(filled=True, size=90, color=_SIGNAL, shape="triangle-up")
        .encode(y=y, tooltip=tips)
        .transform_filter("datum.signal"),
    ]
    for name, dash in (("centre", [2, 2]), ("lower", [6, 4]), ("upper", [6, 4])):
        if any(row[name] is not None for row in rows):
            layers.append(base.mark_line(color=_LIMIT, strokeDash=dash).encode(y=alt.Y(f"{name}:Q", title=None)))
    layers += _mark_layers(marks, order, ink)
    return alt.layer(*layers).properties(height=_HEIGHT_PX)


def _mark_layers(marks: Sequence[Mark], order: dict[str, int], ink: Ink) -> list[alt.Chart]:
    rows = []
    beside: Counter[str] = Counter()
    for mark in marks:
        line = beside[mark.coil_id]
        beside[mark.coil_id] += 1
        rows.append({"place": order[mark.coil_id] + 1, "words": mark.words, "kind": mark.kind, "line": line})
    if not rows:
        return []
    late = f"datum.place > {_LATE_SHARE * len(order)}"
    base = alt.Chart(alt.InlineData(rows)).encode(x="place:Q")
    colour = alt.Color("kind:N", legend=None, scale=alt.Scale(domain=list(_MARKS), range=list(_MARKS.values())))
    return [
        base.mark_rule(strokeWidth=2).encode(
            color=colour, tooltip=alt.Tooltip("words:N", title=plain("tip.mark"))
        ),
        base.mark_text(
            align=alt.ExprRef(f"{late} ? 'right' : 'left'"),
            dx=alt.ExprRef(f"{late} ? -4 : 4"),
            dy=alt.ExprRef(f"{_MARK_LINE_PX} * datum.line"),
            baseline="top",
            color=ink.text,
            limit=160,
        ).encode(y=alt.value(0), text="words:N"),
    ]


def csv_rows(chart: DrawnChart) -> list[dict[str, object]]:
    """Return the chart's rows for a file."""
    return [dict(row) for row in chart.rows]
