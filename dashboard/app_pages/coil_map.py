"""Coil map: where on a coil its defects lie, and what every camera saw of one of them."""

import streamlit as st

from dashboard import coil_map_loaders, filters, layout
from dashboard.coil_map_charts import coil_map
from dashboard.coil_map_rows import CoilDetail, DefectPlace, SightingRow
from dashboard.coil_map_view import (
    DEFECT_COLUMNS,
    cause_word,
    coil_key,
    coil_title,
    defect_table,
    defect_title,
    figures,
    shown,
)
from dashboard.pictures import picture
from dashboard.report import csv_of
from dashboard.words import class_word, clean, clock, confidence, percent, plain, say
from services.runtime.clock import utc_now

_WIDTH_PX = 260
_LIKELIEST = 4


def _page() -> None:
    coils = {coil_key(each): each for each in coil_map_loaders.coils()}
    if not coils:
        layout.live(_no_figures)
        st.info(say("coil.none"), icon=":material/texture:")
        return
    chosen = coils[filters.pick("coil", say("coil.pick"), {key: coil_title(each) for key, each in coils.items()})]
    detail = coil_map_loaders.detail(chosen.line_id, chosen.coil_id)
    if detail is None:
        st.info(say("coil.gone"), icon=":material/texture:")
        return
    layout.live(lambda: _figures(chosen.line_id, chosen.coil_id))
    if detail.coil.grade_reason:
        st.caption(say("coil.reason", reason=detail.coil.grade_reason))
    if detail.coil.held_back:
        st.warning(say("coil.held", orders=", ".join(detail.coil.held_back)), icon=":material/front_hand:")
    if detail.defects:
        _map(detail)
    else:
        st.info(say("coil.no_defects"), icon=":material/task_alt:")


def _no_figures() -> None:
    coil_map_loaders.coils()
    for name in ("coil_defects", "coil_grade"):
        st.metric(say(f"metric.{name}"), "–", help=say(f"help.{name}"), border=True)


def _figures(line_id: str, coil_id: str) -> None:
    detail = coil_map_loaders.detail(line_id, coil_id)
    if detail is None:
        return
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(detail).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")


def _map(detail: CoilDetail) -> None:
    classes = sorted({each.defect_class for each in detail.defects})
    names = {"": say("coil.class.all"), **{name: clean(class_word(name)) for name in classes}}
    defects = shown(detail.defects, filters.pick("class", say("coil.class"), names))
    st.altair_chart(coil_map(defects, detail.coil.length_m, layout.ink()), key="map")
    st.caption(say("coil.legend"))
    layout.table(defect_table(defects), key="defects")
    st.download_button(
        plain("coil.download"), csv_of(DEFECT_COLUMNS, defects), file_name=clean(f"{detail.coil.coil_id}.csv"),
        mime="text/csv", icon=":material/download:", on_click="ignore", key="download defects",
    )  # fmt: skip
    by_id = {each.defect_id: each for each in defects}
    picked = filters.pick(
        "defect", say("coil.pick_defect"), {key: defect_title(each) for key, each in by_id.items()}
    )
    _path(by_id[picked])


def _path(defect: DefectPlace) -> None:
    st.subheader(say("coil.path"), help=say("help.coil.path"))
    sure = percent(defect.group_probability)
    st.markdown(say("coil.cause", cause=cause_word(defect), sure=sure, camera=defect.first_camera))
    with st.container(horizontal=True, key="path"):
        for number, sighting in enumerate(coil_map_loaders.sightings(defect.defect_id)):
            with st.container(width=_WIDTH_PX, key=f"sighting {number}"):
                _sighting(sighting)


def _sighting(sighting: SightingRow) -> None:
    if sighting.defect_class is None:
        st.markdown(say("coil.looked", camera=sighting.camera_id))
        return
    shown_picture = picture(sighting.image, sighting.evidence) if sighting.image else None
    if shown_picture is None:
        st.caption(say("coil.picture_gone"))
    else:
        st.image(shown_picture, width="stretch", alt=plain("coil.alt", camera=sighting.camera_id))
    st.markdown(
        say(
            "coil.saw", camera=sighting.camera_id, defect=class_word(sighting.defect_class),
            confidence=confidence(sighting.confidence or 0.0),
        )
    )  # fmt: skip
    likeliest = sorted((sighting.probabilities or {}).items(), key=lambda item: -item[1])[:_LIKELIEST]
    st.caption(clean(", ".join(f"{class_word(name)} {percent(share)}" for name, share in likeliest)))
    if sighting.model_name:
        moment = clock(sighting.captured_at, layout.viewer_zone(), utc_now())
        version = sighting.model_version or "–"
        st.caption(say("coil.model", model=sighting.model_name, version=version, moment=moment))


layout.once(_page)
