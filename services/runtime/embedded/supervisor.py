"""The one process that owns the stack: starts every part, keeps it up, and takes all of it down."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from services.contracts.errors import ConfigurationError
from services.runtime.deadline import Deadline
from services.runtime.embedded.home import Home
from services.runtime.embedded.job import Job
from services.runtime.embedded.lock import StackLock
from services.runtime.embedded.orphans import Guard, kill_leftovers
from services.runtime.embedded.proc import start_ticks
from services.runtime.embedded.server import EmbeddedServer
from services.runtime.embedded.state import StateFile, leftover_groups, read_state, size_of
from services.runtime.embedded.supervised import Helpers, State, SupervisedService

_STEP_S: Final = 0.1
_SIGN_OF_LIFE_S: Final = 5.0
_LOCK_WAIT_S: Final = 20.0
_LOG_LIMIT_BYTES: Final = 32 * 1024**2


@dataclass(frozen=True, slots=True)
class Part:
    """One server of the stack.

    Attributes:
        after: Names of parts that must have been ready before this one starts.
        stop_rank: Parts of the lowest rank are stopped first.
    """

    server: EmbeddedServer
    after: tuple[str, ...] = ()
    stop_rank: int = 0


class Supervisor:
    """Runs the parts of a stack until told to stop."""

    def __init__(self, home: Home, parts: Sequence[Part], state: StateFile, say: Callable[[str], None]) -> None:
        """Remember what to run; nothing is touched before `run`."""
        self._home = home
        self._parts = parts
        self._state = state
        self._say = say
        self._stop_asked = 0
        self._services: list[SupervisedService] = []

    def run(self, lock: StackLock, when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready` once all of it serves, and supervise until SIGINT or SIGTERM.

        Must be called in the main thread: children live as long as the thread that starts them.

        Raises:
            ConfigurationError: A part cannot be started; everything has been stopped again.
        """
        guard = Guard(lock.descriptor)
        self._state.guard_pid = guard.pid
        with ThreadPoolExecutor(len(self._parts), "probe") as pool, self._signals():
            helpers = Helpers(pool, guard, self._say)
            self._services = [SupervisedService(part.server, helpers, part.after) for part in self._parts]
            try:
                self._bring_up()
                if not self._stop_asked:
                    when_ready()
                self._keep_up(guard)
            finally:
                self._take_down()
                guard.close()
                lock.release()

    def _bring_up(self) -> None:
        while not self._stop_asked and not all(service.was_ready for service in self._services):
            self._step()
            self._write("starting")
            failed = next((service for service in self._services if service.state is State.FAILED), None)
            if failed is not None:
                raise ConfigurationError(f"{failed.name}: {failed.reason}")
            time.sleep(_STEP_S)

    def _keep_up(self, guard: Guard) -> None:
        next_sign = Deadline.after(0)
        while not self._stop_asked:
            self._step()
            self._write("ready", force=next_sign.expired)
            if next_sign.expired:
                next_sign = Deadline.after(_SIGN_OF_LIFE_S)
                self._bound_logs()
                if guard.revive():
                    self._say("guard: had ended; started again")
                    self._state.guard_pid = guard.pid
            time.sleep(_STEP_S)

    def _step(self) -> None:
        ready = {service.name for service in self._services if service.was_ready}
        for service in self._services:
            if service.state is not State.STOPPED or ready.issuperset(service.after):
                service.step()
            else:
                service.reason = f"waits for {', '.join(sorted(set(service.after) - ready))}"

    def _take_down(self) -> None:
        self._say("stopping")
        asked_before = self._stop_asked
        for rank in sorted({part.stop_rank for part in self._parts}):
            services = [
                service
                for part, service in zip(self._parts, self._services, strict=True)
                if part.stop_rank == rank
            ]
            for service in services:
                service.ask_to_stop()
            for service in services:
                if self._stop_asked > asked_before:
                    service.server.kill()
                service.stop()
            self._write("stopping")
        self._write("stopped", force=True)
        self._say("stopped")

    def _write(self, phase: str, *, force: bool = False) -> None:
        shown = [service for service in self._services if not isinstance(service.server, Job)]
        self._state.write(phase, shown, force=force)

    def _bound_logs(self) -> None:
        for part in self._parts:
            bound_log(self._home.log_file(part.server.name))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(_number: int, _frame: FrameType | None) -> None:
            self._stop_asked += 1

        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
        heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]  # nohup stays so
        previous = {number: signal.signal(number, ask) for number in heard}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def take_over(home: Home, say: Callable[[str], None]) -> StackLock:
    """Take the stack's lock, after a killed supervisor's leftovers are gone.

    Raises:
        ConfigurationError: Another stack runs on this directory.
    """
    home.create()
    state = read_state(home)
    abandoned = state is not None and not supervisor_lives(state) and state.get("phase") != "stopped"
    lock = StackLock.take(home, Deadline.after(_LOCK_WAIT_S if abandoned else 0))
    killed = kill_leftovers(leftover_groups(state))
    if abandoned:
        say(f"the last stack was not stopped in order; cleaned up {len(killed)} processes it left behind")
    return lock


def supervisor_lives(state: dict[str, object]) -> bool:
    """Whether the process that wrote this state still runs."""
    supervisor = state.get("supervisor")
    if not isinstance(supervisor, dict):
        return False
    return start_ticks(int(supervisor["pid"])) == int(supervisor["start_ticks"])


def bound_log(file: Path, limit_bytes: int = _LOG_LIMIT_BYTES) -> None:
    """Keep a log within a bound: beyond it, move its content to `<file>.1` and go on with an empty one.

    Children append to the file, so it can be emptied under them.
    """
    if size_of(file) > limit_bytes:
        shutil.copyfile(file, file.with_name(f"{file.name}.1"))
        with file.open("r+b") as stream:
            stream.truncate(0)
