"""The door of the simulator: settings from the environment, one run, an export."""

import logging
import sys

from services.contracts.errors import MillsightError
from services.runtime.logs import configure_logging
from services.runtime.settings import load_settings
from services.simulator.app import SimulationRequest, simulate
from services.simulator.settings import SimulatorSettings

_log = logging.getLogger("services.simulator")


def main() -> int:
    """Simulate once; return the exit code."""
    configure_logging("simulator")
    try:
        settings = load_settings(SimulatorSettings)
        output = settings.output
        summary = simulate(
            SimulationRequest(
                settings.run.scenario_file,
                settings.run.seed,
                output.export_file,
                output.line_file,
                output.truth_file,
            )
        )
    except MillsightError as error:
        _log.error("%s", error)
        return 2
    _log.info("%d rows of %d coils are in %s", summary.rows, summary.coils, output.export_file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
