"""Fill a database and measure the dashboard on it; measure the speed of model versions.

python -m tests.measure HOME fill --rows 10000000
python -m tests.measure HOME queries --repeats 40
python -m tests.measure HOME pages --repeats 5
python -m tests.measure HOME browsers --seconds 60
python -m tests.measure HOME memory --minutes 60
python -m tests.measure HOME model-speed model_repository/surface_defects/4

HOME is a directory for the database server; it needs about 8 GB for ten million rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from playwright.sync_api import Browser

from dashboard.settings import LiveSettings
from services.adapters.postgres import roles
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.e2e.browser import find_browser, running_browser, running_dashboard
from tests.fakes.plant import PlantInDatabase
from tests.measure import browsers, fill, queries

app = typer.Typer(help="Measure the dashboard on a large database.", no_args_is_help=True)
HOME = Path()
_DASHBOARD_NICENESS = 10  # as the stack starts it
_BROWSER_NICENESS = 19
_AS_SHIPPED = {"DASHBOARD_LIVE__REFRESH_S": str(LiveSettings().refresh_s)}


@app.callback()
def choose_home(home: Annotated[Path, typer.Argument(help="Directory of the database server.")]) -> None:
    """Remember where the server is."""
    global HOME  # noqa: PLW0603 - typer's way to pass a common argument
    HOME = home.absolute()
    HOME.mkdir(parents=True, exist_ok=True)
    HOME.chmod(0o755)


@contextmanager
def _plant() -> Iterator[PlantInDatabase]:
    server = EmbeddedPostgres(HOME, free_port())
    server.start()
    try:
        plant = PlantInDatabase(server.admin_url)
        plant.prepare_roles()
        yield plant
    finally:
        server.stop()


def _elsewhere(executable: str, niceness: int) -> str:
    """Write a script that starts the browser with what the line leaves, as if it ran on another machine.

    A browser of root's would take a higher priority by itself; without the capability it cannot.
    """
    without = "setpriv --bounding-set -sys_nice --inh-caps -sys_nice"
    script = HOME / "browser.sh"
    script.write_text(f'#!/bin/sh\nexec {without} nice -n {niceness} {executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return str(script)


@contextmanager
def _dashboard(niceness: int = 0) -> Iterator[tuple[PlantInDatabase, Browser, str]]:
    executable = find_browser()
    if executable is None:
        raise SystemExit("no Chromium found: install the package chromium")
    with _plant() as plant:
        fill.note_cameras_now(plant)
        url_file = HOME / "dashboard.url"
        url_file.write_text(plant.dashboard_url, encoding="utf-8")
        with (
            running_dashboard(url_file, HOME / "dashboard.log", _AS_SHIPPED, _DASHBOARD_NICENESS) as address,
            running_browser(executable if niceness == 0 else _elsewhere(executable, niceness)) as browser,
        ):
            yield plant, browser, address


@app.command(name="fill")
def fill_database(rows: int = 10_000_000) -> None:
    """Migrate and fill the database."""
    with _plant() as plant:
        plant.migrate()
        plant.apply_line(HOME)
        plant.register_model()
        fill.fill(plant, rows, typer.echo)


@app.command(name="queries")
def measure_queries(repeats: int = 40) -> None:
    """Time every query of every page."""
    with _plant() as plant:
        fill.note_cameras_now(plant)
        typer.echo("\n".join(queries.measure_queries(plant.dashboard_url, repeats)))


@app.command()
def pages(repeats: int = 5) -> None:
    """Time every page's first content in a browser."""
    with _dashboard() as (_, browser, address):
        typer.echo("\n".join(browsers.first_content(browser, address, repeats)))


@app.command(name="browsers")
def beside_the_line(seconds: float = 60.0) -> None:
    """Time the storing of frames without and with ten open browsers, which get what the line leaves."""
    with _dashboard(_BROWSER_NICENESS) as (plant, browser, address):
        url = plant.url_of(roles.CLASSIFIER)
        typer.echo("\n".join(browsers.beside_the_line(browser, address, url, seconds)))


@app.command()
def memory(minutes: int = 60) -> None:
    """Say the dashboard's memory every minute while five browsers look at live pages and frames are stored."""
    with _dashboard(_BROWSER_NICENESS) as (plant, browser, address):
        browsers.memory_over(browser, address, plant.url_of(roles.CLASSIFIER), minutes, typer.echo)


@app.command()
def model_speed(versions: list[Path], rounds: int = 7, seconds: float = 6.0) -> None:
    """Time model versions beside a plain INT8 ResNet50, in this process."""
    from tests.measure import model_speed as speed

    typer.echo("\n".join(speed.model_speed(versions, rounds, seconds)))


if __name__ == "__main__":
    app()
