"""Charts: a table of plain values in, an Altair chart out; no data access and no page elements.

Colours are from the Okabe-Ito palette, told apart with every common colour blindness; a colour never stands
without its word. Text in charts is drawn as text, never read as markup.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import altair as alt

from dashboard.states import State
from dashboard.words import plain

STATE_COLOURS: Final = {
    State.RUNNING: "#009E73",
    State.BEHIND: "#E69F00",
    State.SILENT: "#D55E00",
    State.UNASSIGNED: "#CC79A7",
    State.NO_DATA: "#8A94A3",
    State.NO_CAMERA: "#B4BCC8",
    State.OK: "#009E73",
    State.LEARNING: "#56B4E9",
    State.WATCH: "#F0E442",
    State.INSPECT: "#E69F00",
    State.MAINTENANCE_REQUIRED: "#D55E00",
}
_P50, _P95 = "#0072B2", "#E69F00"
_STRONG: Final = 0.55


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours of text and lines on the page's background."""

    text: str
    faint: str
    belt: str


LIGHT: Final = Ink(text="#1B2430", faint="#5B6675", belt="#C3CAD4")
DARK: Final = Ink(text="#E8ECF1", faint="#A3AEBD", belt="#465160")


@dataclass(frozen=True, slots=True)
class Station:
    """One thing along the strip: a machine (drawn on the belt) or a camera (drawn above it), with its words."""

    is_camera: bool
    title: str
    name: str
    place: str
    state: State
    first_line: str
    second_line: str
    detail: str


def strip_charts(
    stations: Sequence[Station], ink: Ink, per_row: int = 12
) -> list[alt.LayerChart | alt.FacetChart]:
    """Draw stations in strip order, the strip travelling from left to right; long lines go on in a further row."""
    rows = [stations[start : start + per_row] for start in range(0, len(stations), per_row)]
    slots = max((len(row) for row in rows), default=1)
    return [_strip_row(row, slots, ink) for row in rows]


def _strip_row(stations: Sequence[Station], slots: int, ink: Ink) -> alt.LayerChart | alt.FacetChart:
    table = alt.InlineData(
        [
            {**asdict(s), "state": s.state.name, "slot": slot, "word": plain(s.state.value), "level": 0}
            for slot, s in enumerate(stations)
        ]
    )
    x = alt.X("slot:Q", axis=None, scale=alt.Scale(domain=[-0.6, slots - 0.4], nice=False, zero=False))
    y = alt.Y("level:Q", axis=None, scale=alt.Scale(domain=[-1, 1]))
    base = alt.Chart(table).encode(x=x, y=y, tooltip=_strip_tooltip())
    machines = base.transform_filter("!datum.is_camera")
    cameras = base.transform_filter("datum.is_camera")
    colour = alt.Color(
        "state:N",
        legend=None,
        scale=alt.Scale(domain=[s.name for s in STATE_COLOURS], range=list(STATE_COLOURS.values())),
    )
    belt_ends = alt.InlineData([{"slot": -0.55, "end": len(stations) - 0.45, "level": 0}])
    belt = alt.Chart(belt_ends).encode(x=x, x2="end:Q", y=y)
    head = alt.Chart(belt_ends).encode(x=alt.X("end:Q", axis=None), y=y)
    layers = [
        belt.mark_rule(strokeWidth=7, color=ink.belt, strokeCap="round"),
        head.mark_point(shape="triangle-right", size=220, filled=True, color=ink.belt, opacity=1),
        machines.mark_square(size=900, cornerRadius=4, opacity=1, stroke=ink.belt).encode(color=colour),
        cameras.mark_point(shape="triangle-down", size=260, filled=True, opacity=1, yOffset=-22).encode(
            color=colour
        ),
        cameras.mark_rule(strokeDash=[2, 3], color=ink.faint, y2Offset=-16, strokeWidth=1).encode(y2="level:Q"),
    ]
    return alt.layer(*layers, *_texts(cameras, -80, slots, ink), *_texts(machines, 32, slots, ink)).properties(
        height=200
    )


def _texts(base: alt.Chart, top: int, slots: int, ink: Ink) -> list[alt.Chart]:
    # Longer words end in dots instead of running into the neighbour, however narrow the screen.
    limit = alt.ExprRef(f"width / {slots} - 2")
    title = base.mark_text(dy=top, fontSize=13, fontWeight="bold", color=ink.text, limit=limit).encode(
        text="title:N"
    )
    lines = (("word", 12, ink.text), ("first_line", 11, ink.faint), ("second_line", 11, ink.faint))
    return [
        title,
        *(
            base.mark_text(dy=top + 15 * row, fontSize=size, color=colour, limit=limit).encode(text=f"{field}:N")
            for row, (field, size, colour) in enumerate(lines, start=1)
        ),
    ]


def _strip_tooltip() -> list[alt.Tooltip]:
    fields = ("title", "name", "place", "word", "detail")
    return [alt.Tooltip(f"{field}:N", title=plain(f"tip.{field}")) for field in fields]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One machine and class of the heat map; `share` is None where no frame was inspected."""

    machine: str
    defect: str
    share: float | None
    share_text: str
    range_text: str
    defects: int
    frames: int


def heat_map(
    cells: Sequence[HeatCell], machines: Sequence[str], defects: Sequence[str], ink: Ink
) -> alt.LayerChart | alt.FacetChart:
    """Draw machines (in strip order) against defect classes, darker where a larger share of frames shows it."""
    highest = max((cell.share for cell in cells if cell.share is not None), default=0.0) or 0.01
    table = alt.InlineData([{**asdict(cell), "strong": (cell.share or 0.0) > _STRONG * highest} for cell in cells])
    x = alt.X(
        "defect:N",
        title=None,
        sort=list(defects),
        axis=alt.Axis(labelAngle=-35, labelOverlap=False, labelLimit=160, labelColor=ink.text, orient="bottom"),
    )
    y = alt.Y(
        "machine:N",
        title=None,
        sort=list(machines),
        axis=alt.Axis(labelFlush=False, labelOverlap=False, labelLimit=170, labelColor=ink.text),
    )
    tooltip = [
        alt.Tooltip(f"{field}:N", title=plain(f"tip.{field}"))
        for field in ("machine", "defect", "share_text", "range_text", "defects", "frames")
    ]
    base = alt.Chart(table).encode(x=x, y=y, tooltip=tooltip)
    colour = alt.Color(
        "share:Q",
        title=plain("heat.legend"),
        scale=alt.Scale(scheme="blues", domain=[0, highest]),
        legend=alt.Legend(
            format=".1%", orient="top", gradientLength=220, labelColor=ink.text, titleColor=ink.text
        ),
    )
    blank = base.mark_rect(stroke=ink.belt, strokeWidth=1, cornerRadius=2, color=ink.belt, opacity=0.35)
    boxes = (
        base.transform_filter("isValid(datum.share)")
        .mark_rect(stroke=ink.belt, strokeWidth=1, cornerRadius=2)
        .encode(color=colour)
    )
    figures = base.transform_filter("datum.defects > 0").mark_text(fontSize=11)
    texts = figures.encode(
        text="share_text:N", color=alt.condition("datum.strong", alt.value("#FFFFFF"), alt.value("#1B2430"))
    )
    unseen = base.transform_filter("!isValid(datum.share)").mark_text(fontSize=11, color=ink.faint, text="–")
    return alt.layer(blank, boxes, texts, unseen).properties(height=max(180, 36 * len(machines) + 130))


@dataclass(frozen=True, slots=True)
class DelayMark:
    """A point of the delay chart: when, which percentile in words, and seconds."""

    at: datetime
    what: str
    seconds: float
    frames: int


def delay_chart(marks: Sequence[DelayMark], ink: Ink) -> alt.Chart:
    """Draw how long frames took from capture to stored row, median and slowest twentieth."""
    table = alt.InlineData([{**asdict(mark), "at": mark.at.isoformat()} for mark in marks])
    words = [plain("delay.p50"), plain("delay.p95")]
    chart: alt.Chart = (
        alt.Chart(table)
        .mark_line(point=alt.OverlayMarkDef(size=28))
        .encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(format="%H:%M", tickCount=6, labelColor=ink.text)),
            y=alt.Y(
                "seconds:Q",
                title=plain("delay.axis"),
                scale=alt.Scale(zero=True),
                axis=alt.Axis(titleColor=ink.text),
            ),
            color=alt.Color(
                "what:N",
                title=None,
                sort=words,
                scale=alt.Scale(domain=words, range=[_P50, _P95]),
                legend=alt.Legend(orient="top", labelColor=ink.text, symbolType="stroke"),
            ),
            strokeDash=alt.StrokeDash(
                "what:N", sort=words, legend=None, scale=alt.Scale(domain=words, range=[[1, 0], [5, 3]])
            ),
            tooltip=[
                alt.Tooltip("at:T", title=plain("tip.at"), format="%H:%M:%S"),
                alt.Tooltip("what:N", title=plain("tip.what")),
                alt.Tooltip("seconds:Q", title=plain("tip.seconds"), format=".3f"),
                alt.Tooltip("frames:Q", title=plain("tip.frames")),
            ],
        )
        .properties(height=230)
    )
    return chart
