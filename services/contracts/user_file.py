"""The local user file: who may log in to the dashboard of one machine, with which role; passwords as scrypt.

The file is JSON, mode 0600. Parameters of scrypt are kept with every entry, so that they can be raised later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError

_COST, _BLOCK, _PARALLEL = 2**15, 8, 1
_MEMORY_BYTES: Final = 128 * _COST * _BLOCK * 2
_KEY_BYTES: Final = 32
_LEAST_CHARACTERS: Final = 8
_MOST_CHARACTERS: Final = 200
_OTHERS: Final = 0o077


class Role(IntEnum):
    """What a person may do; each role may do what the lower ones may."""

    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3


@dataclass(frozen=True, slots=True)
class User:
    """One entry: role, and the salted hash of the password with the parameters it was made with."""

    name: str
    role: str
    salt: str
    key: str
    cost: int = _COST
    block: int = _BLOCK
    parallel: int = _PARALLEL


def role_named(text: str) -> Role:
    """Return a role by its name.

    Raises:
        ConfigurationError: There is no such role.
    """
    try:
        return Role[text.upper()]
    except KeyError:
        known = ", ".join(role.name.lower() for role in Role)
        raise ConfigurationError(f"There is no role {text!r}: use {known}.") from None


def make_user(name: str, role: Role, password: str) -> User:
    """Make an entry.

    Raises:
        ConfigurationError: The name or the password cannot be used.
    """
    if not name.strip() or not name.isprintable() or len(name) > _MOST_CHARACTERS:
        raise ConfigurationError(f"{name!r} cannot be a name: use up to {_MOST_CHARACTERS} printable characters.")
    if not _LEAST_CHARACTERS <= len(password) <= _MOST_CHARACTERS:
        raise ConfigurationError(f"A password has {_LEAST_CHARACTERS} to {_MOST_CHARACTERS} characters.")
    salt = secrets.token_bytes(16)
    return User(name, role.name.lower(), salt.hex(), _key(password, salt, _COST, _BLOCK, _PARALLEL).hex())


def _key(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY_BYTES, dklen=_KEY_BYTES
    )


def is_password_of(user: User | None, password: str) -> bool:
    """Tell whether a password is right; takes as long for a name that nobody has."""
    known = user or User("", "viewer", "00" * 16, "00" * _KEY_BYTES)
    key = _key(password[:_MOST_CHARACTERS], bytes.fromhex(known.salt), known.cost, known.block, known.parallel)
    return hmac.compare_digest(key, bytes.fromhex(known.key)) and user is not None


def read_users(file: Path) -> dict[str, User]:
    """Read the file; a file that is not there holds nobody.

    Raises:
        ConfigurationError: It cannot be read, others may read it, or it is no such file.
    """
    try:
        if file.stat().st_mode & _OTHERS:
            raise ConfigurationError(f"The user file {file} may be read by others: run 'chmod 600 {file}'.")
        entries = json.loads(file.read_text(encoding="utf-8"))["users"]
        users = {str(entry["name"]): User(**entry) for entry in entries}
        for user in users.values():
            role_named(user.role)
            bytes.fromhex(user.salt + user.key)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(f"The user file {file} cannot be read: {error}.") from error
    return users


def users_as_text(users: dict[str, User]) -> str:
    """Return the file's text, sorted by name."""
    entries = [asdict(users[name]) for name in sorted(users)]
    return json.dumps({"users": entries}, indent=1, ensure_ascii=False) + "\n"
