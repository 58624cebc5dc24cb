"""Says in a sentence why something that somebody pressed was not done."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.access import NotAllowed
from dashboard.database import DataUnavailable
from dashboard.planner import Refused
from dashboard.words import plain, say
from services.contracts.errors import ConfigurationError


@contextmanager
def explained(refused: str = "act.refused") -> Iterator[None]:
    """Leave the block with an error on the page when what it changes is refused; see `dashboard.writing`.

    Args:
        refused: The sentence that says so, with a gap for the reason.
    """
    try:
        yield
    except (Refused, ConfigurationError) as refusal:
        st.error(say(refused, reason=str(refusal).rstrip(".")))
    except NotAllowed as refusal:
        st.error(say("act.not_allowed", role=plain(f"role.{refusal.role.name.lower()}")))
    except DataUnavailable as missing:
        st.error(say(missing.trouble.value))
