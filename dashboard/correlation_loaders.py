"""Joins the correlation page to the database; answers are shared for a few seconds."""

import streamlit as st

from dashboard import correlation_data, loaders
from dashboard.correlation_rows import CorrelationSnapshot

_TTL_S = 5.0


@st.cache_data(ttl=_TTL_S, max_entries=8, show_spinner=False)
def snapshot(hours: int) -> CorrelationSnapshot:
    """Return counts over the last hours, and the newest flags."""
    return correlation_data.snapshot(loaders.database(), hours)
