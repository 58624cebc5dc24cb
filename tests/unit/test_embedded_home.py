"""Secrets: random, private, stable."""

import stat
from pathlib import Path

from services.runtime.embedded.home import Home


def test_a_password_is_long_stays_the_same_and_differs_between_names(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.password("a") == home.password("a")
    assert home.password("a") != home.password("b")
    assert len(home.password("a")) >= 32


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.password("a")
    file = home.write_secret("role.url", "postgresql://...")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (file, home.secrets / "a.password")} == {0o600}
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700


def test_no_scratch_file_is_left_beside_a_secret(tmp_path: Path) -> None:
    Home(tmp_path).password("a")
    assert [path.name for path in Home(tmp_path).secrets.iterdir()] == ["a.password"]
