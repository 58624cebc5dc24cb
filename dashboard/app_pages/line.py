"""Line overview: the strip line as it stands, who is running, how much is found, and the newest defects."""

import streamlit as st

from dashboard import charts, filters, layout, line_health, loaders
from dashboard.maintenance_data import OPEN
from dashboard.overview import Overview, camera_table, judge, machine_table, stations
from dashboard.pictures import picture
from dashboard.rows import DefectFrame
from dashboard.states import age_s
from dashboard.words import ago, class_word, clock, confidence, metre, number, percent, percent_range, plain, say

_THUMBNAILS = 12
_WIDTH_PX = 198


def _figures(overview: Overview) -> None:
    frames, defects = overview.rate.per_minute(overview.window_s)
    delivering = f"{overview.delivering} / {len(overview.cameras)}"
    with st.container(horizontal=True, key="figures"):
        st.metric(say("metric.cameras"), delivering, help=say("help.cameras"), border=True, height="stretch")
        st.metric(say("metric.frames"), number(frames, 0), help=say("help.frames"), border=True, height="stretch")
        st.metric(say("metric.defects"), number(defects), help=say("help.defects"), border=True, height="stretch")
        st.metric(
            say("metric.rate"),
            percent(overview.rate.share),
            delta=percent_range(overview.rate.interval),
            delta_color="off",
            delta_arrow="off",
            help=say("help.rate"),
            border=True,
            height="stretch",
        )


def _notices(overview: Overview) -> None:
    kinds = (
        ("notice.silent", overview.silent, ":material/videocam_off:"),
        ("notice.unassigned", overview.unassigned, ":material/wrong_location:"),
    )
    for key, cameras, icon in kinds:
        if cameras:
            st.warning(say(key, cameras=", ".join(camera.row.camera_id for camera in cameras)), icon=icon)


def _strips(overview: Overview) -> None:
    for line in overview.lines:
        st.subheader(say("line.heading", line=line.name), help=say("help.strip"))
        for chart in charts.strip_charts(stations(line, overview.window_s), layout.ink()):
            st.altair_chart(chart, width="stretch", alt=plain("line.heading", line=line.name))


def _overview() -> Overview:
    health = {row.machine_id: row.state for row in loaders.maintenance(OPEN).machines}
    return judge(loaders.line(minutes), loaders.settings().live.silent_after_s, health)


def _live() -> None:
    overview = _overview()
    snapshot = loaders.line(minutes)
    layout.freshness(snapshot.newest_captured_at, snapshot.as_of, loaders.settings().live.silent_after_s)
    if snapshot.machines or snapshot.cameras:
        _figures(overview)
        _notices(overview)
        _strips(overview)


def _health() -> None:
    work = loaders.maintenance(OPEN)
    for row in line_health.not_ok(work.machines):
        st.markdown(line_health.sentence(row))
        if row.work_order_no is not None:
            _order(row.work_order_no)
    for order in line_health.of_cameras(work.orders):
        st.markdown(line_health.camera_sentence(order))
        _order(order.work_order_no)


def _order(number: str) -> None:
    label = say("health.line.order", order=number)
    st.page_link("app_pages/maintenance.py", label=label, query_params={"order": number})


def _tables() -> None:
    overview = _overview()
    if overview.lines:
        st.subheader(say("line.machines"))
        layout.table(machine_table(overview), key="machines")
    if overview.cameras:
        st.caption(say("line.window", minutes=minutes))
        st.subheader(say("line.cameras"))
        layout.table(camera_table(overview), key="cameras")


def _caption(frame: DefectFrame, as_of_text: str) -> str:
    return say(
        "defect.caption",
        machine=frame.machine_id,
        camera=frame.camera_id,
        coil=frame.coil_id or "–",
        metre=metre(frame.strip_position_m),
        moment=as_of_text,
    )


def _thumbnail(frame: DefectFrame, *, with_evidence: bool) -> None:
    now = loaders.line(minutes).as_of
    shown = picture(frame.image, frame.evidence if with_evidence else None) if frame.image else None
    if shown is None:
        st.caption(say("defect.no_picture"))
    else:
        st.image(shown, width="stretch", alt=plain("defect.alt", defect=class_word(frame.defect_class)))
    st.markdown(
        say("defect.title", defect=class_word(frame.defect_class), confidence=confidence(frame.confidence))
    )
    moment = f"{clock(frame.captured_at, layout.viewer_zone(), now)} ({ago(age_s(frame.captured_at, now))})"
    st.caption(_caption(frame, moment))


def _defects() -> None:
    frames = loaders.newest_defects(_THUMBNAILS)
    if not frames:
        st.info(say("defect.none"), icon=":material/image_search:")
        return
    with st.container(horizontal=True, key="newest"):
        for frame in frames:
            with st.container(width=_WIDTH_PX):
                _thumbnail(frame, with_evidence=with_evidence)


minutes = filters.window_minutes()
layout.live(_live)
layout.live(_health)
st.subheader(say("defect.heading"), help=say("help.newest"))
with_evidence = filters.switch("evidence", say("defect.evidence"), say("help.evidence"))
layout.live(_defects)
layout.live(_tables)
