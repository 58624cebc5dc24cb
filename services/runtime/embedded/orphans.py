"""The supervisor's side of the guard: tells it which process groups are ours."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.runtime.embedded.proc import start_ticks

_GUARD: Final = Path(__file__).with_name("guard.py")
GRACE_S: Final = 6.0
"""Seconds that orphans have to end by themselves before the guard kills them."""


class Guard:
    """A small process that outlives the supervisor, only to end what the supervisor leaves behind."""

    def __init__(self, lock_descriptor: int) -> None:
        """Start the guard; it keeps the stack's lock until it ends."""
        self._lock_descriptor = lock_descriptor
        self._groups: set[int] = set()
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), str(GRACE_S)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            pass_fds=[self._lock_descriptor],
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    def watch(self, group: int) -> None:
        """Name a process group that must not outlive the supervisor."""
        self._groups.add(group)
        self._tell(f"add {group}")

    def forget(self, group: int) -> None:
        """Say that a process group has ended."""
        self._groups.discard(group)
        self._tell(f"remove {group}")

    def revive(self) -> bool:
        """Start the guard anew when it was killed; returns whether it had to be."""
        if self._process.poll() is None:
            return False
        self._process = self._start()
        for group in self._groups:
            self._tell(f"add {group}")
        return True

    def close(self) -> None:
        """End the guard: all groups have ended."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait(2 * GRACE_S + 1)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - opened above as a pipe
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self.revive()


def kill_leftovers(groups: dict[int, int]) -> list[int]:
    """Kill process groups of a supervisor whose guard was killed too; returns those that still lived.

    Args:
        groups: Leader's process id to its start in clock ticks, which tells it from a later namesake.
    """
    found = [pid for pid, ticks in groups.items() if start_ticks(pid) == ticks]
    for pid in found:
        try:
            os.killpg(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return found
