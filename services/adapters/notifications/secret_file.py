"""Secrets and certificates of receivers, read from files each time they are used, so that they can be renewed."""

import ssl
from pathlib import Path

from services.contracts.errors import ConfigurationError


def read_secret(receiver: str, file: Path) -> str:
    """Return what the file holds, without line end.

    Raises:
        ConfigurationError: It cannot be read, is empty or holds more than one line.
    """
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"receiver {receiver!r}: the file {file} cannot be read: {error.strerror}"
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"receiver {receiver!r}: the file {file} is not UTF-8 text") from None
    if not secret or not secret.isprintable():
        raise ConfigurationError(f"receiver {receiver!r}: the file {file} must hold one line")
    return secret


def tls_context(receiver: str, ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, against `ca_file` or the system's authorities.

    Raises:
        ConfigurationError: The file cannot be read or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError as error:
        raise ConfigurationError(f"receiver {receiver!r}: ca_file {ca_file} holds no certificate") from error
    except OSError as error:
        raise ConfigurationError(
            f"receiver {receiver!r}: ca_file {ca_file} cannot be read: {error.strerror}"
        ) from error
