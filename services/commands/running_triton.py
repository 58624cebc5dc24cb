"""Where the Triton of the local stack listens."""

from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.home import Home
from services.runtime.embedded.options import StackSettings
from services.runtime.embedded.state import read_state
from services.runtime.settings import load_settings

_PROJECT = Path(__file__).resolve().parents[2]


def address_of_running_stack() -> str | None:
    """Return host:port of the running stack's Triton, None when no stack runs."""
    settings = load_settings(StackSettings)
    home = Home((settings.millsight_home or _PROJECT / ".millsight").absolute())
    state = read_state(home)
    return None if state is None else state.get("triton", {}).get("grpc_url") or None


def url_of_running_stack() -> str:
    """Return host:port of the running stack's Triton.

    Raises:
        ConfigurationError: No stack runs.
    """
    url = address_of_running_stack()
    if url is None:
        raise ConfigurationError("No Triton is running here: start it with 'millsight up' or give --triton-url.")
    return url
