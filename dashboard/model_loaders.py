"""Joins the model page to the database; answers are shared for a while, for they change slowly."""

from collections.abc import Sequence

import streamlit as st

from dashboard import loaders, model_data
from dashboard.model_rows import Comparison, Drift, VersionRow

_TTL_S = 20.0
_LIVE_TTL_S = 5.0


@st.cache_data(ttl=_LIVE_TTL_S, max_entries=2, show_spinner=False)
def versions() -> Sequence[VersionRow]:
    """Return every version that classified frames, the one in use first."""
    return model_data.versions(loaders.database())


@st.cache_data(ttl=_TTL_S, max_entries=16, show_spinner=False)
def drift(name: str, version: str) -> Drift:
    """Return what a version said by camera, now and before."""
    return model_data.drift(loaders.database(), name, version)


@st.cache_data(ttl=_TTL_S, max_entries=16, show_spinner=False)
def comparison(name: str, one: str, other: str) -> Comparison:
    """Return how two versions agree on frames that both judged."""
    return model_data.comparison(loaders.database(), name, one, other)
