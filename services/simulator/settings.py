"""The simulator's settings: environment variables `SIMULATOR_<GROUP>__<NAME>`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import SettingsGroup


class RunSettings(SettingsGroup):
    """What to simulate."""

    scenario_file: Path = Field(description="A scenario, see docs/simulator.md")
    seed: int = Field(default=1, ge=0, description="The same seed gives the same files")


class OutputSettings(SettingsGroup):
    """Where to write it."""

    export_file: Path = Field(description="Rows as .csv, .csv.gz or .parquet")
    line_file: Path | None = Field(default=None, description="Line file that fits the rows")
    truth_file: Path | None = Field(default=None, description="Faults and the origin of every defect, as JSON")


class SimulatorSettings(BaseSettings):
    """All settings of the simulator."""

    model_config = SettingsConfigDict(env_prefix="SIMULATOR_", env_nested_delimiter="__", frozen=True)

    run: RunSettings
    output: OutputSettings
