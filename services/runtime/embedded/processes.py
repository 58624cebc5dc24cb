"""Child processes of the stack: started through the launcher in a group of their own, stopped within a bound."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from typing_extensions import override

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_POLL_S: Final = 0.02
_KILL_WAIT_S: Final = 5.0

KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")


def base_environment() -> dict[str, str]:
    """Return the part of this process's environment that children may see: no secrets, no stray settings."""
    inherited = os.environ  # noqa: TID251 - not configuration: what a child needs to find its programs
    return {name: inherited[name] for name in KEPT_VARIABLES if name in inherited}


@dataclass(frozen=True, slots=True)
class Identity:
    """The Unix user that a child becomes, or only seems to be inside a user namespace of its own."""

    uid: int
    gid: int
    namespace: bool = False

    @override
    def __str__(self) -> str:
        """Return the launcher's notation."""
        return f"{'namespace:' if self.namespace else ''}{self.uid}:{self.gid}"


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """How to run one program.

    Attributes:
        argv: The program's absolute path and its arguments; never a secret among them.
        log_file: Takes standard output and error, appended.
        environment: Added to `base_environment()`.
        stop_signal: Asks for an orderly end; also sent by the kernel when the supervisor dies.
        stop_grace_s: Seconds given to that end before SIGKILL.
        niceness: From 0 to 19: how far the program gives way to others when processors are short.
    """

    argv: tuple[str, ...]
    log_file: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 10.0
    identity: Identity | None = None
    niceness: int = 0


def launched(
    argv: Sequence[str],
    identity: Identity | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    niceness: int = 0,
) -> list[str]:
    """Return the command that runs a program through the launcher, bound to the life of this process."""
    told = (os.getpid(), int(death_signal), niceness, identity or "-")
    return [sys.executable, "-I", "-S", str(_LAUNCHER), *map(str, told), *argv]


class ManagedProcess:
    """One running child, the leader of its own process group."""

    def __init__(self, process: "subprocess.Popen[bytes]", spec: ProcessSpec) -> None:
        """Use `start` instead."""
        self._process = process
        self._spec = spec

    @classmethod
    def start(cls, spec: ProcessSpec) -> "ManagedProcess":
        """Start the program; its life is bound to the thread that calls this, which should be the main thread.

        Raises:
            OSError: The log file cannot be opened or the program cannot be started.
        """
        spec.log_file.parent.mkdir(parents=True, exist_ok=True)
        command = launched(spec.argv, spec.identity, spec.stop_signal, spec.niceness)
        with spec.log_file.open("ab") as log:
            return cls(_popen(command, spec, log), spec)

    @property
    def pid(self) -> int:
        """Process id, also the id of its process group."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal to the leader of the group."""
        if self.poll() is None:
            self._process.send_signal(self._spec.stop_signal)

    def kill(self) -> None:
        """Kill the whole group and reap the leader."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(_KILL_WAIT_S)

    def stop(self) -> None:
        """End in an orderly way, within the grace period of the specification."""
        self.ask_to_stop()
        wait_until = time.monotonic() + self._spec.stop_grace_s
        while self.poll() is None and time.monotonic() < wait_until:
            time.sleep(_POLL_S)
        self.kill()


def _popen(argv: list[str], spec: ProcessSpec, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=spec.cwd,
        env=base_environment() | dict(spec.environment),
        start_new_session=True,
    )


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
