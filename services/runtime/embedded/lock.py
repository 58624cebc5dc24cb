"""One stack on a directory: a lock that lives as long as its supervisor or the guard that cleans up after it."""

import fcntl
import os
import time
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.runtime.deadline import Deadline
from services.runtime.embedded.home import Home

_POLL_S = 0.1


class StackLock:
    """An exclusive lock on the stack's directory."""

    def __init__(self, descriptor: int) -> None:
        """Use `take` instead."""
        self._descriptor = descriptor

    @classmethod
    def take(cls, home: Home, wait: Deadline) -> "StackLock":
        """Take the lock; waits while the guard of a killed supervisor still cleans up.

        Raises:
            ConfigurationError: Another stack runs on this directory.
        """
        home.create()
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        while not _try_lock(descriptor):
            if wait.expired:
                os.close(descriptor)
                raise ConfigurationError(
                    f"a stack already runs on {home.path}: see 'millsight status', stop it with 'millsight down', "
                    "or set MILLSIGHT_HOME to another directory"
                )
            time.sleep(_POLL_S)
        return cls(descriptor)

    @property
    def descriptor(self) -> int:
        """File descriptor that holds the lock; the guard inherits it."""
        return self._descriptor

    def release(self) -> None:
        """Let go; the lock itself stays as long as a guard has inherited it."""
        os.close(self._descriptor)


def is_locked(lock_file: Path) -> bool:
    """Whether a supervisor or its guard lives."""
    try:
        descriptor = os.open(lock_file, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
