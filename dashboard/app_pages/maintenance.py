"""Maintenance: which machine needs it, the work list, and what belongs to one work order."""

import streamlit as st

from dashboard import filters, layout, loaders
from dashboard.maintenance_data import ALL, CLOSED, OPEN
from dashboard.maintenance_rows import OrderRow
from dashboard.maintenance_view import (
    CONTAINED_COLUMNS,
    ORDER_COLUMNS,
    contained_table,
    event_table,
    figures,
    machine_table,
    order_table,
    parts_of,
    sentences,
    what_of,
    where_of,
)
from dashboard.report import csv_of
from dashboard.words import clean, plain, say
from dashboard.work_actions import actions
from services.runtime.clock import utc_now


def _download(label: str, columns: tuple[str, ...], rows: object, name: str) -> None:
    st.download_button(
        say(label),
        csv_of(columns, rows if isinstance(rows, tuple) else ()),
        file_name=f"{name}_{utc_now():%Y%m%dT%H%M}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"download {name}",
    )


def _machines() -> None:
    found = loaders.maintenance(which)
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(found).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")
    st.subheader(say("work.machines"), help=say("help.work.machines"))
    if not found.machines:
        st.info(say("work.no_machines"), icon=":material/conveyor_belt:")
        return
    layout.table(machine_table(found.machines), key="health", wide=frozenset({plain("table.state")}))


def _orders() -> None:
    found = loaders.maintenance(which)
    st.subheader(say("work.orders"), help=say("help.work.orders"))
    if not found.orders:
        st.info(say(f"work.none.{which}"), icon=":material/task_alt:")
        return
    layout.table(order_table(found.orders, layout.viewer_zone(), found.as_of), key="orders")
    _download("work.download.orders", ORDER_COLUMNS, found.orders, "work-orders")


def _chosen() -> None:
    found = loaders.maintenance(which)
    if not found.orders:
        return
    orders = {order.work_order_no: order for order in found.orders}
    names = {number: clean(f"{number}: {what_of(order)}, {where_of(order)}") for number, order in orders.items()}
    _order(orders[filters.pick("order", say("work.pick"), names)])


def _order(order: OrderRow) -> None:
    where, now = layout.viewer_zone(), utc_now()
    for sentence in sentences(order, where, now):
        st.markdown(sentence)
    for part in parts_of(order.advice):
        st.markdown(part)
    if order.finished_at is None:
        st.caption(say("work.next", order=order.work_order_no))
    actions(order)
    detail = loaders.order_detail(order.work_order_no)
    st.subheader(say("work.contained"), help=say("help.work.contained"))
    if detail.contained:
        layout.table(contained_table(detail.contained, where, now), key="contained")
        _download("work.download.contained", CONTAINED_COLUMNS, detail.contained, "to-hold-back")
    else:
        st.info(say("work.contained.none"), icon=":material/inventory_2:")
    st.subheader(say("work.events"))
    layout.table(event_table(detail.events, where, now), key="events")


which = filters.choose("show", say("work.show"), {name: say(f"work.{name}") for name in (OPEN, CLOSED, ALL)}, OPEN)
layout.live(_machines)
layout.live(_orders)
layout.once(_chosen)
