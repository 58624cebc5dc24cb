"""Somebody who has logged in to a dashboard whose planner is a real database."""

from pathlib import Path

import pytest

from dashboard import access, loaders
from dashboard.access import Person
from dashboard.settings import AccessSettings, DashboardSettings
from services.contracts.user_file import Role
from services.runtime.settings import PostgresSettings


def log_in(monkeypatch: pytest.MonkeyPatch, directory: Path, planner_url: str, role: Role) -> Path:
    """Let Ada be logged in with a role; returns the file that holds the planner's URL."""
    file = directory / "planner.url"
    file.write_text(planner_url, encoding="utf-8")
    given = DashboardSettings(
        postgres=PostgresSettings.model_validate({"url": "postgresql://nowhere"}),
        access=AccessSettings(planner_url_file=file),
    )
    monkeypatch.setattr(loaders, "settings", lambda: given)
    monkeypatch.setattr(access, "person", lambda: Person("Ada", role))
    return file
