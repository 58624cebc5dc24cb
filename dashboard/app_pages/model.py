"""Model: which version judges the frames, what it is worth, whether its input drifts, and how versions compare."""

import streamlit as st

from dashboard import filters, layout, model_loaders
from dashboard.correlation_charts import heat_map
from dashboard.model_card_view import (
    accuracy_table,
    confusion,
    curve,
    limits,
    recall_table,
    reliability,
    version_key,
)
from dashboard.model_charts import confidence_chart, reliability_chart, training_curve
from dashboard.model_rows import TwoVerdicts, VersionRow
from dashboard.model_view import (
    COUNT_COLUMNS,
    VERSION_COLUMNS,
    agreement_sentence,
    drift_table,
    figures,
    verdicts_of,
    version_table,
)
from dashboard.pictures import picture
from dashboard.report import csv_of
from dashboard.words import clean, escape, plain, say

_WIDTH_PX = 240


def _page() -> None:
    rows = {version_key(row): row for row in model_loaders.versions()}
    if not rows:
        layout.live(_no_figures)
        st.info(say("model.no_version"), icon=":material/network_intelligence:")
        return
    names = {key: clean(key) for key in rows}
    with st.container(horizontal=True):
        one = rows[filters.pick("version", say("model.pick"), names)]
        others = {key: clean(key) for key, row in rows.items() if row.name == one.name and row is not one}
        chosen = filters.pick("other", say("model.compare"), {"": plain("model.compare.none"), **others})
    other = rows.get(chosen)
    layout.live(lambda: _figures(version_key(one)))
    _card(one, other)
    if other is not None:
        _recorded(one, other)
    _drift(one)
    _training(one)
    _versions(tuple(rows.values()))


def _no_figures() -> None:
    model_loaders.versions()
    for name in ("model_version", "model_frames"):
        st.metric(say(f"metric.{name}"), "–", help=say(f"help.{name}"), border=True)


def _figures(key: str) -> None:
    row = next((row for row in model_loaders.versions() if version_key(row) == key), None)
    if row is None:
        return
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(row).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")


def _card(one: VersionRow, other: VersionRow | None) -> None:
    st.subheader(say("model.accuracy"), help=say("help.model.accuracy"))
    for row in (one, other) if other else (one,):
        if other:
            st.markdown(f"**{escape(version_key(row))}**")
        layout.table(accuracy_table(row.card), key=f"accuracy {version_key(row)}")
    st.subheader(say("model.recall"), help=say("help.model.recall"))
    rows = recall_table(one, other)
    if rows:
        layout.table(rows, key="recall")
    else:
        st.caption(say("model.no_recall"))
    with st.expander(say("model.limits")):
        for sentence in limits(one.card):
            st.markdown(escape(sentence))


def _recorded(one: VersionRow, other: VersionRow) -> None:
    st.subheader(say("model.recorded"), help=say("help.model.recorded"))
    found = model_loaders.comparison(one.name, one.version, other.version)
    if not found.agreement.frames:
        st.info(say("model.recorded.none"), icon=":material/compare:")
        return
    st.markdown(escape(agreement_sentence(found, one, other)))
    with st.container(horizontal=True, key="differing"):
        for number, frame in enumerate(found.differing):
            with st.container(width=_WIDTH_PX, key=f"frame {number}"):
                _two_verdicts(frame, one, other)


def _two_verdicts(frame: TwoVerdicts, one: VersionRow, other: VersionRow) -> None:
    shown = picture(frame.image) if frame.image else None
    if shown is None:
        st.caption(say("model.picture_gone"))
    else:
        st.image(shown, width="stretch", alt=plain("model.alt", camera=frame.camera_id))
    for sentence in verdicts_of(frame, one, other):
        st.caption(escape(sentence))


def _drift(one: VersionRow) -> None:
    st.subheader(say("model.drift"), help=say("help.model.drift"))
    found = model_loaders.drift(one.name, one.version)
    if not found.counts:
        st.caption(say("model.drift.none"))
        return
    layout.table(drift_table(found), key="drift", wide=frozenset({plain("table.most_changed")}))
    st.download_button(
        plain("model.drift.download"), csv_of(COUNT_COLUMNS, found.counts), file_name="class-counts.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", key="download drift",
    )  # fmt: skip
    st.altair_chart(confidence_chart(found.hours), key="confidence")


def _training(one: VersionRow) -> None:
    st.subheader(say("model.curves"))
    points = curve(one.card)
    left, right = st.columns(2)
    if points:
        left.altair_chart(training_curve(points, "accuracy", plain("model.curve.accuracy")), key="accuracy curve")
        right.altair_chart(training_curve(points, "loss", plain("model.curve.loss")), key="loss curve")
    else:
        st.caption(say("model.no_curve"))
    st.subheader(say("model.confusion"), help=say("help.model.confusion"))
    cells = confusion(one.card)
    if cells:
        st.altair_chart(heat_map(cells, plain("model.right"), layout.ink()), key="confusion")
    else:
        st.caption(say("model.no_confusion"))
    st.subheader(say("model.reliability"), help=say("help.model.reliability"))
    bins = reliability(one.card)
    if bins:
        st.altair_chart(reliability_chart(bins, layout.ink()), key="reliability")
    else:
        st.caption(say("model.no_reliability"))


def _versions(rows: tuple[VersionRow, ...]) -> None:
    st.subheader(say("model.versions"), help=say("help.model.versions"))
    layout.table(version_table(rows), key="versions")
    st.download_button(
        plain("model.download"), csv_of(VERSION_COLUMNS, rows), file_name="model-versions.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", key="download versions",
    )  # fmt: skip


layout.once(_page)
