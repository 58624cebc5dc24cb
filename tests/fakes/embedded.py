"""A server that does what a test says, without a process."""

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

    def prepare(self) -> None:
        if self.prepared is not None:
            raise self.prepared

    def spec(self) -> ProcessSpec:
        raise NotImplementedError

    def launch(self) -> None:
        self.launched += 1
        self.ended = self.broken = None

    def kill(self) -> None:
        self.killed += 1

    def problem(self) -> str | None:
        return self.said

    def alarm(self) -> str | None:
        return self.loop_stands

    def irreparable(self) -> str | None:
        return self.broken

    def last_words(self) -> str:
        return "first line\nmillsight: the last line says why"

    @property
    def exit_code(self) -> int | None:
        return self.ended
