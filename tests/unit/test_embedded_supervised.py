"""A supervised service: up, kept up, and in words what is wrong."""

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, cast

import pytest
from typing_extensions import override

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.orphans import Guard
from services.runtime.embedded.supervised import Helpers, State, SupervisedService
from tests.fakes.embedded import FakeServer


class InlineExecutor(Executor):
    """Runs what is submitted at once."""

    @override
    def submit(self, function: Callable[..., Any], /, *arguments: object, **_named: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - an executor keeps any error for the caller
            future.set_exception(error)
        return future


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def service(server: FakeServer, said: list[str], monkeypatch: pytest.MonkeyPatch) -> SupervisedService:
    monkeypatch.setattr("services.runtime.embedded.supervised._PROBE_EVERY_S", 0.0)
    monkeypatch.setattr("services.runtime.embedded.supervised._FIRST_DELAY_S", 0.01)
    return SupervisedService(server, Helpers(InlineExecutor(), cast(Guard, None), said.append))


def step_until(service: SupervisedService, state: State) -> None:
    for _ in range(200):
        service.step()
        if service.state is state:
            return
        time.sleep(0.005)
    pytest.fail(f"never {state}: {service.state} {service.reason}")


def test_it_runs_once_the_server_is_ready_and_not_before(service: SupervisedService, server: FakeServer) -> None:
    for _ in range(5):
        service.step()
    assert service.state is State.STARTING
    assert service.reason == "not yet"
    server.said = None
    step_until(service, State.RUNNING)
    assert service.was_ready
    assert service.reason == ""


def test_a_crash_is_told_and_the_server_started_again(
    service: SupervisedService, server: FakeServer, said: list[str]
) -> None:
    server.said = None
    step_until(service, State.RUNNING)
    server.ended = -9
    step_until(service, State.BACKOFF)
    assert service.reason == "was killed by SIGKILL"
    step_until(service, State.RUNNING)
    assert (server.launched, service.restarts) == (2, 1)
    assert any("starting again in" in line for line in said)


def test_waiting_times_grow_while_crashes_follow_each_other(
    service: SupervisedService, server: FakeServer, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.said = None
    for _ in range(6):
        step_until(service, State.RUNNING)
        server.ended = 1
        step_until(service, State.BACKOFF)
        service._until = type(service._until).after(0)
    delays = [float(line.rpartition("in ")[2].split()[0]) for line in said if "starting again" in line]
    assert delays[-1] >= 0.2 > delays[0]


def test_what_only_a_restart_can_cure_is_restarted_at_once(service: SupervisedService, server: FakeServer) -> None:
    server.said = None
    step_until(service, State.RUNNING)
    server.broken = "the stub has died"
    service.step()
    assert service.state is State.BACKOFF
    assert server.killed == 1


def test_a_server_that_waits_for_another_is_not_restarted(service: SupervisedService, server: FakeServer) -> None:
    server.silence_limit_s = 0.0
    server.said = None
    step_until(service, State.RUNNING)
    server.said, server.loop_stands = "the broker is away", None
    for _ in range(10):
        service.step()
    assert service.state is State.RUNNING
    assert service.reason == "the broker is away"
    assert server.killed == 0


def test_a_server_that_is_silent_beyond_its_limit_is_restarted(
    service: SupervisedService, server: FakeServer
) -> None:
    server.silence_limit_s = 0.0
    server.said = None
    step_until(service, State.RUNNING)
    server.said = server.loop_stands = "no answer"
    step_until(service, State.BACKOFF)
    assert service.reason == "unwell for 0 s: no answer"


def test_a_users_mistake_at_the_start_is_final_and_in_the_rooms_own_words(
    service: SupervisedService, server: FakeServer
) -> None:
    service.step()
    service.step()
    server.ended = 2
    step_until(service, State.FAILED)
    assert service.reason == "millsight: the last line says why"


def test_a_wrong_configuration_is_final(service: SupervisedService, server: FakeServer) -> None:
    server.prepared = ConfigurationError("there is no Java: install one")
    step_until(service, State.FAILED)
    assert service.reason == "there is no Java: install one"
    assert server.launched == 0


def test_a_server_that_never_comes_up_is_given_up_after_three_starts(
    service: SupervisedService, server: FakeServer
) -> None:
    server.prepared = TransientError("no network")
    step_until(service, State.FAILED)
    assert service.reason == "no network (gave up after 3 starts)"


def test_a_server_that_once_ran_is_never_given_up(service: SupervisedService, server: FakeServer) -> None:
    server.said = None
    step_until(service, State.RUNNING)
    for _ in range(5):
        server.ended = 2
        step_until(service, State.BACKOFF)
        step_until(service, State.RUNNING)
    assert service.restarts == 5
