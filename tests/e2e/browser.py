"""A dashboard of its own and a real browser to look at it; also run by hand to take screenshots of a running line.

python -m tests.e2e.browser http://127.0.0.1:8501 docs/images
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from services.runtime.embedded.ports import free_port

PROJECT_ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGES: Final = {
    "line": "/",
    "cameras": "/cameras",
    "pipeline-health": "/pipeline_health",
    "correlation": "/correlation",
    "machine": "/machine",
    "coil-map": "/coil_map",
    "review": "/review",
    "model": "/model",
    "maintenance": "/maintenance",
    "account": "/account",
    "maintenance-report": "/maintenance_report",
}
WIDE: Final = (1440, 900)
NARROW: Final = (800, 1100)

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_S: Final = 60.0


def find_browser() -> str | None:
    """Return the path of a Chromium on this machine."""
    return next((path for name in _BROWSERS if (path := shutil.which(name)) is not None), None)


@contextmanager
def running_browser(executable: str) -> Iterator[Browser]:
    """Run a headless Chromium; it looks at our own pages only, so it may run without its sandbox as root."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def running_dashboard(
    url_file: Path, log_file: Path, more: Mapping[str, str] | None = None, niceness: int = 0
) -> Iterator[str]:
    """Run the dashboard on a free port; yields its address."""
    port = free_port()
    command = [
        "nice",
        "-n",
        str(niceness),
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(PROJECT_ROOT / "dashboard" / "streamlit_app.py"),
    ]
    environment = os.environ | {
        "DASHBOARD_POSTGRES__URL_FILE": str(url_file),
        "DASHBOARD_LIVE__REFRESH_S": "1",
        "DASHBOARD_LIVE__SILENT_AFTER_S": "5",
        **(more or {}),
    }
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes]) -> None:
    wait_until = time.monotonic() + _START_S
    while time.monotonic() < wait_until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"the dashboard did not start (exit code {process.poll()})")


def settle(page: Page) -> None:
    """Wait until the page has drawn its first figures or a sentence."""
    page.wait_for_selector("[data-testid=stMetric], [data-testid=stAlert]", timeout=60_000)
    page.wait_for_selector("[data-testid=stStatusWidget]", state="hidden", timeout=60_000)
    page.wait_for_timeout(1500)


def metric(page: Page, label: str) -> str:
    found = page.locator("[data-testid=stMetric]").filter(has_text=label).locator("[data-testid=stMetricValue]")
    return found.first.inner_text().strip()


def visit(page: Page, address: str, name: str, query: str = "") -> None:
    page.goto(address + PAGES[name] + query)
    settle(page)


def save_whole_page(page: Page, file: Path) -> None:
    """Write a picture of the page from top to bottom."""
    size = page.viewport_size or {"width": WIDE[0], "height": WIDE[1]}
    height = int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], height)})
    page.wait_for_timeout(1500)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(file))
    page.set_viewport_size(size)


def save_all_pages(browser: Browser, address: str, directory: Path) -> None:
    """Write pictures of all pages, wide and narrow, light and dark."""
    for scheme, (width, height) in (("light", WIDE), ("dark", WIDE), ("light", NARROW)):
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]  # two of its literals
        for name, path in PAGES.items():
            page = context.new_page()
            page.goto(address + path)
            settle(page)
            save_whole_page(page, directory / f"{name}-{scheme}-{width}.png")
            page.close()
        context.close()


if __name__ == "__main__":
    executable = find_browser()
    if executable is None:
        raise SystemExit("no Chromium found: install the package chromium")
    with running_browser(executable) as chromium:
        save_all_pages(chromium, sys.argv[1], Path(sys.argv[2]))
