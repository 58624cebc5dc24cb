"""Pages of the dashboard in Streamlit's own test harness, with loaders that answer what a test says."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import loaders
from dashboard.database import DataUnavailable, Trouble
from dashboard.settings import DashboardSettings
from services.runtime.settings import PostgresSettings

DOOR: Final = str(Path(dashboard.__file__).with_name("streamlit_app.py"))


def settings_of_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dashboard be set up with a database that nobody asks."""
    st.cache_data.clear()
    given = DashboardSettings(postgres=PostgresSettings.model_validate({"url": "postgresql://nowhere"}))
    monkeypatch.setattr(loaders, "settings", lambda: given)


def answering(answer: object) -> Callable[..., object]:
    """Return a loader that answers so; a `Trouble` is raised."""

    def load(*_arguments: object) -> object:
        if isinstance(answer, Trouble):
            raise DataUnavailable(answer)
        return answer

    return load


def opened(page: str, **address: str) -> AppTest:
    """Open a page of `app_pages` at an address, as a viewer who came through the door."""
    at = AppTest.from_file(DOOR, default_timeout=20)
    at.run()
    for name, value in address.items():
        at.query_params[name] = value
    return at.switch_page(f"app_pages/{page}.py").run()
