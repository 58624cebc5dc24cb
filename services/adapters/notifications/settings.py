"""Who is told: the receivers of `alerts.yaml`, checked before anything starts."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, field_validator, model_validator

from services.contracts.errors import ConfigurationError
from services.domain.alerts import AlertKind, ReceiverPolicy
from services.runtime.settings import SettingsGroup

_DAY_S: Final = 86400.0

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,253}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$")
]
Topic = Annotated[str, StringConstraints(pattern=r"^[^#+$\x00-\x1f\x7f][^#+\x00-\x1f\x7f]{0,200}$")]


class _Receiver(SettingsGroup):
    """What all receivers share; `timeout_s` bounds one message in all."""

    name: Name
    min_severity: int = Field(default=1, ge=1, le=4)
    kinds: tuple[AlertKind, ...] = ()
    cooldown_s: float = Field(default=1800.0, ge=0, le=_DAY_S)
    digest_every_s: float | None = Field(default=None, ge=60, le=_DAY_S)
    give_up_after_s: float = Field(default=7 * _DAY_S, ge=2 * _DAY_S, le=90 * _DAY_S)
    timeout_s: float = Field(default=15.0, ge=0.1, le=120)
    ca_file: Path | None = None
    secret_file: Path | None = None
    allow_plain: bool = False

    def policy(self) -> ReceiverPolicy:
        """Return what the receiver wants to hear, for the plan."""
        return ReceiverPolicy(
            name=self.name,
            kinds=frozenset(self.kinds),
            min_severity=self.min_severity,
            cooldown_s=self.cooldown_s,
            digest_every_s=self.digest_every_s,
            give_up_after_s=self.give_up_after_s,
        )


class WebhookReceiver(_Receiver):
    """An address that takes a POST; `secret_file` signs the body."""

    kind: Literal["webhook"]
    url: str | None = None
    url_file: Path | None = None

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.url_file is None):
            raise ValueError("give either url or url_file, not both and not neither")
        if self.url is not None:
            check_web_address(self.url, allow_plain=self.allow_plain)
        return self


class EmailReceiver(_Receiver):
    """A mailbox; the password of `username` stands in `secret_file`."""

    kind: Literal["email"]
    host: Host
    port: Port | None = None
    security: Literal["starttls", "tls", "plain"] = "starttls"
    username: str | None = None
    sender: Address
    to: tuple[Address, ...] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _safe_login(self) -> Self:
        _check_login(self.username, self.secret_file)
        if self.security == "plain" and not is_loopback(self.host):
            if self.username is not None:
                raise ValueError("a password does not travel unencrypted: use security starttls or tls")
            if not self.allow_plain:
                raise ValueError(
                    "security plain is for this machine only: use starttls or tls, or set allow_plain: true"
                )
        return self


class MqttReceiver(_Receiver):
    """A topic of an MQTT broker; the password of `username` stands in `secret_file`."""

    kind: Literal["mqtt"]
    host: Host
    port: Port | None = None
    tls: bool = True
    username: str | None = None
    topic: Topic = "millsight/alerts"

    @model_validator(mode="after")
    def _safe_login(self) -> Self:
        _check_login(self.username, self.secret_file)
        if not self.tls and not is_loopback(self.host) and not self.allow_plain:
            raise ValueError("tls: false is for this machine only: use tls, or set allow_plain: true")
        return self


Receiver = Annotated[WebhookReceiver | EmailReceiver | MqttReceiver, Field(discriminator="kind")]
_RECEIVER: Final[TypeAdapter[WebhookReceiver | EmailReceiver | MqttReceiver]] = TypeAdapter(Receiver)


class _AlertFile(SettingsGroup):
    receivers: tuple[dict[str, object], ...] = Field(min_length=1)

    @field_validator("receivers")
    @classmethod
    def _unique_names(cls, receivers: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        names = [str(receiver.get("name")) for receiver in receivers if "name" in receiver]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"receiver {name!r} is listed twice: names must differ")
        return receivers


def load_receivers(path: Path) -> tuple[WebhookReceiver | EmailReceiver | MqttReceiver, ...]:
    """Read an alert file; paths in it count from the folder it lies in.

    Raises:
        ConfigurationError: The file cannot be read, is no YAML, or breaks a rule; the sentence names receiver and
            field, and never repeats a value.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"alert file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"alert file {path} is not UTF-8 text") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" in line {mark.line + 1}"
        raise ConfigurationError(f"alert file {path} is not valid YAML{where}") from None
    if not isinstance(document, dict):
        raise ConfigurationError(f"alert file {path} must begin with receivers: and list at least one")
    try:
        listed = _AlertFile.model_validate(document).receivers
    except ValidationError as error:
        raise ConfigurationError(f"alert file {path}{_first(error)}") from None
    return tuple(_receiver(path, number, entry) for number, entry in enumerate(listed, 1))


def check_web_address(url: str, *, allow_plain: bool) -> None:
    """Refuse an address that a webhook cannot have.

    Raises:
        ValueError: It is not https (http on this machine, or anywhere with `allow_plain`), or holds a password.
    """
    if not re.fullmatch(r"[\x21-\x7e]{1,2000}", url):
        raise ValueError("the address holds blanks or characters outside ASCII")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address must begin with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the address holds a user or password: sign with secret_file, or use url_file")
    if parts.scheme == "http" and not is_loopback(parts.hostname) and not allow_plain:
        raise ValueError("http is for this machine only: use https, or set allow_plain: true")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_login(username: str | None, secret_file: Path | None) -> None:
    if (username is None) != (secret_file is None):
        raise ValueError("username and secret_file go together: give both or neither")


def _receiver(path: Path, number: int, entry: dict[str, object]) -> WebhookReceiver | EmailReceiver | MqttReceiver:
    name = entry.get("name")
    who = f"receiver {name!r}" if isinstance(name, str) else f"receiver number {number}"
    try:
        receiver = _RECEIVER.validate_python(entry)
    except ValidationError as error:
        raise ConfigurationError(f"alert file {path}, {who}{_first(error)}") from None
    files = {field: value for field, value in receiver if field.endswith("_file") and isinstance(value, Path)}
    return receiver.model_copy(update={field: path.parent / value for field, value in files.items()})


def _first(error: ValidationError) -> str:
    """Say which field the first mistake is in, and what it is, without the value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = [str(part) for part in first["loc"] if part not in {"webhook", "email", "mqtt"}]
    where = f", {'.'.join(place)}" if place else ""
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"
