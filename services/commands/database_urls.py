"""Which database a command asks: the one that was named, else that of the line which runs here."""

from pathlib import Path
from typing import Annotated, Final

import typer

UrlFile = Annotated[
    Path | None, typer.Option(help="File with the role's libpq URL; left out: that of `millsight up` here")
]
REPORTS: Final = "millsight_reports"
PLANNER: Final = "millsight_planner"
_PROJECT: Final = Path(__file__).resolve().parents[2]


def url_of(url_file: Path | None, role: str) -> str:
    """Return the URL in the file, else the running stack's for a role.

    Raises:
        ConfigurationError: The file cannot be read, or nothing runs here.
    """
    from services.runtime.settings import PostgresSettings

    return PostgresSettings(url_file=url_file or _file_of_running_stack(role)).read_url()


def _file_of_running_stack(role: str) -> Path:
    from services.contracts.errors import ConfigurationError
    from services.runtime.embedded.home import Home
    from services.runtime.embedded.options import StackSettings
    from services.runtime.embedded.state import read_state
    from services.runtime.settings import load_settings

    settings = load_settings(StackSettings)
    home = Home((settings.millsight_home or _PROJECT / ".millsight").absolute())
    state = read_state(home)
    reports = None if state is None else (state.get("postgres") or {}).get("reports_url_file")
    if not reports:
        raise ConfigurationError("no Millsight runs here: start it with `millsight up`, or give --url-file")
    return Path(str(reports)).with_name(f"{role}.url")
