"""Charts of the model page: training curve, reliability, confidence by camera."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import altair as alt

from dashboard.charts import Ink
from dashboard.model_card_view import CurvePoint, ReliabilityPoint
from dashboard.model_rows import HourOfCamera
from dashboard.words import clean, plain

_LINE: Final = "#0072B2"
_HEIGHT_PX: Final = 260


def training_curve(points: Sequence[CurvePoint], field: str, title: str) -> alt.LayerChart | alt.FacetChart:
    """Draw `accuracy` or `loss` by epoch; the tip names the image size."""
    base = alt.Chart(alt.InlineData([asdict(point) for point in points])).encode(
        x=alt.X("epoch:Q", title=plain("model.epoch"), axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y(f"{field}:Q", title=title, scale=alt.Scale(zero=field == "accuracy")),
        tooltip=[
            alt.Tooltip("epoch:Q", title=plain("model.epoch")),
            alt.Tooltip(f"{field}:Q", title=title, format=".3f"),
            alt.Tooltip("image_px:Q", title=plain("model.image_px")),
        ],
    )
    return alt.layer(base.mark_line(color=_LINE), base.mark_point(color=_LINE, filled=True, size=24)).properties(
        height=_HEIGHT_PX
    )


def reliability_chart(points: Sequence[ReliabilityPoint], ink: Ink) -> alt.LayerChart | alt.FacetChart:
    """Draw the share of right answers by confidence; on the dashed line confidence is true."""
    scale = alt.Scale(domain=[0, 1])
    true = alt.Chart(alt.InlineData([{"x": 0, "y": 0}, {"x": 1, "y": 1}])).mark_line(
        strokeDash=[5, 4], color=ink.faint
    )
    dots = alt.Chart(alt.InlineData([asdict(point) for point in points])).encode(
        x=alt.X("confidence:Q", title=plain("model.confidence"), scale=scale),
        y=alt.Y("right:Q", title=plain("model.right"), scale=scale),
        size=alt.Size("n:Q", legend=None),
        tooltip=[
            alt.Tooltip("confidence:Q", title=plain("model.confidence"), format=".0%"),
            alt.Tooltip("right:Q", title=plain("model.right"), format=".0%"),
            alt.Tooltip("n:Q", title=plain("model.answers")),
        ],
    )
    return alt.layer(
        true.encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale)),
        dots.mark_circle(color=_LINE, opacity=0.9),
    ).properties(height=_HEIGHT_PX)


def confidence_chart(hours: Sequence[HourOfCamera]) -> alt.LayerChart | alt.FacetChart:
    """Draw the mean confidence of every camera hour by hour, each with its own line, shape and name."""
    rows = [
        {
            "camera": clean(each.camera_id), "hour": each.hour.isoformat(), "mean": each.mean_confidence,
            "frames": each.frames,
        }
        for each in hours
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(rows)).encode(
        x=alt.X("hour:T", title=None),
        y=alt.Y(
            "mean:Q",
            title=plain("model.mean_confidence"),
            axis=alt.Axis(format=".1%"),
            scale=alt.Scale(zero=False),
        ),
        color=alt.Color("camera:N", title=plain("table.camera")),
        shape=alt.Shape("camera:N", title=plain("table.camera")),
        tooltip=[
            alt.Tooltip("camera:N", title=plain("table.camera")),
            alt.Tooltip("hour:T", title=plain("tip.at"), format="%Y-%m-%d %H:%M"),
            alt.Tooltip("mean:Q", title=plain("model.mean_confidence"), format=".1%"),
            alt.Tooltip("frames:Q", title=plain("table.frames_seen")),
        ],
    )
    return alt.layer(base.mark_line(opacity=0.7), base.mark_point(filled=True, size=40)).properties(
        height=_HEIGHT_PX
    )
