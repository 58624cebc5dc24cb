"""What the supervisor says of itself in `state.json`, for `millsight status` and for programs."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.contracts.errors import ConfigurationError
from services.runtime.clock import utc_now
from services.runtime.embedded.home import Home, write_atomically
from services.runtime.embedded.proc import start_ticks
from services.runtime.embedded.supervised import SupervisedService

Document = dict[str, Any]
"""A JSON object."""


@dataclass(slots=True)
class StateFile:
    """Writes the state whenever it has changed, each time as a whole.

    Attributes:
        addresses: The part that does not change while the stack runs: broker, postgres, triton and so on.
    """

    home: Home
    addresses: Mapping[str, Any]
    ports: Mapping[str, int]
    guard_pid: int = 0
    _written: Document = field(default_factory=dict)

    def write(self, phase: str, services: list[SupervisedService], *, force: bool = False) -> None:
        """Write when anything has changed since the last time, or when forced, as a sign of life."""
        document: Document = {
            "phase": phase,
            "supervisor": {
                "pid": os.getpid(),
                "start_ticks": start_ticks(os.getpid()),
                "guard_pid": self.guard_pid,
            },
            **self.addresses,
            "ports": dict(self.ports),
            "services": [describe(service, self.home) for service in services],
        }
        if force or document != self._written:
            self._written = document
            stamped = document | {"written_at": utc_now().isoformat(timespec="milliseconds")}
            write_atomically(self.home.state_file, json.dumps(stamped, indent=2) + "\n")


def describe(service: SupervisedService, home: Home) -> Document:
    """Return a service as JSON."""
    pid = service.server.pid
    return {
        "name": service.name,
        "pid": pid,
        "start_ticks": None if pid is None else start_ticks(pid),
        "state": str(service.state),
        "reason": service.reason,
        "restarts": service.restarts,
        "external": service.server.external,
        "address": service.server.address,
        "log_file": None if service.server.external else str(home.log_file(service.name)),
    }


def read_state(home: Home) -> Document | None:
    """Return what the last supervisor wrote, None when there never was one.

    Raises:
        ConfigurationError: The file is not what a supervisor writes.
    """
    try:
        found = json.loads(home.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the state file {home.state_file} cannot be read: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("services"), list):
        raise ConfigurationError(f"the state file {home.state_file} is not one of millsight: remove it")
    return found


def leftover_groups(state: Document | None) -> dict[int, int]:
    """Return the process groups that a state names: leader's process id to its start in clock ticks."""
    services = [] if state is None else state["services"]
    return {int(entry["pid"]): int(entry["start_ticks"]) for entry in services if entry.get("start_ticks")}


@dataclass(frozen=True, slots=True)
class Past:
    """What a stack takes over from the one before it on the same directory.

    Attributes:
        ports: By the name of the part.
        first_started_at: When the directory's first stack was started, ISO 8601.
    """

    ports: Mapping[str, int]
    first_started_at: str

    @staticmethod
    def of(state: Document | None) -> "Past":
        """Read the state that the last stack wrote; None: there was none, and this one is the first."""
        kept = {} if state is None else state
        ports = {str(name): int(port) for name, port in kept.get("ports", {}).items()}
        return Past(ports, str(kept.get("first_started_at") or utc_now().isoformat(timespec="seconds")))


def size_of(file: Path) -> int:
    """Size in bytes; 0 when the file is absent."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
