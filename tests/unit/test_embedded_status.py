"""What `millsight status` says, in words, when parts are dead."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.home import Home
from services.runtime.embedded.proc import start_ticks
from services.runtime.embedded.status import Status, look

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    made.write_secret("millsight_reports.url", "postgresql://millsight_reports:pw@127.0.0.1:1/millsight")
    return made


def service(**changes: object) -> dict[str, Any]:
    me = os.getpid()
    usual = {"name": "kafka", "pid": me, "start_ticks": start_ticks(me), "state": "running", "reason": ""}
    return usual | {"restarts": 0, "external": False, "address": "127.0.0.1:9092"} | changes


def write(home: Home, *services: dict[str, Any], **changes: object) -> None:
    me = os.getpid()
    state = {
        "phase": "ready",
        "supervisor": {"pid": me, "start_ticks": start_ticks(me)},
        "broker": {"kind": "kafka", "bootstrap_servers": "127.0.0.1:9092"},
        "postgres": {"reports_url_file": str(home.secrets / "millsight_reports.url")},
        "services": list(services),
        "written_at": NOW.isoformat(),
    }
    home.state_file.write_text(json.dumps(state | changes))


def see(home: Home, unassigned: list[str] | None = None) -> Status:
    def ask(_url: str) -> list[str]:
        if unassigned is None:
            raise OSError("connection refused")
        return unassigned

    return look(home, lambda: NOW, ask)


def test_all_is_well_when_everything_runs(home: Home) -> None:
    write(home, service())
    found = see(home, [])
    assert found.well
    assert found.notes == []
    assert found.document["postgres"]["reports_url"].startswith("postgresql://millsight_reports:")


def test_a_part_in_trouble_is_named_with_its_reason(home: Home) -> None:
    write(home, service(name="triton", state="backoff", reason="was killed by SIGKILL", pid=None))
    assert see(home, []).problems == ["triton: backoff: was killed by SIGKILL"]


def test_a_running_part_that_complains_is_broken(home: Home) -> None:
    write(home, service(name="classifier-1", reason="the broker is away"))
    assert see(home, []).problems == ["classifier-1: running: the broker is away"]


def test_a_process_that_has_just_ended_is_not_called_running(home: Home) -> None:
    write(home, service(pid=os.getpid(), start_ticks=1))
    found = see(home, [])
    assert found.problems == [f"kafka: backoff: process {os.getpid()} has just ended"]
    assert found.document["services"][0]["state"] == "backoff"


def test_a_killed_supervisor_is_told_and_nothing_is_called_running(home: Home) -> None:
    write(home, service(), supervisor={"pid": os.getpid(), "start_ticks": 1})
    found = see(home, [])
    assert found.problems == ["the supervisor was killed and everything with it: start it with 'millsight up'"]
    assert found.document["services"][0]["state"] == "stopped"
    assert found.document["phase"] == "down"


def test_a_stopped_stack_says_so(home: Home) -> None:
    write(home, service(), phase="stopped", supervisor={"pid": os.getpid(), "start_ticks": 1})
    assert see(home, []).problems == ["the stack is stopped: start it with 'millsight up'"]


def test_nothing_at_all_says_how_to_start(tmp_path: Path) -> None:
    assert "millsight up" in see(Home(tmp_path / "nowhere"), []).problems[0]


def test_a_supervisor_that_hangs_is_noticed(home: Home) -> None:
    write(home, service(), written_at=(NOW - timedelta(seconds=60)).isoformat())
    assert see(home, []).problems == ["the supervisor has not spoken for 60 s: it hangs, or the clock jumped"]


def test_unassigned_cameras_are_named(home: Home) -> None:
    write(home, service())
    found = see(home, ["cam-7", "cam-9"])
    assert found.well
    assert "cam-7, cam-9" in found.notes[0]
    assert found.document["unassigned_cameras"] == ["cam-7", "cam-9"]


def test_could_not_look_is_not_nothing_found(home: Home) -> None:
    write(home, service())
    found = see(home, None)
    assert found.document["unassigned_cameras"] is None
    assert found.notes == ["unassigned cameras: could not look: connection refused"]


def test_tansu_is_never_passed_over_in_silence(home: Home) -> None:
    write(home, service(), broker={"kind": "tansu", "bootstrap_servers": "x:1"})
    assert any("memory only" in note for note in see(home, []).notes)


def test_a_state_file_that_is_no_state_is_refused_in_words(home: Home) -> None:
    home.state_file.write_text("{]")
    with pytest.raises(ConfigurationError, match=r"state\.json cannot be read"):
        see(home, [])
