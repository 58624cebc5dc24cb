"""Health and metrics over HTTP on loopback: /livez, /readyz, /metrics.

Liveness asks only whether the room's loop still turns; it must not depend on the broker, the database or the
inference server, or their outage would restart every room.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import REGISTRY
from typing_extensions import override

LIVENESS_LIMIT_S: Final = 10.0


@dataclass(slots=True)
class Health:
    """What a room knows of its own state; written by the room, read by the server's threads.

    Attributes:
        checks: Name of a dependency to a function that returns None when it is well, else the reason in words.
    """

    checks: dict[str, Callable[[], str | None]] = field(default_factory=dict)
    _ticked_at_s: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Say that the room's loop is turning."""
        self._ticked_at_s = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the loop has turned lately."""
        return time.monotonic() - self._ticked_at_s < LIVENESS_LIMIT_S

    def problems(self) -> dict[str, str]:
        """Ask every check; return what is broken, by name."""
        answers = {name: check() for name, check in self.checks.items()}
        return {name: reason for name, reason in answers.items() if reason is not None}


class HealthServer:
    """Serves a room's health and metrics until stopped."""

    def __init__(self, health: Health, host: str, port: int, registry: CollectorRegistry = REGISTRY) -> None:
        """Bind; port 0 picks a free one, see `port`.

        Raises:
            OSError: The address is taken.
        """
        self._server = _Server((host, port), _handler(health, registry))
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port that is really bound."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Answer requests in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    @override
    def server_bind(self) -> None:
        """Bind, but do not look up the machine's name: a slow resolver would hold up the room's start."""
        TCPServer.server_bind(self)


def _handler(health: Health, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path.split("?", 1)[0]:
                case "/metrics":
                    self._answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
                case "/livez":
                    self._answer_json(health.alive, {"alive": health.alive})
                case "/readyz":
                    problems = health.problems()
                    self._answer_json(not problems, {"ready": not problems, "problems": problems})
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, b"try /livez, /readyz or /metrics\n", "text/plain")

        def _answer_json(self, well: bool, body: dict[str, object]) -> None:  # noqa: FBT001 - private
            status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, json.dumps(body).encode(), "application/json")

        def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Stay silent: probes are no news."""

    return Handler
