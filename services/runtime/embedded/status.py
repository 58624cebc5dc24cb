"""Says what runs, where, and in words what is broken, from the supervisor's state and the processes themselves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from services.runtime.clock import Clock
from services.runtime.embedded.home import Home
from services.runtime.embedded.lock import is_locked
from services.runtime.embedded.proc import start_ticks
from services.runtime.embedded.state import Document, read_state
from services.runtime.embedded.supervisor import supervisor_lives

_SILENT_AFTER_S: Final = 20.0
_RUNNING: Final = "running"


@dataclass(slots=True)
class Status:
    """The answer of `millsight status`.

    Attributes:
        document: For programs, as JSON.
        problems: What is broken, one sentence each.
        notes: What is worth knowing and not broken.
    """

    document: Document
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether nothing is broken."""
        return not self.problems


def look(home: Home, clock: Clock, unassigned: Callable[[str], list[str]]) -> Status:
    """Look at the stack on this directory.

    Args:
        home: The stack's directory.
        clock: Tells the time, to notice a supervisor that hangs.
        unassigned: Asks the database, given the reports role's URL, for cameras that the line file does not know;
            raises OSError when it could not look.

    Raises:
        ConfigurationError: The state file cannot be read.
    """
    state = read_state(home)
    if state is None:
        return Status(
            {"phase": "down", "services": []}, [f"nothing runs on {home.path}: start it with 'millsight up'"]
        )
    status = Status({key: value for key, value in state.items() if key != "ports"})
    if not supervisor_lives(state):
        _tell_down(status, home)
    else:
        _tell_services(status, clock())
    _add_reports_url(status.document)
    status.document["problems"], status.document["notes"] = status.problems, status.notes
    if status.document["phase"] != "down":
        _tell_unassigned(status, unassigned)
    return status


def _tell_down(status: Status, home: Home) -> None:
    phase = status.document["phase"]
    if phase == "stopped":
        status.problems.append("the stack is stopped: start it with 'millsight up'")
    elif is_locked(home.lock_file):
        status.problems.append("the supervisor was killed; what it left behind is being ended")
    else:
        status.problems.append("the supervisor was killed and everything with it: start it with 'millsight up'")
    status.document["phase"] = "down"
    for service in status.document["services"]:
        service |= {"state": "stopped", "pid": None, "reason": "the supervisor does not run"}


def _tell_services(status: Status, now: datetime) -> None:
    silence_s = (now - datetime.fromisoformat(status.document["written_at"])).total_seconds()
    if silence_s > _SILENT_AFTER_S:
        status.problems.append(
            f"the supervisor has not spoken for {silence_s:.0f} s: it hangs, or the clock jumped"
        )
    for service in status.document["services"]:
        _look_again(service)
        if service["state"] != _RUNNING or service["reason"]:
            status.problems.append(
                f"{service['name']}: {service['state']}: {service['reason'] or 'no reason known'}"
            )
        elif service["restarts"]:
            status.notes.append(f"{service['name']}: has been restarted {service['restarts']} times")
    if status.document.get("broker", {}).get("kind") == "tansu":
        status.notes.append(
            "the broker is Tansu, not Kafka: frames are kept in memory only and are lost when it stops"
        )


def _look_again(service: dict[str, Any]) -> None:
    """The supervisor may be a moment behind: a process that is gone is not running, whatever the file says."""
    pid = service["pid"]
    if service["state"] == _RUNNING and pid is not None and start_ticks(int(pid)) != service["start_ticks"]:
        service |= {"state": "backoff", "reason": f"process {pid} has just ended"}


def _add_reports_url(document: Document) -> None:
    postgres = document.get("postgres")
    if isinstance(postgres, dict):
        try:
            postgres["reports_url"] = Path(postgres["reports_url_file"]).read_text(encoding="utf-8").strip()
        except OSError:
            postgres["reports_url"] = None


def _tell_unassigned(status: Status, unassigned: Callable[[str], list[str]]) -> None:
    url = (status.document.get("postgres") or {}).get("reports_url")
    try:
        if url is None:
            raise OSError("the reports role is not set up yet")  # noqa: TRY301 - one answer for all reasons
        cameras = unassigned(url)
    except OSError as error:
        status.notes.append(f"unassigned cameras: could not look: {error}")
        status.document["unassigned_cameras"] = None
        return
    status.document["unassigned_cameras"] = cameras
    if cameras:
        names = ", ".join(cameras)
        status.notes.append(
            f"unassigned cameras: {names}: their frames are classified and stored under machine 'unassigned'; "
            "add them to line.yaml"
        )
