"""A room of the house as a child process, asked for its health over HTTP."""

import json
from dataclasses import dataclass

from typing_extensions import override

from services.runtime.embedded.probes import http_problem
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HealthPages:
    """Where a room answers for itself.

    Attributes:
        port: On loopback.
        ready: Page that is well once the room serves.
        alive: Page that is well as long as the room's loop turns, whatever happens to others.
        metrics: Page of its Prometheus metrics, if it has one.
    """

    port: int
    ready: str = "/readyz"
    alive: str = "/livez"
    metrics: str | None = "/metrics"


class RoomProcess(EmbeddedServer):
    """One process of a room."""

    start_timeout_s = 120.0

    def __init__(self, name: str, spec: ProcessSpec, pages: HealthPages) -> None:
        """Remember how to run it and where to ask."""
        super().__init__()
        self.name = name
        self._spec = spec
        self._pages = pages

    @property
    @override
    def address(self) -> str:
        """Where it answers over HTTP."""
        return f"http://{_HOST}:{self._pages.port}"

    @property
    def metrics_url(self) -> str | None:
        """Address of its metrics, if it has any."""
        return None if self._pages.metrics is None else self.address + self._pages.metrics

    @override
    def prepare(self) -> None:
        """Nothing to prepare."""

    @override
    def spec(self) -> ProcessSpec:
        """Return how to run the room."""
        return self._spec

    @override
    def problem(self) -> str | None:
        """Ask whether the room is ready; its own answer is put into one sentence."""
        said = http_problem(_HOST, self._pages.port, self._pages.ready)
        return None if said is None else in_words(said)

    @override
    def alarm(self) -> str | None:
        """Ask whether the room's loop turns."""
        return http_problem(_HOST, self._pages.port, self._pages.alive)


def in_words(answer: str) -> str:
    """Return the problems that a room's health page lists as JSON, in one line; any other text as it is."""
    try:
        problems = json.loads(answer)["problems"]
        return "; ".join(f"{name}: {reason}" for name, reason in problems.items())
    except (ValueError, LookupError, TypeError, AttributeError):
        return answer
