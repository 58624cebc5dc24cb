"""The dashboard in a real browser, on a real database with a known scenario."""

import csv
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.english import ENGLISH
from services.contracts.monitor_records import CoilResult
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.e2e.browser import (
    NARROW,
    PAGES,
    WIDE,
    find_browser,
    running_browser,
    running_dashboard,
    save_all_pages,
    settle,
)
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fakes.plant import ODD_CAMERA, SCRIPT, LivePlant, PlantInDatabase, SeenFrame, drawn_jpeg

DELIVERING = ["cam-1", "cam-2", "cam-4", ODD_CAMERA]
# Streamlit's client asks for these two below a page's own path first, and then at the root.
PROBED = re.compile(
    r"/(account|cameras|review|model|correlation|machine|coil_map|pipeline_health|maintenance|maintenance_report)/_stcore/(health|host-config)$"
)
# A plant's network may have no way out: nothing is fetched from elsewhere.
OUR_OWN = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|blob:|about:)")
PATIENCE_MS = 40_000


@pytest.fixture(scope="module")
def database() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="millsight-test-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="module")
def plant(database: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> PlantInDatabase:
    """Four cameras in the line file and one outside; cam-3 fell silent two minutes ago."""
    prepared = PlantInDatabase(database.admin_url)
    prepared.prepare_roles()
    prepared.migrate()
    prepared.apply_line(tmp_path_factory.mktemp("line"))
    prepared.register_model()
    now = datetime.now(UTC)
    frames = []
    for second in range(120, 360):
        at = now - timedelta(seconds=second)
        frames += [SeenFrame(camera, at) for camera in [*DELIVERING, "cam-3"]]
        if second % 10 == 0:
            image = drawn_jpeg("oil_spot", second)
            frames.append(SeenFrame("cam-2", at, "oil_spot", 0.8, image=image, coil_id=SCRIPT))
    prepared.see(frames)
    prepared.refuse("cam-2", "truncated_image", f"the JPEG ends early {SCRIPT}", now - timedelta(minutes=2))
    prepared.judge(
        [
            CoilResult(
                a_coil(number, coil_id=f"C-{number}", ended_at=now - timedelta(minutes=6 - number)),
                (a_defect(number, 1000.0 * number + 250),),
                [a_flag(advice=f"Change the roll. {SCRIPT}")] if number == 5 else [],
            )
            for number in range(1, 6)
        ]
    )
    prepared.report_status("cam-4", now, dropped_total=17, spooled_frames=3, spool_bytes=99_000)
    return prepared


@pytest.fixture(scope="module")
def address(plant: PlantInDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboard")
    url_file = folder / "url"
    url_file.write_text(plant.dashboard_url, encoding="utf-8")
    with running_dashboard(url_file, folder / "dashboard.log") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium in PATH: CI must install one")
        pytest.skip("no Chromium in PATH")
    with running_browser(executable) as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test afterwards when anything went wrong in the browser."""
    context = browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]}, timezone_id="Europe/Berlin")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
    opened.on("response", lambda r: wrong.append(r.url) if r.status >= 400 and not PROBED.search(r.url) else None)
    opened.on("request", lambda request: None if OUR_OWN.match(request.url) else wrong.append(request.url))
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "404" not in m.text else None)
    yield opened
    assert opened.locator("[data-testid=stException]").count() == 0
    context.close()
    assert wrong == []


def metric(page: Page, label: str) -> str:
    found = page.locator("[data-testid=stMetric]").filter(has_text=label).locator("[data-testid=stMetricValue]")
    return found.first.inner_text().strip()


def visit(page: Page, address: str, name: str, query: str = "") -> None:
    page.goto(address + PAGES[name] + query)
    settle(page)


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
