"""A server that does what a test says, without a process."""

from typing_extensions import override

from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer


class FakeServer(EmbeddedServer):
    """Its problem, its exit code and its preparation are set by the test."""

    name = "fake"
    start_timeout_s = 60.0

    def __init__(self) -> None:
        super().__init__()
        self.prepared: Exception | None = None
        self.said: str | None = "not yet"
        self.ended: int | None = None
        self.broken: str | None = None
        self.loop_stands: str | None = None
        self.launched = 0
        self.killed = 0

    @override
    def prepare(self) -> None:
        if self.prepared is not None:
            raise self.prepared

    @override
    def spec(self) -> ProcessSpec:
        raise NotImplementedError

    @override
    def launch(self) -> None:
        self.launched += 1
        self.ended = self.broken = None

    @override
    def kill(self) -> None:
        self.killed += 1

    @override
    def problem(self) -> str | None:
        return self.said

    @override
    def alarm(self) -> str | None:
        return self.loop_stands

    @override
    def irreparable(self) -> str | None:
        return self.broken

    @override
    def last_words(self) -> str:
        return "first line\nmillsight: the last line says why"

    @property
    @override
    def exit_code(self) -> int | None:
        return self.ended
