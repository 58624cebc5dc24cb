"""Logging in, roles, and what each role can do to a work order, with a writer that remembers."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

import dashboard
from dashboard import access, loaders, writing
from dashboard.access import NotAllowed, Throttle
from dashboard.maintenance_rows import OrderDetail
from dashboard.planner import Refused
from dashboard.settings import AccessSettings, DashboardSettings
from dashboard.writing import Step, take_step
from services.cli import app
from services.contracts.errors import ConfigurationError
from services.contracts.user_file import Role, is_password_of, make_user, read_users
from services.runtime.settings import PostgresSettings
from tests.fakes.dashboard_rows import maintenance, order
from tests.unit.test_dashboard_pages import shown

DOOR = str(Path(dashboard.__file__).with_name("streamlit_app.py"))
PASSWORD = "correct horse"


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """Ada operates, Vic views; both know the password."""
    file, password = tmp_path / "users.json", tmp_path / "password"
    password.write_text(PASSWORD + "\n", encoding="utf-8")
    for name, role in (("Ada", "operator"), ("Vic", "viewer")):
        arguments = ["user", "add", name, "--role", role, "--file", str(file), "--password-file", str(password)]
        assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    return file


@pytest.fixture
def opened(users: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Open a page of a dashboard with that user file and one new work order."""
    st.cache_data.clear()
    st.cache_resource.clear()
    given = DashboardSettings(
        postgres=PostgresSettings.model_validate({"url": "postgresql://nowhere"}),
        access=AccessSettings(users_file=users),
    )
    monkeypatch.setattr(loaders, "settings", lambda: given)
    found = maintenance(orders=(order("WO-000001", assigned_to=None),))

    class Loader:
        def __init__(self, answer: object) -> None:
            self.answer = answer

        def __call__(self, *_arguments: object) -> object:
            return self.answer

        def clear(self) -> None:
            pass

    monkeypatch.setattr(loaders, "maintenance", Loader(found))
    monkeypatch.setattr(loaders, "order_detail", Loader(OrderDetail((), ())))

    def open_page(page: str) -> AppTest:
        at = AppTest.from_file(DOOR, default_timeout=20)
        at.run()
        return at.switch_page(f"app_pages/{page}.py").run()

    return open_page


def log_in(at: AppTest, name: str, password: str = PASSWORD) -> AppTest:
    at = at.switch_page("app_pages/account.py").run()
    at.text_input[0].set_value(name)
    at.text_input[1].set_value(password)
    return next(button for button in at.button if button.label == "Log in").click().run()


def labels(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_the_file_keeps_no_password_and_refuses_other_readers(users: Path) -> None:
    assert PASSWORD not in users.read_text(encoding="utf-8")
    assert users.stat().st_mode & 0o777 == 0o600
    found = read_users(users)
    assert is_password_of(found["Ada"], PASSWORD)
    assert not is_password_of(found["Ada"], PASSWORD + "x")
    assert not is_password_of(None, PASSWORD)
    users.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_users(users)


@pytest.mark.parametrize("text", ["", "[]", '{"users": [{"name": "x"}]}', '{"users": 3}'])
def test_a_broken_file_is_an_error_and_not_nobody(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_users(file)
    assert read_users(tmp_path / "none.json") == {}


def test_two_people_with_one_password_have_different_entries() -> None:
    one, other = (make_user(name, Role.VIEWER, PASSWORD) for name in ("a", "b"))
    assert one.key != other.key
    with pytest.raises(ConfigurationError, match="8 to 200 characters"):
        make_user("a", Role.VIEWER, "short")


def test_the_commands_change_the_file_and_name_mistakes(users: Path) -> None:
    runner = CliRunner()

    def run(*arguments: str) -> str:
        return runner.invoke(app, ["user", *arguments, "--file", str(users)], catch_exceptions=False).output

    assert "engineer" in run("set-role", "Vic", "--role", "engineer")
    assert "engineer  Vic" in run("list")
    run("remove", "Vic")
    assert "Vic" not in json.dumps(list(read_users(users)))
    with pytest.raises(ConfigurationError, match="There is no user 'Vic'"):
        run("remove", "Vic")
    with pytest.raises(ConfigurationError, match="There is no role 'king'"):
        run("set-role", "Ada", "--role", "king")


def test_guessing_gets_slower_and_a_right_answer_forgives() -> None:
    throttle = Throttle()
    for _ in range(5):
        assert throttle.wait_s("Ada", 0.0) == 0.0
        throttle.wrong("Ada", 0.0)
    assert throttle.wait_s("Ada", 0.0) == 5.0
    throttle.wrong("Ada", 10.0)
    assert throttle.wait_s("Ada", 12.0) == 8.0
    assert throttle.wait_s("Vic", 0.0) == 0.0
    throttle.right("Ada")
    assert throttle.wait_s("Ada", 12.0) == 0.0


def test_a_viewer_sees_the_order_and_no_buttons(opened: Callable[[str], AppTest]) -> None:
    for at in (
        opened("maintenance"),
        log_in(opened("account"), "Vic").switch_page("app_pages/maintenance.py").run(),
    ):
        assert not at.exception
        assert "WO-000001" in shown(at)
        assert "as an operator to acknowledge" in shown(at)
        assert not labels(at) & {"Acknowledge", "Reject"}


def test_an_operator_acts_in_their_own_name(
    opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[str, Step]] = []

    def remember(step: Step) -> str:
        taken.append((access.require(Role.OPERATOR).name, step))
        return "acknowledged"

    monkeypatch.setattr(writing, "take_step", remember)
    at = log_in(opened("account"), "Ada")
    assert "Logged in as Ada, role operator" in shown(at).replace("*", "")
    at = at.switch_page("app_pages/maintenance.py").run()
    assert {"Acknowledge", "Assign", "Reject"} <= labels(at)
    assert "Done" not in labels(at), "nobody finishes what nobody began"
    at = next(button for button in at.button if button.label == "Acknowledge").click().run()
    assert not at.exception
    assert [(who, step.order, step.step) for who, step in taken] == [("Ada", "WO-000001", "acknowledge")]
    assert "WO-000001 is now acknowledged" in shown(at)


def test_what_the_database_refuses_is_said(
    opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_step: Step) -> str:
        raise Refused("say why the work order is rejected")

    monkeypatch.setattr(writing, "take_step", refuse)
    at = log_in(opened("account"), "Ada").switch_page("app_pages/maintenance.py").run()
    at = next(button for button in at.button if button.label == "Reject").click().run()
    assert "say why the work order is rejected" in shown(at)


def test_whoever_is_removed_or_demoted_can_do_nothing_from_then_on(
    opened: Callable[[str], AppTest], users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = log_in(opened("account"), "Ada").switch_page("app_pages/maintenance.py").run()
    assert "Acknowledge" in labels(at)
    CliRunner().invoke(app, ["user", "set-role", "Ada", "--role", "viewer", "--file", str(users)])
    at = next(button for button in at.button if button.label == "Acknowledge").click().run()
    assert not at.exception
    assert "Acknowledge" not in labels(at)


def test_a_forged_call_is_refused_on_the_server(opened: Callable[[str], AppTest]) -> None:
    opened("maintenance")
    with pytest.raises(NotAllowed, match="needs the role operator"):
        take_step(Step("WO-000001", "acknowledge"))


def test_a_wrong_password_and_an_unknown_name_say_the_same(opened: Callable[[str], AppTest]) -> None:
    for name in ("Ada", "Nobody"):
        at = log_in(opened("account"), name, "wrong password")
        assert not at.exception
        assert "Name or password is wrong" in shown(at)
        assert "Logged in" not in shown(at)
