"""What all servers of the stack have in common: prepare, run, ask whether ready, stop."""

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from services.contracts.errors import TransientError
from services.runtime.deadline import Deadline
from services.runtime.embedded.processes import ManagedProcess, ProcessSpec, describe_exit

_POLL_S: Final = 0.05
_LOG_TAIL_LINES: Final = 5


class EmbeddedServer(ABC):
    """A server that this process owns; usable alone, as in tests, or under the supervisor."""

    name: str
    ready_word: str = "running"
    start_timeout_s: float = 60.0
    """Longest time from the start of the process until it is ready."""
    silence_limit_s: float | None = 60.0
    """Longest time that a server which was ready may be unwell before it is started anew; None: for ever."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._process: ManagedProcess | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make what the server needs on disk; does nothing when it is there.

        Raises:
            ConfigurationError: Something the user can repair is missing.
        """

    @abstractmethod
    def spec(self) -> ProcessSpec:
        """Return how to run the server."""

    @abstractmethod
    def problem(self) -> str | None:
        """Ask the server whether it is ready to serve; return None, or what is wrong in words."""

    def alarm(self) -> str | None:
        """Ask what counts towards `silence_limit_s`; a server that is only waiting for another is not to blame."""
        return self.problem()

    def irreparable(self) -> str | None:
        """Tell what can only be cured by a restart, at once; None when nothing is known."""
        return None

    @property
    def address(self) -> str:
        """Where the server answers, for people; empty when it does not."""
        return ""

    @property
    def external(self) -> bool:
        """Whether the server is the user's own, not a child of this process."""
        return False

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Prepare, start and wait until ready.

        Raises:
            ConfigurationError: The server cannot be prepared.
            TransientError: The server ended, or was not ready in `start_timeout_s`; its last log lines are told.
        """
        self.prepare()
        self.launch()
        deadline = Deadline.after(self.start_timeout_s)
        while self._start_problem(deadline) is not None:
            time.sleep(_POLL_S)

    def _start_problem(self, deadline: Deadline) -> str | None:
        code, problem = self.exit_code, self.problem()
        if code is None and not deadline.expired:
            return problem
        if problem is not None or code is not None:
            how = problem if code is None else describe_exit(code)
            self.kill()
            raise TransientError(f"{self.name} did not start: {how}; last words:\n{self.last_words()}")
        return None

    def launch(self) -> None:
        """Start the process and return at once; `prepare` must have been called."""
        self._process = ManagedProcess.start(self.spec())

    @property
    def exit_code(self) -> int | None:
        """How the process ended, negative for a signal; None while it runs or when none was started."""
        return None if self._process is None else self._process.poll()

    def last_words(self) -> str:
        """Return the end of the server's log."""
        return last_lines(self.spec().log_file)

    def ask_to_stop(self) -> None:
        """Ask for an orderly end and return at once."""
        if self._process is not None:
            self._process.ask_to_stop()

    def stop(self) -> None:
        """End the server in an orderly way, within its grace period; does nothing when it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End the server and all its children with SIGKILL, as a fault would."""
        if self._process is not None:
            self._process.kill()
            self._process = None


def last_lines(file: Path, count: int = _LOG_TAIL_LINES) -> str:
    """Return the last lines of a log, or that there are none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 32768))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        lines = []
    return "\n".join(lines[-count:]) or "it said nothing"
