"""Settings of the process monitor: `MONITOR_<GROUP>__<NAME>` variables."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import HealthSettings, LineSettings, PostgresSettings, SettingsGroup


class ReadingSettings(SettingsGroup):
    """How inspections are read."""

    poll_s: float = Field(
        default=1.0, gt=0, le=60, description="Pause before the next look when there was nothing new"
    )
    page_rows: int = Field(
        default=20_000, ge=100, le=200_000, description="Inspections read at once; more take more memory"
    )
    idle_close_s: float = Field(
        default=120.0,
        ge=5,
        le=86400,
        description="When nothing came for this long, coils that still pass the cameras count as complete",
    )


class MaterialSettings(SettingsGroup):
    """Where material packs lie."""

    dir: Path | None = Field(default=None, description="Directory of material packs instead of Millsight's own")


class AlertSettings(SettingsGroup):
    """Who is told."""

    file: Path | None = Field(
        default=None, description="File that lists receivers, see docs/alerts.md; without it nobody is told"
    )


class MonitorSettings(BaseSettings):
    """Everything the process monitor can be told."""

    model_config = SettingsConfigDict(env_prefix="MONITOR_", env_nested_delimiter="__", frozen=True)

    postgres: PostgresSettings
    line: LineSettings = LineSettings()
    reading: ReadingSettings = ReadingSettings()
    materials: MaterialSettings = MaterialSettings()
    alerts: AlertSettings = AlertSettings()
    health: HealthSettings = HealthSettings()
