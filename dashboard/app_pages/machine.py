"""Machine: its control chart with onset, flags and repairs, its class mix, its rolls and its history."""

import streamlit as st

from dashboard import filters, layout, machine_loaders
from dashboard.machine_charts import control_chart, csv_rows
from dashboard.machine_report import html_report
from dashboard.machine_rows import MachineDetail, MachineName
from dashboard.machine_view import (
    CLASS_COLUMNS,
    FLAG_COLUMNS,
    POINT_COLUMNS,
    class_table,
    figures,
    flag_table,
    flagged_class,
    marks_of,
    most_urgent,
    repair_marks,
    roll_sentences,
    title_of,
)
from dashboard.reasons import why
from dashboard.report import csv_of
from dashboard.words import ago, class_word, clean, health_word, plain, say
from services.domain.spc.control_chart import ChartKind, DrawnChart, draw
from services.domain.spc.control_chart import Stream as StreamOfPoints

_DAYS = ("1", "7", "30")
_NO_CLASS = ""


def _page() -> None:
    machines = {each.machine_id: each for each in machine_loaders.machines()}
    if not machines:
        st.info(say("machine.none"), icon=":material/conveyor_belt:")
        return
    titles = {machine_id: title_of(each) for machine_id, each in machines.items()}
    machine = machines[filters.pick("machine", say("machine.pick"), titles, most_urgent(tuple(machines.values())))]
    days = int(filters.choose("days", say("machine.days"), {d: say(f"machine.days.{d}") for d in _DAYS}, "30"))
    known = machine_loaders.detail(machine.machine_id, _NO_CLASS, days)
    st.markdown(say("machine.state", machine=machine.machine_name, state=health_word(machine.state),
                    reason=why(machine.reason)))  # fmt: skip
    if machine.group_id is not None and machine.group_id != machine.machine_id:
        st.caption(say("machine.group", group=machine.group_id))
    if not known.classes:
        layout.live(lambda: _metrics(machine.machine_id, _NO_CLASS, days))
        st.info(say("machine.no_points"), icon=":material/timeline:")
        return
    names = {each.defect_class: clean(class_word(each.defect_class)) for each in known.classes}
    chosen = filters.pick("class", say("machine.class"), names, flagged_class(known.flags))
    layout.live(lambda: _metrics(machine.machine_id, chosen, days))
    _detail(machine, chosen, machine_loaders.detail(machine.machine_id, chosen, days))


def _metrics(machine_id: str, defect_class: str, days: int) -> None:
    detail = machine_loaders.detail(machine_id, defect_class, days)
    if detail.points:
        age_s = (detail.as_of - detail.points[-1].ended_at).total_seconds()
        st.caption(say("machine.newest", coil=detail.points[-1].coil_id, age=ago(age_s)))
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(detail).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")


def _detail(machine: MachineName, defect_class: str, detail: MachineDetail) -> None:
    kinds = {kind.value: say(f"machine.kind.{kind.value}") for kind in ChartKind}
    kind = filters.choose("chart", say("machine.chart"), kinds, ChartKind.CUSUM.value, say("help.machine.chart"))
    chart = None
    if detail.points:
        chart = draw(ChartKind(kind), StreamOfPoints(detail.points, detail.limit))
        _chart(detail, defect_class, chart)
    else:
        st.info(say("machine.no_points"), icon=":material/timeline:")
    st.subheader(say("machine.classes"), help=say("help.machine.classes"))
    layout.table(class_table(detail.classes), key="classes")
    _download("machine.download.classes", csv_of(CLASS_COLUMNS, detail.classes), "classes.csv")
    st.subheader(say("machine.roll_marks"))
    for sentence in roll_sentences(detail.flags) or [say("machine.no_rolls")]:
        st.markdown(sentence)
    _flags(detail)
    page = html_report(machine, defect_class, detail, chart)
    _download("machine.download.report", page, f"{machine.machine_id}.html", "text/html")


def _chart(detail: MachineDetail, defect_class: str, chart: DrawnChart) -> None:
    st.caption(say(f"chart.{chart.code}"))
    coils = [str(row["coil_id"]) for row in chart.rows]
    marks = [*marks_of(detail.flags, defect_class, coils), *repair_marks(detail.flags, defect_class, chart)]
    if chart.rows:
        st.altair_chart(control_chart(chart, marks, layout.ink()), key="chart")
        _download("machine.download.points", csv_of(POINT_COLUMNS, csv_rows(chart)), "chart.csv")
    if chart.left_out:
        st.caption(say("machine.left_out", count=chart.left_out))
    if detail.limit is None:
        st.caption(say("machine.no_limit"))


def _flags(detail: MachineDetail) -> None:
    st.subheader(say("machine.flags"), help=say("help.machine.flags"))
    if not detail.flags:
        st.info(say("machine.no_flags"), icon=":material/task_alt:")
        return
    layout.table(flag_table(detail.flags, layout.viewer_zone(), detail.as_of), key="flags")
    _download("machine.download.flags", csv_of(FLAG_COLUMNS, detail.flags), "flags.csv")


def _download(label: str, content: str | bytes, name: str, mime: str = "text/csv") -> None:
    st.download_button(
        plain(label), content, file_name=clean(name), mime=mime, icon=":material/download:", on_click="ignore",
        key=f"download {label}",
    )  # fmt: skip


layout.once(_page)
