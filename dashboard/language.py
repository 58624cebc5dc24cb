"""Which language the viewer reads: as the address or the viewer says, else as the browser asks, else English."""

from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.english import ENGLISH
from dashboard.german import GERMAN

LANGUAGES: Final = {"en": ENGLISH, "de": GERMAN}
NAMES: Final = {"en": "English", "de": "Deutsch"}
USUAL: Final = "en"
_KEY: Final = "lang"
_CHOSEN: Final = "language chosen"


def language() -> str:
    """Return the code of the viewer's language; outside of a page it is English."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return USUAL
    asked = st.query_params.get(_KEY)
    if asked in LANGUAGES:
        st.session_state[_CHOSEN] = asked
    chosen = str(st.session_state.get(_CHOSEN) or st.context.locale or USUAL)[:2].lower()
    return chosen if chosen in LANGUAGES else USUAL


def choose(code: str) -> None:
    """Remember the viewer's choice for this session."""
    st.session_state[_CHOSEN] = code
    if _KEY in st.query_params:
        del st.query_params[_KEY]


def strings() -> dict[str, str]:
    """Return every string in the viewer's language."""
    return LANGUAGES[language()]
