"""What people do on pages, in a real browser: it changes the database, and only for those who may."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.english import ENGLISH
from dashboard.german import GERMAN
from tests.e2e.browser import metric, settle, visit
from tests.e2e.conftest import PASSWORD
from tests.fakes.plant import PlantInDatabase

PATIENCE_MS = 40_000


def log_in(page: Page, address: str, name: str, password: str = PASSWORD) -> None:
    visit(page, address, "account")
    page.get_by_label(ENGLISH["account.name"]).fill(name)
    page.get_by_label(ENGLISH["account.password"], exact=True).fill(password)
    page.get_by_role("button", name=ENGLISH["account.log_in"]).click()


def go_to(page: Page, title: str) -> None:
    """Follow the link in the navigation, so that the login stays."""
    page.get_by_role("link", name=title, exact=True).click()
    page.wait_for_timeout(500)
    settle(page)


def test_an_operator_confirms_with_a_key_and_corrects_with_a_press(
    address: str, page: Page, plant: PlantInDatabase
) -> None:
    log_in(page, address, "Ada")
    expect(page.get_by_text("Logged in as", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    go_to(page, ENGLISH["page.review"])
    waiting = int(metric(page, "Waiting").rstrip("+"))
    assert waiting >= 2
    expect(page.get_by_role("button", name="Confirm: crease")).to_be_visible()
    page.locator("h3", has_text=ENGLISH["review.title"]).click()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept: cam-4 shows crease", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name=re.compile("^inclusion")).click()
    expect(page.get_by_text("Kept: cam-4 shows inclusion", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    assert plant.ask("select said_class, answer, who, role from millsight.reviews order by review_id") == [
        ("crease", "crease", "Ada", "millsight_planner"), ("crease", "inclusion", "Ada", "millsight_planner"),
    ]  # fmt: skip
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(str(waiting - 2), timeout=PATIENCE_MS)


def test_an_operator_acknowledges_a_work_order(address: str, page: Page, plant: PlantInDatabase) -> None:
    log_in(page, address, "Ada")
    expect(page.get_by_text("Logged in as", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    go_to(page, ENGLISH["page.work"])
    page.get_by_role("button", name=ENGLISH["act.acknowledge"]).click()
    expect(page.get_by_text("WO-000001 is now acknowledged", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    assert plant.ask("select state, acknowledged_by from millsight.work_orders") == [("acknowledged", "Ada")]
    page.get_by_label(ENGLISH["act.remark"]).fill("<b>roll</b> ordered")
    page.get_by_role("button", name=ENGLISH["act.comment"]).click()
    expect(page.get_by_text("Written down on WO-000001", exact=False)).to_be_visible(timeout=PATIENCE_MS)
    assert plant.ask(
        "select who, step, comment from millsight.work_order_events order by event_id desc limit 1"
    ) == [("Ada", "comment", "<b>roll</b> ordered")]


def test_an_engineer_has_a_refused_message_sent_again(address: str, page: Page, plant: PlantInDatabase) -> None:
    log_in(page, address, "Eve")
    expect(page.get_by_text("Logged in as", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    go_to(page, ENGLISH["page.health"])
    page.get_by_role("button", name=ENGLISH["refused.send"]).click()
    expect(page.get_by_role("button", name=ENGLISH["refused.send"])).to_be_disabled(timeout=PATIENCE_MS)
    assert plant.ask("select state, who from millsight.second_looks") == [("waiting", "Eve")]


@pytest.mark.parametrize(
    ("name", "button"),
    [("review", "review.unclear"), ("maintenance", "act.acknowledge"), ("pipeline-health", "refused.send")],
)
def test_whoever_has_not_logged_in_finds_nothing_to_press(
    address: str, page: Page, name: str, button: str
) -> None:
    visit(page, address, name)
    expect(page.get_by_role("button", name=ENGLISH[button])).to_have_count(0)
    expect(page.get_by_text("Log in", exact=False).first).to_be_visible()


def test_a_wrong_password_lets_nobody_in(address: str, page: Page) -> None:
    log_in(page, address, "Ada", "wrong password")
    expect(page.get_by_text("Name or password is wrong")).to_be_visible(timeout=PATIENCE_MS)


def test_the_pages_speak_german_when_asked_and_stay_german(address: str, page: Page) -> None:
    visit(page, address, "line", "?lang=de")
    expect(page.get_by_text(GERMAN["metric.cameras"]).first).to_be_visible()
    go_to(page, GERMAN["page.review"])
    expect(page.get_by_text(GERMAN["review.title"])).to_be_visible(timeout=PATIENCE_MS)
