"""Cached loaders of the cameras page; tests replace them, as those of `dashboard.loaders`."""

import streamlit as st

from dashboard import cameras_data, loaders
from dashboard.cameras_rows import CamerasSnapshot, KeptPicture

_LIVE_TTL_S = 2.0


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=2, show_spinner=False)
def cameras() -> CamerasSnapshot:
    """Return what every camera does now."""
    return cameras_data.cameras_snapshot(loaders.database())


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=64, show_spinner=False)
def newest_picture(camera_id: str) -> KeptPicture | None:
    """Return the camera's newest kept picture, None when none was kept."""
    return cameras_data.newest_picture(loaders.database(), camera_id)
