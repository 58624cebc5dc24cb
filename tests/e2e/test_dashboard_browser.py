"""The dashboard in a real browser, on a real database with a known scenario."""

import csv
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.english import ENGLISH
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.e2e.browser import (
    NARROW,
    PAGES,
    WIDE,
    metric,
    running_dashboard,
    save_all_pages,
    visit,
)
from tests.fakes.plant import DELIVERING, ODD_CAMERA, SCRIPT, LivePlant, PlantInDatabase

PATIENCE_MS = 40_000


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_loads_and_fits_the_screen(name: str, size: tuple[int, int], address: str, page: Page) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    visit(page, address, name)
    assert page.locator("[data-testid=stMetric]").count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_figures_are_those_of_the_database(address: str, page: Page, plant: PlantInDatabase) -> None:
    visit(page, address, "maintenance-report")
    [(frames, defects)] = plant.ask(
        "select count(*), count(*) filter (where defect_class <> 'no_defect') from millsight.inspections"
    )
    assert metric(page, "Frames inspected").replace("\u202f", "") == str(frames)
    assert metric(page, "Defect frames").replace("\u202f", "") == str(defects)
    visit(page, address, "pipeline-health")
    assert metric(page, "Refused, 24 h") == "1"
    assert metric(page, "Dropped at cameras") == "17"


def test_the_work_list_names_the_machine_and_links_to_the_order(
    address: str, page: Page, plant: PlantInDatabase
) -> None:
    visit(page, address, "maintenance", "?order=WO-000001")
    [(orders, machines)] = plant.ask(
        "select (select count(*) from millsight.work_orders where finished_at is null),"
        " (select count(*) from millsight.machine_health where state in ('inspect', 'maintenance_required'))"
    )
    assert metric(page, "Open work orders") == str(orders) == "1"
    assert metric(page, "Machines to look at") == str(machines) == "1"
    expect(page.get_by_text("WO-000001: rolled pit at skinpass-1", exact=False).first).to_be_visible()
    said = page.locator("[data-testid=stMarkdown]").filter(has_text="bold").first.inner_text()
    assert SCRIPT in said.replace("\u2060", "")
    with page.expect_download() as download:
        page.get_by_role("button", name=ENGLISH["work.download.contained"]).click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()] == ["coil_id", "C-3", "C-4", "C-5"]


def test_the_machine_page_draws_its_chart_and_keeps_the_choice_in_the_address(
    address: str, page: Page, plant: PlantInDatabase
) -> None:
    visit(page, address, "machine", "?machine=skinpass-1&class=rolled_pit&chart=u")
    [(flags,)] = plant.ask(
        "select count(*) from millsight.flags where 'skinpass-1' = any (machine_ids) and closed_at is null"
    )
    assert metric(page, "Open flags") == str(flags) == "1"
    expect(page.locator("[data-testid=stVegaLiteChart]").first).to_be_visible()
    expect(page.get_by_text("defects per km, around the normal rate", exact=False).first).to_be_visible()
    page.get_by_text("CUSUM", exact=True).click()
    expect(page.get_by_text("log-likelihood ratio", exact=False).first).to_be_visible(timeout=PATIENCE_MS)
    assert "chart=" not in page.url
    with page.expect_download() as download:
        page.get_by_role("button", name=ENGLISH["machine.download.report"]).click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert "WO-000001" in text


def test_file_holds_the_rows_of_the_view(address: str, page: Page, plant: PlantInDatabase, tmp_path: Path) -> None:
    visit(page, address, "maintenance-report")
    with page.expect_download() as download:
        page.locator("[data-testid=stDownloadButton] button").click()
    file = tmp_path / "report.csv"
    download.value.save_as(file)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = {(row["machine_id"], row["defect_class"]): int(row["defects"]) for row in csv.DictReader(stream)}
    wanted = plant.ask("select machine_id, coalesce(defect_class, ''), defects from millsight.sightings_report")
    assert rows == {(str(machine), str(defect)): defects for machine, defect, defects in wanted}
    assert rows["washer-1", "oil_spot"] == 24


def test_data_without_a_running_camera_is_not_called_live(address: str, page: Page) -> None:
    visit(page, address, "line")
    expect(page.get_by_text("Not live.")).to_be_visible()
    assert page.locator("[data-testid=stBadge], .stBadge").count() == 0


def test_page_turns_live_by_itself_and_names_silent_and_unassigned_cameras(
    address: str, page: Page, plant: PlantInDatabase
) -> None:
    visit(page, address, "line")
    with LivePlant(plant, DELIVERING):
        expect(page.get_by_text("Not live.")).to_have_count(0, timeout=PATIENCE_MS)
        expect(page.get_by_text("Silent: cam-3.")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_text(f"In no line file: {ODD_CAMERA}", exact=False)).to_be_visible()
        assert metric(page, "Cameras delivering") == "4 / 5"
    expect(page.get_by_text("Not live.")).to_be_visible(timeout=PATIENCE_MS)


def test_text_of_the_database_is_shown_and_never_run(address: str, page: Page) -> None:
    visit(page, address, "line")
    heading = page.locator("h3").filter(has_text="<script>").first.inner_text()
    assert heading.replace("\u2060", "").strip() == SCRIPT
    assert page.locator("a[href*='example.org']").count() == 0
    caption = (
        page.locator("[data-testid=stCaptionContainer]").filter(has_text="washer-1, cam-2").first.inner_text()
    )
    assert SCRIPT in caption.replace("\u2060", "")
    visit(page, address, "pipeline-health")


def test_newest_defects_have_pictures_and_can_show_where_the_model_looked(address: str, page: Page) -> None:
    visit(page, address, "line")
    pictures = page.locator("[data-testid=stImage] img")
    expect(pictures).to_have_count(12)
    assert pictures.first.evaluate("image => image.naturalWidth") == 224
    before = pictures.first.get_attribute("src")
    page.get_by_text(ENGLISH["defect.evidence"]).click()
    expect(pictures.first).not_to_have_attribute("src", before or "", timeout=PATIENCE_MS)
    assert "evidence=1" in page.url


def test_links_restore_what_was_chosen(address: str, page: Page) -> None:
    visit(page, address, "line", "?minutes=60")
    assert "last 60 min" in page.locator("[aria-checked=true]").all_inner_texts()
    page.get_by_text("last 5 min").click()
    page.wait_for_url("**minutes=5**")
    visit(page, address, "maintenance-report", "?period=own&from=2020-01-01T00:00Z&to=2020-01-02T00:00Z")
    expect(page.get_by_text("2020-01-01 01:00:00")).to_be_visible()
    expect(page.get_by_text(ENGLISH["report.empty"])).to_be_visible()


@pytest.mark.parametrize("name", [name for name in PAGES if name != "account"])
def test_database_that_goes_away_and_returns_is_told_and_found_again(
    name: str, address: str, page: Page, database: EmbeddedPostgres
) -> None:
    visit(page, address, name)
    database.kill()
    try:
        if name == "maintenance-report":
            page.get_by_text("last 7 days").click()
        expect(page.get_by_text("The database does not answer").first).to_be_visible(timeout=PATIENCE_MS)
        expect(page.locator("[data-testid=stMetric]")).to_have_count(0, timeout=PATIENCE_MS)
    finally:
        database.start()
    expect(page.get_by_text("The database does not answer")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator("[data-testid=stMetric]").first).to_be_visible(timeout=PATIENCE_MS)


def test_database_without_tables_is_told_and_found_once_it_is_prepared(
    database: EmbeddedPostgres, plant: PlantInDatabase, page: Page, tmp_path: Path
) -> None:
    empty = plant.beside("millsight_empty")
    empty.prepare_roles()
    url_file = tmp_path / "url"
    url_file.write_text(empty.dashboard_url, encoding="utf-8")
    with running_dashboard(url_file, tmp_path / "dashboard.log") as running:
        visit(page, running, "line")
        expect(page.get_by_text("The database has no Millsight tables").first).to_be_visible()
        empty.migrate()
        expect(page.get_by_text("No frame has been stored yet").first).to_be_visible(timeout=PATIENCE_MS)
        page.goto("about:blank")


def test_screenshots_of_all_pages_are_written(
    address: str, browser: Browser, plant: PlantInDatabase, tmp_path: Path
) -> None:
    directory = Path(os.environ.get("MILLSIGHT_SCREENSHOTS", str(tmp_path)))
    with LivePlant(plant, DELIVERING, defect_every=9):
        save_all_pages(browser, address, directory)
    assert len(list(directory.glob("*.png"))) == 3 * len(PAGES)
