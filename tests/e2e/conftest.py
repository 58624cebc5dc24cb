"""A database with a known scenario, a dashboard on it, and a browser; shared by all tests that look at pages."""

import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page

from services.adapters.postgres import roles
from services.contracts.image_path import salvaged_jpeg
from services.contracts.monitor_records import CoilResult
from services.contracts.user_file import Role, make_user, users_as_text
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.conftest import served_card
from tests.e2e.browser import WIDE, find_browser, running_browser, running_dashboard
from tests.fakes.coil_facts import a_coil, a_defect, a_flag
from tests.fakes.plant import DELIVERING, SCRIPT, PlantInDatabase, SeenFrame, drawn_jpeg

PEOPLE = {"Ada": Role.OPERATOR, "Eve": Role.ENGINEER}
PASSWORD = "a long password for tests"
# Streamlit's client asks for these two below a page's own path first, and then at the root.
PROBED = re.compile(
    r"/(account|cameras|review|model|correlation|machine|coil_map|pipeline_health|maintenance|maintenance_report)/_stcore/(health|host-config)$"
)
# A plant's network may have no way out: nothing is fetched from elsewhere.
OUR_OWN = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|blob:|about:)")


@pytest.fixture(scope="session")
def database() -> Iterator[EmbeddedPostgres]:
    with tempfile.TemporaryDirectory(prefix="millsight-test-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        server = EmbeddedPostgres(Path(home), free_port())
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def plant(database: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> PlantInDatabase:
    """Four cameras in the line file and one outside; cam-3 fell silent two minutes ago."""
    prepared = PlantInDatabase(database.admin_url)
    prepared.prepare_roles()
    prepared.migrate()
    prepared.apply_line(tmp_path_factory.mktemp("line"))
    prepared.register_model(served_card().read_text(encoding="utf-8"))
    now = datetime.now(UTC)
    frames = []
    for second in range(120, 360):
        at = now - timedelta(seconds=second)
        frames += [SeenFrame(camera, at) for camera in [*DELIVERING, "cam-3"]]
        if second % 10 == 0:
            image = drawn_jpeg("oil_spot", second)
            frames.append(SeenFrame("cam-2", at, "oil_spot", 0.8, image=image, coil_id=SCRIPT))
        if second % 60 == 0:
            frames.append(SeenFrame("cam-4", at, "crease", 0.41, image=drawn_jpeg("crease", second)))
    prepared.see(frames)
    cut = salvaged_jpeg(drawn_jpeg("crease", 7)[:9000])
    prepared.refuse("cam-2", "truncated_image", f"the JPEG ends early {SCRIPT}", now - timedelta(minutes=2), cut)
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


@pytest.fixture(scope="session")
def address(plant: PlantInDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("dashboard")
    url_file = folder / "url"
    url_file.write_text(plant.dashboard_url, encoding="utf-8")
    planner_file, users_file = folder / "planner.url", folder / "users.json"
    planner_file.write_text(plant.url_of(roles.PLANNER), encoding="utf-8")
    people = {name: make_user(name, role, PASSWORD) for name, role in PEOPLE.items()}
    users_file.write_text(users_as_text(people), encoding="utf-8")
    users_file.chmod(0o600)
    more = {
        "DASHBOARD_ACCESS__PLANNER_URL_FILE": str(planner_file),
        "DASHBOARD_ACCESS__USERS_FILE": str(users_file),
    }
    with running_dashboard(url_file, folder / "dashboard.log", more) as running:
        yield running


@pytest.fixture(scope="session")
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

    def dismiss(dialog: Dialog) -> None:
        wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    opened.on("dialog", dismiss)
    opened.on("response", lambda r: wrong.append(r.url) if r.status >= 400 and not PROBED.search(r.url) else None)
    opened.on("request", lambda request: None if OUR_OWN.match(request.url) else wrong.append(request.url))
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "404" not in m.text else None)
    yield opened
    assert opened.locator("[data-testid=stException]").count() == 0
    context.close()
    assert wrong == []
