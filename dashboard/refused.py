"""Refused messages one by one, and the button that has one sent again."""

from collections.abc import Sequence
from datetime import tzinfo

import streamlit as st

from dashboard import access, acting, filters, layout, loaders, pictures, writing
from dashboard.diagnosis import reason_word
from dashboard.overview import Cell
from dashboard.report import csv_of
from dashboard.rows import RefusedMessage
from dashboard.words import byte_size, clean, clock, plain, say
from services.contracts.user_file import Role

COLUMNS = (
    "frame_id", "camera_id", "reason", "detail", "rejected_at", "payload_bytes", "second_look", "problem",
)  # fmt: skip


def refused_table(messages: Sequence[RefusedMessage], where: tzinfo) -> list[dict[str, Cell]]:
    """Return a row for each refused message, newest first."""
    return [
        {
            plain("table.latest"): clock(each.rejected_at, where),
            plain("table.camera"): clean(each.camera_id),
            plain("table.reason"): reason_word(each.reason),
            plain("table.size"): byte_size(each.payload_bytes),
            plain("table.detail"): clean(each.detail),
            plain("table.again"): again_word(each),
        }
        for each in messages
    ]


def again_word(message: RefusedMessage) -> str:
    """Return what became of the newest wish to send the message again."""
    if message.second_look is None:
        return "–"
    return plain(f"refused.again.{message.second_look}", problem=message.problem or "")


def draw() -> None:
    """Draw the list, and the button for those who may press it."""
    messages = loaders.refused_messages()
    if not messages:
        return
    where = layout.viewer_zone()
    st.subheader(say("refused.heading"), help=say("help.refused"))
    layout.table(refused_table(messages, where), key="refused", wide=frozenset({plain("table.detail")}))
    st.download_button(
        plain("refused.download"), csv_of(COLUMNS, messages), file_name="refused-messages.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", key="download refused",
    )  # fmt: skip
    by_id = {str(each.frame_id): each for each in messages}
    names = {
        key: clean(f"{clock(each.rejected_at, where)} {each.camera_id}: {reason_word(each.reason)}")
        for key, each in by_id.items()
    }
    chosen = by_id[filters.pick("refused", say("refused.pick"), names)]
    _show(chosen)
    if not access.may(Role.ENGINEER):
        st.caption(say("refused.log_in"))
        return
    waits = chosen.second_look == "waiting"
    if st.button(say("refused.send"), icon=":material/replay:", disabled=waits, key="send again"):
        _send(chosen)


def _show(message: RefusedMessage) -> None:
    kept = loaders.refused_picture(message.frame_id)
    shown = None if kept is None else pictures.picture(kept)
    if shown is None:
        st.caption(say("refused.no_picture"))
        return
    st.image(
        shown,
        caption=say("refused.picture", camera=message.camera_id, reason=reason_word(message.reason)),
        width=320,
    )


def _send(message: RefusedMessage) -> None:
    with acting.explained():
        writing.ask_second_look(message.frame_id)
        loaders.refused_messages.clear()
        st.rerun()
