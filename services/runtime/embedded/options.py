"""What the user wants of the stack: command-line options, and servers of their own."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to run.

    Attributes:
        project: Root of the checkout: dashboard, model repository and line file lie here.
        line_file: Describes the line.
        workers: Number of classifier processes.
        frames: Directory of real images for the demo cameras; None plays rendered strip.
        demo: Whether demo cameras run at all.
        cameras: Ids of the demo cameras; empty runs all that the line file names.
        dashboard: Whether the dashboard runs.
    """

    project: Path
    line_file: Path
    workers: int = 1
    frames: Path | None = None
    demo: bool = True
    cameras: tuple[str, ...] = ()
    dashboard: bool = True


class StackSettings(BaseSettings):
    """Environment of the stack: each of the first three replaces a part with a server of the user's own."""

    model_config = SettingsConfigDict(frozen=True)

    kafka_bootstrap_servers: str | None = Field(default=None, description="host:port,... of an external Kafka")
    kafka_config_file: Path | None = Field(default=None, description="librdkafka properties of a secured cluster")
    database_url: SecretStr | None = Field(default=None, description="libpq URL of a role that may create roles")
    triton_grpc_url: str | None = Field(default=None, description="host:port of an external Triton")
    millsight_model_repository: Path | None = Field(default=None, description="Instead of model_repository/")
    millsight_alerts_file: Path | None = Field(default=None, description="File that lists who is told of flags")
    millsight_home: Path | None = Field(default=None, description="The stack's directory instead of .millsight")
    camera_source__faults: str | None = Field(default=None, description="For the demo cameras, as they read it")
    camera_source__dirty: str | None = Field(default=None, description="For the demo cameras, as they read it")
    camera_source__coil_length_m: str | None = Field(default=None, description="For the demo cameras")

    @property
    def demo_script(self) -> dict[str, str]:
        """What the user scripted for the simulated line, as environment of the camera room."""
        given = {
            "CAMERA_SOURCE__FAULTS": self.camera_source__faults,
            "CAMERA_SOURCE__DIRTY": self.camera_source__dirty,
            "CAMERA_SOURCE__COIL_LENGTH_M": self.camera_source__coil_length_m,
        }
        return {name: value for name, value in given.items() if value is not None}


def parse_addresses(setting: str, value: str) -> list[tuple[str, int]]:
    """Return host and port of each address in `host:port,host:port`.

    Raises:
        ConfigurationError: An address is not of that form; the sentence names the setting.
    """
    addresses = []
    for part in value.split(","):
        split = urlsplit(f"//{part.strip()}")
        try:
            port = split.port
        except ValueError:
            port = None
        if not split.hostname or port is None:
            raise ConfigurationError(f"{setting}: {part.strip()!r} is not host:port")
        addresses.append((split.hostname, port))
    return addresses


def database_address(url: str) -> tuple[str, int]:
    """Return host and port of a libpq URL, without showing the URL in any error.

    Raises:
        ConfigurationError: It is not a URL with a host.
    """
    try:
        split = urlsplit(url)
        host, port = split.hostname, split.port or 5432
    except ValueError:
        host, port = None, 0
    if not host or not url.startswith(("postgresql://", "postgres://")):
        raise ConfigurationError("DATABASE_URL is not of the form postgresql://user:password@host:port/database")
    return host, port
