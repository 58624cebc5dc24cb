"""The use case: run a scenario once, and write the export, the line file and the truth."""

from dataclasses import dataclass
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.contracts.inspection_columns import is_csv
from services.contracts.inspection_file import write_inspections
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.world import SimulatedLine
from services.simulator.line_yaml import line_yaml
from services.simulator.scenario_file import read_scenario
from services.simulator.truth_file import truth_json


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """What to simulate and where to; files that are None are not written.

    Attributes:
        scenario_file: The scenario.
        seed: Not negative; equal seeds give equal files.
        export_file: Rows as CSV, gzipped CSV or Parquet, by its name.
        line_file: A line file that fits the export.
        truth_file: What is really so, as JSON.
    """

    scenario_file: Path
    seed: int
    export_file: Path
    line_file: Path | None = None
    truth_file: Path | None = None


@dataclass(frozen=True, slots=True)
class SimulationSummary:
    """What was written."""

    coils: int
    rows: int
    rows_with_defect: int
    defects: int


def simulate(request: SimulationRequest) -> SimulationSummary:
    """Run a scenario and write its files.

    Raises:
        ConfigurationError: The scenario is not valid, or a file cannot be written; one sentence.
    """
    is_csv(request.export_file)
    scenario = read_scenario(request.scenario_file, request.seed)
    line = SimulatedLine(scenario, request.seed)
    result = simulate_coils(line, 0, scenario.strip.coils)
    write_inspections(request.export_file, result.table)
    if request.line_file is not None:
        about = f"The line of scenario {scenario.name}, as the simulator runs it."
        _write(request.line_file, line_yaml(scenario.line, about))
    if request.truth_file is not None:
        _write(request.truth_file, truth_json(line, result.births))
    return SimulationSummary(
        coils=scenario.strip.coils,
        rows=len(result.table),
        rows_with_defect=int((result.table.label >= 0).sum()),
        defects=len(result.births),
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
