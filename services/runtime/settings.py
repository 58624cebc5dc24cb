"""Typed configuration shared by rooms: nested groups, unknown keys refused, secrets only through files."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsError

from services.contracts.errors import ConfigurationError

SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class SettingsGroup(BaseModel):
    """A named group of settings: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(SettingsGroup):
    """How to reach the broker."""

    bootstrap_servers: str = Field(description="host:port,... of the brokers")
    schema_registry_url: str | None = Field(default=None, description="Confluent wire format when set")
    config_file: Path | None = Field(
        default=None,
        description="File of librdkafka properties (security.protocol=..., sasl...), for secured clusters",
    )


class PostgresSettings(SettingsGroup):
    """How to reach the database; the URL holds a password, so it may stand in a file of mode 0600."""

    url: SecretStr | None = Field(default=None, description="libpq URL")
    url_file: Path | None = Field(default=None, description="File that holds the libpq URL")
    connect_timeout_s: int = Field(default=5, ge=1, le=60)
    statement_timeout_s: float = Field(default=10.0, gt=0, le=300)

    @model_validator(mode="after")
    def _one_source(self) -> "PostgresSettings":
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give either url or url_file, not both and not neither")
        return self

    def read_url(self) -> str:
        """Return the libpq URL.

        Raises:
            ConfigurationError: The file cannot be read or is empty.
        """
        if self.url is not None:
            return self.url.get_secret_value()
        assert self.url_file is not None  # noqa: S101 - the validator above guarantees it
        try:
            text = self.url_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(
                f"the database URL file {self.url_file} cannot be read: {error.strerror}"
            ) from error
        if not text:
            raise ConfigurationError(f"the database URL file {self.url_file} is empty: put a libpq URL into it")
        return text


class TritonSettings(SettingsGroup):
    """How to reach the inference server."""

    url: str = Field(description="host:port of the gRPC endpoint")
    inference_timeout_s: float = Field(default=10.0, gt=0, le=300)


class LineSettings(SettingsGroup):
    """Where the line is described."""

    file: Path = Field(default=Path("line.yaml"), description="The line file")


class HealthSettings(SettingsGroup):
    """Where the room answers health and metrics requests; 0 picks a free port."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)


def _refuse_unknown_groups(settings_class: type[BaseSettings], prefix: str) -> None:
    """Refuse `ROOM_KAFKAA__X`: pydantic would not notice that no group has this name."""
    for variable in os.environ:
        group, delimiter, _ = variable.upper().removeprefix(prefix).partition("__")
        if prefix and variable.upper().startswith(prefix) and delimiter:
            known = [name.upper() for name in settings_class.model_fields]
            if group not in known:
                raise ConfigurationError(
                    f"setting {variable}: there is no group {group}; the groups are {', '.join(known)}"
                )


def load_settings(settings_class: type[SettingsT]) -> SettingsT:
    """Read a room's settings from its environment.

    Raises:
        ConfigurationError: A value is missing, unknown, out of bounds or no JSON; the sentence names the variable.
    """
    prefix = str(settings_class.model_config.get("env_prefix", ""))
    _refuse_unknown_groups(settings_class, prefix)
    try:
        return settings_class()
    except SettingsError as error:
        raise ConfigurationError(f"settings {prefix}*: {error}; lists and mappings are written as JSON") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = prefix + "__".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"setting {name}: {first['msg']}") from None
