"""Passwords and URLs of the roles, one file each of mode 0600 in a directory of mode 0700."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.home import write_atomically


def password_of(directory: Path, role: str) -> str:
    """Return the password in `<directory>/<role>.password`; a random one is made and kept when there is none.

    Raises:
        ConfigurationError: The directory or the file cannot be read or written, or the file is empty.
    """
    file = directory / f"{role}.password"
    with _explained(file):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            write_atomically(file, secrets.token_urlsafe(24) + "\n")
        password = file.read_text(encoding="utf-8").strip()
    if not password:
        raise ConfigurationError(f"the password file {file} is empty: delete it, and a password will be made")
    return password


def write_url(directory: Path, role: str, url: str) -> None:
    """Keep a role's URL in `<directory>/<role>.url`.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    file = directory / f"{role}.url"
    with _explained(file):
        write_atomically(file, url + "\n")


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"the secret file {file} cannot be kept: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the secret file {file} is not UTF-8 text") from error
