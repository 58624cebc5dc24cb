"""Maintenance report: machines against defect classes over a chosen period, as heat map, table and file."""

from datetime import datetime, timedelta

import streamlit as st

from dashboard import charts, filters, layout, loaders
from dashboard.report import classes_of, heat_cells, machines_of, report_csv, report_table
from dashboard.words import clock, number, plain, say
from services.runtime.clock import utc_now

_HOURS = {"1h": 1, "8h": 8, "24h": 24, "7d": 168}
_OWN = "own"


def _period() -> tuple[datetime, datetime] | None:
    names = {name: say(f"period.{name}") for name in (*_HOURS, _OWN)}
    chosen = filters.choose("period", say("period.label"), names, "24h")
    # Whole minutes, so that viewers share one answer and a file's name says what is in it.
    end = utc_now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    if chosen != _OWN:
        filters.drop_from_address(("from", "to"))
        return end - timedelta(hours=_HOURS[chosen]), end
    start, end = filters.period((end - timedelta(hours=8), end), layout.viewer_zone())
    if start >= end:
        st.info(say("period.wrong"), icon=":material/date_range:")
        return None
    return start, end


def _report() -> None:
    period = _period()
    if period is None:
        return
    start, end = period
    where, now = layout.viewer_zone(), utc_now()
    rows = loaders.report(start, end)
    st.caption(
        say(
            "report.period",
            start=clock(start, where),
            end=clock(end, where),
            zone=layout.clock_zone_name(where, now),
        )
    )
    frames = sum({row.machine_id: row.frames_inspected for row in rows}.values())
    if not rows or frames == 0:
        st.info(say("report.empty"), icon=":material/search_off:")
        return
    with st.container(horizontal=True, key="figures"):
        st.metric(
            say("metric.inspected"), number(frames, 0), help=say("help.inspected"), border=True, height="stretch"
        )
        found = sum(row.defects for row in rows)
        st.metric(
            say("metric.defect_frames"),
            number(found, 0),
            help=say("help.defect_frames"),
            border=True,
            height="stretch",
        )
    st.subheader(say("heat.heading"), help=say("help.heat"))
    chart = charts.heat_map(heat_cells(rows), machines_of(rows), classes_of(rows), layout.ink())
    st.altair_chart(chart, width="stretch", alt=plain("heat.heading"))
    st.subheader(say("report.heading"), help=say("help.report"))
    layout.table(report_table(rows, where, now), key="report")
    st.download_button(
        say("report.download"),
        report_csv(rows),
        file_name=f"maintenance-report_{start:%Y%m%dT%H%M}_{end:%Y%m%dT%H%M}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(say("report.caveat"))


layout.once(_report)
