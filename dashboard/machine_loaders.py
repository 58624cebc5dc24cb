"""Joins the machine page to the database; answers are shared for a few seconds."""

from collections.abc import Sequence

import streamlit as st

from dashboard import loaders, machine_data
from dashboard.machine_rows import MachineDetail, MachineName

_TTL_S = 5.0


@st.cache_data(ttl=_TTL_S, max_entries=4, show_spinner=False)
def machines() -> Sequence[MachineName]:
    """Return every machine with its state now, in strip order."""
    return machine_data.machines(loaders.database())


@st.cache_data(ttl=_TTL_S, max_entries=64, show_spinner=False)
def detail(machine_id: str, defect_class: str, days: int) -> MachineDetail:
    """Return what one machine showed of a class over the last days."""
    return machine_data.machine_detail(loaders.database(), machine_id, defect_class, days)
