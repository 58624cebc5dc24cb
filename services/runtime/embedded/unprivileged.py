"""PostgreSQL refuses to run as root: finds the user it shall run as."""

import os
import pwd
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.processes import Identity, launched

_CANDIDATES: Final = ("postgres", "nobody")
_NAMESPACE_IDENTITY: Final = Identity(1000, 1000, namespace=True)
_TRY_TIMEOUT_S: Final = 10.0


def identity_for_server(must_read: Iterable[Path], data: Path) -> Identity | None:
    """Return the user that shall run a server which refuses root; None when this process is not root.

    An unprivileged user of the machine is taken when it can reach the files; else root runs the server in a user
    namespace, where it has no privilege and another number. An existing data directory decides by its owner.

    Raises:
        ConfigurationError: This process is root and neither way is open.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else None
    paths = [*must_read, data.parent]
    for user in _users():
        if owner in (None, user.uid) and all(_reachable(path, user.uid, user.gid) for path in paths):
            return user
    if owner in (None, 0) and _namespaces_work():
        return _NAMESPACE_IDENTITY
    raise ConfigurationError(
        f"PostgreSQL refuses to run as root, and the users {' and '.join(_CANDIDATES)} cannot reach "
        f"{data.parent}: run millsight as an ordinary user, or move the checkout to a directory that all users "
        "may enter (chmod a+x on its parents), or set DATABASE_URL to a server of your own"
    )


def _users() -> list[Identity]:
    found = []
    for name in _CANDIDATES:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        found.append(Identity(user.pw_uid, user.pw_gid))
    return found


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether a user may enter every directory on the way and read the path itself, going by the mode bits."""
    resolved = path.resolve()
    existing = next(parent for parent in (resolved, *resolved.parents) if parent.exists())
    return all(_may_enter(step, uid, gid) for step in (existing, *existing.parents))


def _may_enter(path: Path, uid: int, gid: int) -> bool:
    status = path.stat()
    shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
    needed = 0o5 if path.is_file() else 0o1
    return (status.st_mode >> shift) & needed == needed


def _namespaces_work() -> bool:
    command = launched(["/bin/true"], _NAMESPACE_IDENTITY)
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_TRY_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
