"""Joins the review queue to the database; answers are shared for a few seconds."""

import streamlit as st

from dashboard import loaders, review_data
from dashboard.review_rows import FramePicture, QueuedFrame, QueueSnapshot

_TTL_S = 3.0


@st.cache_data(ttl=_TTL_S, max_entries=16, show_spinner=False)
def queue(why: str, machine_id: str, defect_class: str) -> QueueSnapshot:
    """Return the frames that wait for an answer, and the answers so far."""
    return review_data.queue(loaders.database(), why, machine_id, defect_class)


@st.cache_data(ttl=_TTL_S, max_entries=32, show_spinner=False)
def picture_of(frame: QueuedFrame) -> FramePicture | None:
    """Return the picture of a frame and what the model said of it."""
    return review_data.picture_of(loaders.database(), frame)


def forget() -> None:
    """Ask the database again: somebody has just answered."""
    queue.clear()
