"""Cameras: what each one delivers and how its pictures look; and how to plug in a new one."""

import streamlit as st

from dashboard import cameras_loaders, cameras_plug_in, filters, layout, loaders
from dashboard.cameras_plug_in import SOURCES, UNKNOWN_BROKER
from dashboard.cameras_view import (
    CAMERA_COLUMNS,
    JudgedCamera,
    camera_table,
    figures,
    judge,
    picture_caption,
    sentences,
)
from dashboard.pictures import picture
from dashboard.report import csv_of
from dashboard.states import State
from dashboard.words import ago, clean, metre, plain, say
from services.contracts.errors import ConfigurationError
from services.runtime.clock import utc_now

_WATCH, _PLUG_IN = "watch", "plug_in"
_WIDTH_PX = 230
_MOST_PICTURES = 12


def _judged() -> list[JudgedCamera]:
    return judge(cameras_loaders.cameras(), loaders.settings().live.silent_after_s)


def _figures() -> None:
    cameras = _judged()
    found = cameras_loaders.cameras()
    newest = max((c.row.last_captured_at for c in cameras if c.row.last_captured_at), default=None)
    layout.freshness(newest, found.as_of, loaders.settings().live.silent_after_s)
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(cameras).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")


def _picture(camera: JudgedCamera) -> None:
    kept = cameras_loaders.newest_picture(camera.row.camera_id)
    shown = picture(kept.image) if kept else None
    if kept is None or shown is None:
        st.info(say("cameras.no_picture"), icon=":material/image_not_supported:")
        return
    st.image(shown, width="stretch", alt=plain("cameras.picture_alt", camera=camera.row.camera_id))
    st.caption(picture_caption(kept, camera, cameras_loaders.cameras().as_of))


def _all() -> None:
    cameras = _judged()
    if not cameras:
        st.info(say("cameras.none"), icon=":material/videocam:")
        return
    with st.container(horizontal=True, key="pictures"):
        for camera in cameras[:_MOST_PICTURES]:
            with st.container(width=_WIDTH_PX, border=True):
                state, age = plain(camera.state.value), ago(camera.age_s)
                st.markdown(say("cameras.now", camera=camera.row.camera_id, state=state, age=age))
                _picture(camera)
    found = cameras_loaders.cameras()
    st.subheader(say("cameras.all"), help=say("help.cameras.all"))
    layout.table(camera_table(cameras, found.window_s), key="cameras")
    st.download_button(
        say("cameras.download"),
        csv_of(CAMERA_COLUMNS, found.cameras),
        file_name=f"cameras_{utc_now():%Y%m%dT%H%M}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download cameras",
    )


def _one() -> None:
    cameras = {camera.row.camera_id: camera for camera in _judged()}
    if not cameras:
        return
    chosen = filters.pick("camera", say("cameras.pick"), {name: clean(name) for name in cameras})
    layout.live(lambda: _detail(chosen))


def _detail(camera_id: str) -> None:
    found = cameras_loaders.cameras()
    camera = next((each for each in _judged() if each.row.camera_id == camera_id), None)
    if camera is None:
        return
    words, frame = st.columns([3, 2])
    with words:
        for sentence in sentences(camera, found.window_s, found.as_of):
            st.markdown(sentence)
        order = camera.row.work_order_no
        if order is not None:
            link = say("cameras.order", order=order)
            st.page_link("app_pages/maintenance.py", label=link, query_params={"order": order})
    with frame:
        _picture(camera)


def _wizard() -> None:
    camera_id = st.text_input(say("wizard.id"), key="new camera", help=say("help.wizard.id")).strip()
    if not camera_id:
        st.info(say("wizard.ask_id"), icon=":material/edit:")
        return
    try:
        topic = cameras_plug_in.topic_of(camera_id)
    except ConfigurationError:
        st.error(say("wizard.bad_id", camera=camera_id), icon=":material/error:")
        return
    names = {name: say(f"wizard.source.{name}") for name in SOURCES}
    source = st.selectbox(say("wizard.source"), list(names), format_func=names.__getitem__, key="new source")
    st.subheader(say("wizard.run"))
    st.markdown(say("wizard.topic", topic=topic))
    known = loaders.settings().line.bootstrap_servers
    broker = known or UNKNOWN_BROKER
    st.code(cameras_plug_in.command(camera_id, source, broker), language="bash")
    st.markdown(say("wizard.broker" if known else "wizard.no_broker", broker=broker))
    st.caption(say("wizard.secret"))
    st.subheader(say("wizard.first"))
    layout.live(lambda: _first_frame(camera_id))
    st.subheader(say("wizard.place"))
    _place(camera_id)


def _first_frame(camera_id: str) -> None:
    camera = next((each for each in _judged() if each.row.camera_id == camera_id), None)
    if camera is None or camera.state is State.NO_DATA:
        st.info(say("wizard.waiting", camera=camera_id), icon=":material/hourglass_empty:")
    elif camera.state is State.SILENT:
        age = ago(camera.age_s)
        st.warning(say("wizard.seen_before", camera=camera_id, age=age), icon=":material/hourglass_empty:")
    else:
        st.success(say("wizard.came", camera=camera_id, age=ago(camera.age_s)), icon=":material/videocam:")
        with st.container(width=_WIDTH_PX * 2):
            _picture(camera)


def _place(camera_id: str) -> None:
    cameras = cameras_loaders.cameras().cameras
    there = cameras_plug_in.placed_elsewhere(camera_id, cameras)
    if there is not None:
        where = {"machine": there.machine_id, "metre": metre(there.position_m)}
        st.success(say("wizard.placed", camera=camera_id, **where), icon=":material/task_alt:")
        return
    machines = {(each.line_id, each.machine_id): each for each in loaders.line(filters.WINDOW_MINUTES[0]).machines}
    if not machines:
        st.info(say("wizard.no_machines"), icon=":material/conveyor_belt:")
        return
    names = {key: clean(f"{key[0]}: {key[1]}, {metre(each.position_m)}") for key, each in machines.items()}
    chosen = st.selectbox(say("wizard.behind"), list(names), format_func=names.__getitem__, key="new behind")
    machine, every = machines[chosen], tuple(machines.values())
    usual = cameras_plug_in.usual_position_m(machine, every)
    key = f"new position {chosen}"
    position_m = st.number_input(say("wizard.position"), min_value=0.0, value=usual, step=0.5, key=key)
    entry = cameras_plug_in.line_entry(camera_id, position_m, machine)
    try:
        cameras_plug_in.check_entry(entry, machine, every, cameras)
    except ConfigurationError as refused:
        st.error(say("wizard.refused", why=refused), icon=":material/wrong_location:")
        return
    st.markdown(say("wizard.entry", line=machine.line_id))
    st.code(entry, language="yaml")
    st.code("millsight db line --owner-url-file FILE --line-file line.yaml", language="bash")


views = {_WATCH: say("cameras.watch"), _PLUG_IN: say("cameras.plug_in")}
view = filters.choose("view", say("cameras.view"), views, _WATCH)
layout.live(_figures)
if view == _PLUG_IN:
    layout.once(_wizard)
else:
    layout.live(_all)
    layout.once(_one)
