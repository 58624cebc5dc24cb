"""Settings of the dashboard: where the database is, and how often a page looks at it."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import PostgresSettings, SettingsGroup


class LiveSettings(SettingsGroup):
    """How live pages behave."""

    refresh_s: float = Field(default=3.0, ge=1, le=300, description="Seconds between two looks of an open page")
    silent_after_s: float = Field(
        default=10.0, ge=1, le=3600, description="Shortest silence that is called silence"
    )


class PoolSettings(SettingsGroup):
    """How many connections all open pages share, and how long a page waits for one."""

    size: int = Field(default=4, ge=1, le=20)
    wait_s: float = Field(default=5.0, gt=0, le=60)


class LineSettings(SettingsGroup):
    """What pages tell people about the line."""

    bootstrap_servers: str | None = Field(
        default=None, description="Kafka as cameras reach it, shown when one is plugged in"
    )


class AccessSettings(SettingsGroup):
    """Who may log in, and how what they do reaches the database."""

    users_file: Path | None = Field(default=None, description="Local user file; see `millsight user add`")
    oidc_role_claim: str | None = Field(
        default=None, description="Claim of the identity provider that names viewer, operator or engineer"
    )
    planner_url_file: Path | None = Field(default=None, description="File with the URL of role millsight_planner")


class DashboardSettings(BaseSettings):
    """Everything the dashboard reads from its environment (`DASHBOARD_POSTGRES__URL_FILE` and so on)."""

    model_config = SettingsConfigDict(env_prefix="DASHBOARD_", env_nested_delimiter="__", frozen=True)

    postgres: PostgresSettings
    live: LiveSettings = LiveSettings()
    pool: PoolSettings = PoolSettings()
    line: LineSettings = LineSettings()
    access: AccessSettings = AccessSettings()
