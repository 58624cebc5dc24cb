"""Joins pages to the database: settings once, one pool for all viewers, answers shared for two seconds.

Pages call these functions and nothing of `dashboard.data`; tests replace them.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import streamlit as st

from dashboard import data, maintenance_data, refused_data
from dashboard.database import Database, PoolLimits
from dashboard.maintenance_rows import MaintenanceSnapshot, OrderDetail
from dashboard.rows import DefectFrame, HealthSnapshot, LineSnapshot, RefusedMessage, ReportRow
from dashboard.settings import DashboardSettings
from services.runtime.settings import load_settings

_LIVE_TTL_S = 2.0
_REPORT_TTL_S = 20.0


@st.cache_resource(show_spinner=False)
def settings() -> DashboardSettings:
    """Return the dashboard's settings, read once.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    return load_settings(DashboardSettings)


@st.cache_resource(show_spinner=False)
def database() -> Database:
    """Return the pool of read-only connections that all viewers share.

    Raises:
        ConfigurationError: A setting is missing or wrong.
    """
    given = settings()
    limits = PoolLimits(
        size=given.pool.size,
        wait_s=given.pool.wait_s,
        connect_timeout_s=given.postgres.connect_timeout_s,
        statement_timeout_s=given.postgres.statement_timeout_s,
    )
    return Database(given.postgres.read_url(), limits)


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=16, show_spinner=False)
def line(minutes: int) -> LineSnapshot:
    """Return machines and cameras with their counts over the last minutes."""
    return data.line_snapshot(database(), minutes * 60.0)


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=16, show_spinner=False)
def newest_defects(limit: int) -> Sequence[DefectFrame]:
    """Return the newest defect frames, newest first."""
    return data.newest_defects(database(), limit)


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=16, show_spinner=False)
def health(minutes: int) -> HealthSnapshot:
    """Return how frames travel from camera to row, over the last minutes."""
    return data.health_snapshot(database(), minutes * 60.0)


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=2, show_spinner=False)
def refused_messages() -> Sequence[RefusedMessage]:
    """Return the newest messages that could not be inspected."""
    return refused_data.refused_messages(database())


@st.cache_data(ttl=_REPORT_TTL_S, max_entries=32, show_spinner=False)
def refused_picture(frame_id: UUID) -> bytes | None:
    """Return what could be seen of a refused message."""
    return refused_data.refused_picture(database(), frame_id)


@st.cache_data(ttl=_REPORT_TTL_S, max_entries=32, show_spinner=False)
def report(start: datetime, end: datetime) -> Sequence[ReportRow]:
    """Return the maintenance report of a period."""
    return data.sightings_report(database(), start, end)


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=8, show_spinner=False)
def maintenance(which: str) -> MaintenanceSnapshot:
    """Return machines' health and the work orders that are open, closed, or all of them."""
    return maintenance_data.maintenance_snapshot(database(), which)


def forget_work() -> None:
    """Ask the database again about the work list: somebody has just changed it."""
    maintenance.clear()
    order_detail.clear()


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=32, show_spinner=False)
def order_detail(work_order_no: str) -> OrderDetail:
    """Return the coils to hold back for a work order, and who did what to it."""
    return maintenance_data.order_detail(database(), work_order_no)
