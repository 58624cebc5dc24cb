"""Charts of the correlation page: heat maps in travel order, and how probable each cause is."""

from collections.abc import Sequence
from dataclasses import asdict

import altair as alt

from dashboard.charts import Ink
from dashboard.correlation_view import CauseShare, HeatCell
from dashboard.words import plain

_BAR = "#0072B2"
_ROW_PX = 34
_AXIS_PX = 90
_BAR_PX = 34
_DARK_SHARE = 0.55


def heat_map(cells: Sequence[HeatCell], value_title: str, ink: Ink) -> alt.LayerChart | alt.FacetChart:
    """Draw rows in travel order. Every cell bears its number: the colour is never the only sign."""
    highest = max((cell.value for cell in cells), default=0.0) or 1.0
    rows = [
        {**asdict(cell), "text": f"{cell.value:.3g}", "dark": cell.value > _DARK_SHARE * highest} for cell in cells
    ]
    names = list(dict.fromkeys(cell.row for cell in sorted(cells, key=lambda cell: cell.place)))
    base = alt.Chart(alt.InlineData(rows)).encode(
        x=alt.X("column:N", title=None, axis=alt.Axis(labelAngle=-35, labelLimit=120)),
        y=alt.Y("row:N", title=None, sort=names, axis=alt.Axis(labelLimit=220)),
    )
    tips = [
        alt.Tooltip("row:N", title=plain("tip.where")),
        alt.Tooltip("column:N", title=plain("tip.defect")),
        alt.Tooltip("value:Q", title=value_title, format=".3g"),
        alt.Tooltip("words:N", title=plain("tip.counts")),
    ]
    colour = alt.Color("value:Q", legend=None, scale=alt.Scale(scheme="blues", domain=[0, highest]))
    boxes = base.mark_rect(stroke=ink.belt).encode(color=colour, tooltip=tips)
    text = base.mark_text().encode(
        text="text:N", color=alt.condition("datum.dark", alt.value("#FFFFFF"), alt.value("#1B2430"))
    )
    return alt.layer(boxes, text).properties(height=_AXIS_PX + _ROW_PX * max(1, len(names)))


def cause_bars(shares: Sequence[CauseShare], ink: Ink) -> alt.LayerChart | alt.FacetChart:
    """Draw the probability of every cause, most probable first, with its number at the end of the bar."""
    rows = [{**asdict(each), "text": f"{each.probability * 100:.1f} %"} for each in shares]
    base = alt.Chart(alt.InlineData(rows)).encode(
        y=alt.Y("cause:N", title=None, sort=[each.cause for each in shares], axis=alt.Axis(labelLimit=260)),
        x=alt.X("probability:Q", title=None, axis=None, scale=alt.Scale(domain=[0, 1.15])),
    )
    words = base.mark_text(align="left", dx=4, color=ink.text).encode(text="text:N")
    return alt.layer(base.mark_bar(color=_BAR), words).properties(height=_BAR_PX * max(2, len(shares)))
