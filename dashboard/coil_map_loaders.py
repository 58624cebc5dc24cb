"""Joins the coil map to the database; answers are shared for a few seconds."""

from collections.abc import Sequence

import streamlit as st

from dashboard import coil_map_data, loaders
from dashboard.coil_map_rows import CoilDetail, CoilRow, SightingRow

_TTL_S = 5.0


@st.cache_data(ttl=_TTL_S, max_entries=4, show_spinner=False)
def coils() -> Sequence[CoilRow]:
    """Return the newest coils, newest first."""
    return coil_map_data.coils(loaders.database())


@st.cache_data(ttl=_TTL_S, max_entries=32, show_spinner=False)
def detail(line_id: str, coil_id: str) -> CoilDetail | None:
    """Return a coil with its defects, None when there is no such coil."""
    return coil_map_data.coil_detail(loaders.database(), line_id, coil_id)


@st.cache_data(ttl=_TTL_S, max_entries=32, show_spinner=False)
def sightings(defect_id: str) -> Sequence[SightingRow]:
    """Return what each camera saw of a defect."""
    return coil_map_data.sightings(loaders.database(), defect_id)
