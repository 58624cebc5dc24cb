"""Cross-camera correlation: where defects begin, what cameras see of them, and how sure the cause is."""

import streamlit as st

from dashboard import correlation_loaders, filters, layout
from dashboard.correlation_charts import cause_bars, heat_map
from dashboard.correlation_view import (
    CAMERA_COLUMNS,
    GROUP_COLUMNS,
    camera_cells,
    figures,
    first_against_seen,
    flag_title,
    group_cells,
    sentences,
    shares,
)
from dashboard.report import csv_of
from dashboard.words import ago, plain, say

_HOURS = ("1", "8", "24", "168")


def _figures() -> None:
    found = correlation_loaders.snapshot(hours)
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(found).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")
    if found.newest_coil_at is not None:
        age_s = (found.as_of - found.newest_coil_at).total_seconds()
        st.caption(say("correlation.newest", age=ago(age_s)))


def _maps() -> None:
    found = correlation_loaders.snapshot(hours)
    if not found.groups:
        st.info(say("correlation.none"), icon=":material/grid_on:")
        return
    st.subheader(say("correlation.groups"), help=say("help.correlation.groups"))
    st.altair_chart(heat_map(group_cells(found.groups), plain("tip.per_km"), layout.ink()), key="groups")
    _download("correlation.download.groups", csv_of(GROUP_COLUMNS, found.groups), "machines.csv")
    st.subheader(say("correlation.cameras"), help=say("help.correlation.cameras"))
    cells = camera_cells(found.cameras, first_only=first_only)
    if cells:
        st.altair_chart(heat_map(cells, plain("tip.sightings"), layout.ink()), key="cameras")
    _download("correlation.download.cameras", csv_of(CAMERA_COLUMNS, found.cameras), "cameras.csv")
    st.subheader(say("correlation.first_against"), help=say("help.correlation.first_against"))
    layout.table(first_against_seen(found), key="first against seen")
    st.caption(say("correlation.see_coil"))


def _causes() -> None:
    st.subheader(say("correlation.flags"))
    flags = {flag.work_order_no: flag for flag in correlation_loaders.snapshot(hours).flags}
    if not flags:
        st.info(say("correlation.no_flags"), icon=":material/task_alt:")
        return
    names = {number: flag_title(flag) for number, flag in flags.items()}
    flag = flags[filters.pick("flag", say("correlation.pick"), names)]
    for sentence in sentences(flag):
        st.markdown(sentence)
    st.altair_chart(cause_bars(shares(flag), layout.ink()), key="causes")


def _download(label: str, content: bytes, name: str) -> None:
    st.download_button(
        plain(label), content, file_name=name, mime="text/csv", icon=":material/download:", on_click="ignore",
        key=f"download {label}",
    )  # fmt: skip


spans = {name: say(f"correlation.hours.{name}") for name in _HOURS}
hours = int(filters.choose("hours", say("correlation.hours"), spans, "24"))
first_only = filters.switch("first", say("correlation.first_only"), say("help.correlation.first_only"))
layout.live(_figures)
layout.once(_maps)
layout.once(_causes)
