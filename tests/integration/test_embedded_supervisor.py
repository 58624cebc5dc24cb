"""The supervisor on real processes: one stack on a directory, restarts, an orderly end, no orphans."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.runtime.embedded.home import Home
from services.runtime.embedded.lock import is_locked
from services.runtime.embedded.ports import choose_port, free_port, is_free

_PROGRAM = Path(__file__).with_name("embedded_line.py")
_PROJECT = Path(__file__).resolve().parents[2]
_START_LIMIT_S = 90.0
"""Usually a second; the machine may be busy."""


class Line:
    """A running supervisor of two rooms."""

    def __init__(self, home: Path, ports: list[int]) -> None:
        self.home = Home(home)
        self.ports = ports
        self.process = self.spawn()

    def spawn(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, str(_PROGRAM), str(self.home.path), *map(str, self.ports)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONPATH": str(_PROJECT)},
        )

    @property
    def state(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.home.state_file.read_text())
        except FileNotFoundError:
            return {"phase": "none", "services": []}
        return found

    def service(self, name: str) -> dict[str, Any]:
        return next(each for each in self.state["services"] if each["name"] == name)

    def family(self) -> list[psutil.Process]:
        """The guard, the rooms and their children."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def await_ready(self) -> None:
        """Wait for the line; when it does not come up, fail with everything that it left behind to read."""
        until = time.monotonic() + _START_LIMIT_S
        while self.state["phase"] != "ready":
            ended = self.process.poll()
            if ended is not None or time.monotonic() > until:
                self.process.terminate()
                said, _ = self.process.communicate(timeout=30)
                logs = {file.name: file.read_text() for file in self.home.path.glob("**/*.log")}
                pytest.fail(f"the line is not ready (exit code {ended}): {self.state}\n{said}\n{logs}")
            time.sleep(0.05)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 30.0) -> None:
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"not within {limit_s:.0f} s: {what}")
        time.sleep(0.05)


@contextmanager
def running(home: Path) -> Iterator[Line]:
    first = free_port()
    line = Line(home, [first, choose_port(taken=frozenset({first}))])
    try:
        line.await_ready()
        yield line
    finally:
        line.end()


def gone(processes: list[psutil.Process]) -> bool:
    return not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes)


def test_the_lock_refuses_a_second_stack_and_the_first_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        second = line.spawn()
        said, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert "a stack already runs on" in said
        assert line.state["supervisor"]["pid"] == line.process.pid
        assert line.process.poll() is None


def test_a_room_that_crashes_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        before = line.service("room-1")
        os.kill(before["pid"], signal.SIGKILL)
        wait_for(lambda: line.service("room-1")["restarts"] == 1, "the crash is counted")
        wait_for(lambda: line.service("room-1")["state"] == "running", "it runs again")
        assert line.service("room-1")["pid"] != before["pid"]
        assert line.service("room-2")["restarts"] == 0


def test_the_children_of_a_crashed_room_do_not_outlive_it(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        room = psutil.Process(line.service("room-1")["pid"])
        children = room.children()
        room.kill()
        wait_for(lambda: line.service("room-1")["restarts"] == 1, "the crash is counted")
        assert len(children) == 1
        wait_for(lambda: gone(children), "its child is gone")


def test_an_orderly_stop_ends_everything_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        family = line.family()
        line.process.send_signal(signal.SIGINT)
        said, _ = line.process.communicate(timeout=30)
        assert line.process.returncode == 0
        assert said.rstrip().endswith("stopped")
        assert line.state["phase"] == "stopped"
        assert gone(family)
        assert not is_locked(line.home.lock_file)


def test_no_orphan_survives_a_supervisor_killed_with_sigkill(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        family = line.family()
        assert len(family) == 5, "guard, two rooms, two grandchildren"
        line.process.kill()
        line.process.communicate(timeout=10)
        wait_for(lambda: gone(family), "guard, rooms and grandchildren are gone", 20)
        assert all(is_free(port) for port in line.ports)


def test_no_room_survives_when_the_guard_is_killed_too(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        rooms = [psutil.Process(line.service(name)["pid"]) for name in ("room-1", "room-2")]
        grandchildren = [child for room in rooms for child in room.children()]
        os.kill(line.state["supervisor"]["guard_pid"], signal.SIGKILL)
        line.process.kill()
        line.process.communicate(timeout=10)
        wait_for(lambda: gone(rooms), "the rooms had their death signal", 20)
        for each in grandchildren:
            each.kill()  # what a room starts without care is the guard's business, and the guard is dead


def test_a_killed_guard_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        first = line.state["supervisor"]["guard_pid"]
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: line.state["supervisor"]["guard_pid"] != first, "a new guard")
        family = line.family()
        line.process.kill()
        line.process.communicate(timeout=10)
        wait_for(lambda: gone(family), "the new guard knew the old groups", 20)


def test_the_next_stack_waits_for_the_killed_ones_leftovers_and_says_so(tmp_path: Path) -> None:
    with running(tmp_path) as line:
        line.process.kill()
        line.process.communicate(timeout=10)
        next_one = line.spawn()
        try:
            pid = next_one.pid
            wait_for(lambda: line.state.get("supervisor", {}).get("pid") == pid, "the next supervisor took over")
            wait_for(lambda: line.state["phase"] == "ready", "the next line is ready")
        finally:
            next_one.terminate()
            said, _ = next_one.communicate(timeout=30)
        assert "was not stopped in order" in said
