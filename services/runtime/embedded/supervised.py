"""One service under supervision: its state, its restarts, and the reason in words when it is not well."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from services.contracts.errors import ConfigurationError, MillsightError
from services.runtime.backoff import backoff_delays_s
from services.runtime.deadline import Deadline
from services.runtime.embedded.orphans import Guard
from services.runtime.embedded.processes import describe_exit
from services.runtime.embedded.server import EmbeddedServer

_FIRST_DELAY_S: Final = 0.5
_LONGEST_DELAY_S: Final = 15.0
_STABLE_AFTER_S: Final = 60.0
_PROBE_EVERY_S: Final = 1.0
_FIRST_PROBES_S: Final = 0.1
_STARTS_BEFORE_GIVING_UP: Final = 3
_EXIT_CODE_OF_A_USER_ERROR: Final = 2


class State(StrEnum):
    """What a service is doing."""

    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Helpers:
    """What the supervisor lends to each service."""

    pool: Executor
    guard: Guard
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Opinion:
    problem: str | None
    alarm: str | None


def _delays() -> Iterator[float]:
    return backoff_delays_s(_FIRST_DELAY_S, _LONGEST_DELAY_S)


@dataclass(slots=True)
class SupervisedService:
    """Brings a server up and keeps it up, one short step at a time.

    Attributes:
        after: Names of services that must have been ready before this one starts for the first time.
        was_ready: Whether it has been ready since the stack started.
    """

    server: EmbeddedServer
    helpers: Helpers
    after: tuple[str, ...] = ()
    state: State = State.STOPPED
    reason: str = "not started yet"
    restarts: int = 0
    was_ready: bool = False
    _attempts: int = 0
    _group: int | None = None
    _preparing: "Future[None] | None" = None
    _asking: "Future[_Opinion] | None" = None
    _until: Deadline = field(default_factory=lambda: Deadline.after(0))
    _next_question: Deadline = field(default_factory=lambda: Deadline.after(0))
    _patience: Deadline | None = None
    _stable: Deadline | None = None
    _delays_s: Iterator[float] = field(default_factory=_delays)

    @property
    def name(self) -> str:
        """The server's name."""
        return self.server.name

    def step(self) -> None:
        """Look at the service and do what is due; never waits."""
        match self.state:
            case State.STOPPED:
                self._prepare()
            case State.BACKOFF if self._until.expired:
                self._prepare()
            case State.STARTING if self._preparing is not None:
                self._launch_when_prepared(self._preparing)
            case State.STARTING | State.RUNNING:
                self._watch()
            case _:
                return

    def ask_to_stop(self) -> None:
        """Ask for an orderly end."""
        self.server.ask_to_stop()

    def stop(self) -> None:
        """End within the server's grace period."""
        self.server.stop()
        self._forget_group()
        self.state, self.reason = State.STOPPED, "stopped"

    def _prepare(self) -> None:
        self.state, self.reason = State.STARTING, "starting"
        self._attempts += 1
        self._preparing = self.helpers.pool.submit(self.server.prepare)

    def _launch_when_prepared(self, preparing: "Future[None]") -> None:
        if not preparing.done():
            return
        self._preparing = None
        try:
            preparing.result()
            self.server.launch()
        except ConfigurationError as error:
            self._fail(str(error))
        except (MillsightError, OSError) as error:
            self._try_again(str(error))
        else:
            self._until = Deadline.after(self.server.start_timeout_s)
            self._next_question = Deadline.after(0)
            self._asking = None
            if self.server.pid is not None:
                self._group = self.server.pid
                self.helpers.guard.watch(self._group)

    def _watch(self) -> None:
        code = self.server.exit_code
        if code is not None:
            self._ended(code)
        elif (broken := self.server.irreparable()) is not None:
            self._start_anew(broken)
        else:
            self._ask()

    def _ended(self, code: int) -> None:
        how = describe_exit(code)
        if not self.was_ready and code == _EXIT_CODE_OF_A_USER_ERROR:
            self._fail(self.server.last_words().strip().splitlines()[-1])
        elif self.was_ready:
            self._start_anew(how)
        else:
            self._start_anew(f"{how}: {self.server.last_words()}")

    def _ask(self) -> None:
        if self._asking is not None and self._asking.done():
            opinion, self._asking = self._asking.result(), None
            self._judge(opinion)
            self._next_question = Deadline.after(
                _PROBE_EVERY_S if self.state is State.RUNNING else _FIRST_PROBES_S
            )
        elif self._asking is None and self._next_question.expired:
            self._asking = self.helpers.pool.submit(_ask, self.server)

    def _judge(self, opinion: _Opinion) -> None:
        if opinion.problem is None:
            self._well()
        elif self.state is State.STARTING:
            self.reason = opinion.problem
            if self._until.expired:
                self._start_anew(f"not ready after {self.server.start_timeout_s:.0f} s: {opinion.problem}")
        else:
            self.reason = opinion.problem
            self._lose_patience(opinion.alarm)

    def _well(self) -> None:
        if self.state is not State.RUNNING:
            again = " again" if self.was_ready else ""
            where = f" on {self.server.address}" if self.server.address else ""
            self.helpers.say(f"{self.name}: {self.server.ready_word}{again}{where}")
            self._stable = Deadline.after(_STABLE_AFTER_S)
        elif self._stable is not None and self._stable.expired:
            self._stable, self._delays_s = None, _delays()
        self.state, self.reason, self.was_ready, self._patience = State.RUNNING, "", True, None

    def _lose_patience(self, alarm: str | None) -> None:
        limit_s = self.server.silence_limit_s
        if alarm is None or limit_s is None or self.server.external:
            self._patience = None
        elif self._patience is None:
            self._patience = Deadline.after(limit_s)
        elif self._patience.expired:
            self._start_anew(f"unwell for {limit_s:.0f} s: {alarm}")

    def _start_anew(self, why: str) -> None:
        self.server.kill()
        self._forget_group()
        self.restarts += 1
        self._try_again(why)

    def _try_again(self, why: str) -> None:
        if not self.was_ready and self._attempts >= _STARTS_BEFORE_GIVING_UP:
            self._fail(f"{why} (gave up after {self._attempts} starts)")
        else:
            self._back_off(why)

    def _back_off(self, why: str) -> None:
        delay_s = next(self._delays_s)
        self.state, self.reason, self._patience = State.BACKOFF, why, None
        self._until = Deadline.after(delay_s)
        what = "looking" if self.server.external else "starting"
        self.helpers.say(f"{self.name}: {why}; {what} again in {delay_s:.1f} s")

    def _fail(self, why: str) -> None:
        self.server.kill()
        self._forget_group()
        self.state, self.reason = State.FAILED, why
        self.helpers.say(f"{self.name}: failed: {why}")

    def _forget_group(self) -> None:
        if self._group is not None:
            self.helpers.guard.forget(self._group)
            self._group = None


def _ask(server: EmbeddedServer) -> _Opinion:
    problem = server.problem()
    return _Opinion(problem, None if problem is None else server.alarm())
