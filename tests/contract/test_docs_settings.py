"""docs/settings.md says what the rooms' settings classes say."""

from pathlib import Path

import pytest

from tests.contract.settings_table import ROOMS, render, settings_of


def test_the_page_is_what_the_code_says(project_root: Path) -> None:
    page = (project_root / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == render(), "write it again: python -m tests.contract.settings_table > docs/settings.md"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_every_setting_has_a_meaning(room: str) -> None:
    assert [setting.variable for setting in settings_of(ROOMS[room]) if not setting.meaning] == []


def test_every_room_with_settings_is_on_the_page(project_root: Path) -> None:
    files = [*project_root.glob("services/*/settings.py"), *project_root.glob("dashboard/settings.py")]
    rooms = {file.parent.name for file in files} - {"runtime"}
    assert rooms == set(ROOMS)
