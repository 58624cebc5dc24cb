"""Pipeline health: how late the data is, who is silent or unknown, what was refused, what waits on disks."""

import streamlit as st

from dashboard import charts, filters, layout, loaders, refused
from dashboard.diagnosis import advice, model_table, rejected_table, status_table
from dashboard.overview import Cell, judge
from dashboard.rows import HealthSnapshot
from dashboard.states import age_s
from dashboard.words import duration, number, plain, say


def _figures(health: HealthSnapshot) -> None:
    lag = age_s(health.newest_captured_at, health.as_of)
    rejected = sum(row.frames for row in health.rejected)
    dropped = sum(row.dropped_in_all for row in health.statuses)
    with st.container(horizontal=True, key="figures"):
        lag_words = duration(None if lag is None else max(0.0, lag))
        st.metric(say("metric.lag"), lag_words, help=say("help.lag"), border=True, height="stretch")
        p50, p95 = health.delay.p50_s, health.delay.p95_s
        st.metric(
            say("metric.p50"),
            "–" if p50 is None else duration(p50),
            help=say("help.delay"),
            border=True,
            height="stretch",
        )
        st.metric(
            say("metric.p95"),
            "–" if p95 is None else duration(p95),
            help=say("help.delay"),
            border=True,
            height="stretch",
        )
        st.metric(
            say("metric.rejected"), number(rejected, 0), help=say("help.rejected"), border=True, height="stretch"
        )
        st.metric(
            say("metric.dropped"), number(dropped, 0), help=say("help.dropped"), border=True, height="stretch"
        )


def _delay(health: HealthSnapshot) -> None:
    st.subheader(say("delay.heading"), help=say("help.delay"))
    if not health.points:
        st.info(say("delay.none"), icon=":material/timer_off:")
        return
    marks = [
        charts.DelayMark(point.slice_start, plain(word), seconds, point.frames)
        for point in health.points
        for word, seconds in (("delay.p50", point.p50_s), ("delay.p95", point.p95_s))
    ]
    st.altair_chart(charts.delay_chart(marks, layout.ink()), width="stretch", alt=plain("delay.heading"))


def _table(heading: str, rows: list[dict[str, Cell]], empty: str) -> None:
    st.subheader(say(heading), help=say(f"{heading}.help"))
    if rows:
        layout.table(rows, key=heading)
    else:
        st.caption(say(empty))


def _live() -> None:
    limit_s = loaders.settings().live.silent_after_s
    health = loaders.health(minutes)
    overview = judge(loaders.line(minutes), limit_s)
    layout.freshness(health.newest_captured_at, health.as_of, limit_s)
    _figures(health)
    st.subheader(say("advice.heading"))
    found = advice(overview, health, limit_s)
    if found:
        st.warning("\n".join(f"- {sentence}" for sentence in found))
    else:
        st.success(say("advice.none"), icon=":material/check_circle:")
    _delay(health)
    where = layout.viewer_zone()
    _table("rejected.heading", rejected_table(health, where), "rejected.none")
    _table("status.heading", status_table(health), "status.none")
    _table("model.heading", model_table(health, where), "model.none")


minutes = filters.window_minutes()
layout.live(_live)
layout.once(refused.draw)
