"""The door of the process monitor: `python -m services.process_monitor`, configured by `MONITOR_*` variables."""

import sys

from services.contracts.errors import ConfigurationError
from services.process_monitor.settings import MonitorSettings
from services.process_monitor.wiring import run
from services.runtime.logs import configure_logging
from services.runtime.settings import load_settings


def main() -> int:
    """Run the room; return the exit code."""
    configure_logging("process_monitor")
    try:
        run(load_settings(MonitorSettings))
    except ConfigurationError as error:
        sys.stderr.write(f"millsight process monitor: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
