"""A piece of work that must be done once before others may start, such as bringing the schema up to date."""

from collections.abc import Callable

from typing_extensions import override

from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer


class Job(EmbeddedServer):
    """Runs a function as its preparation: done when that returns, tried again when it raises TransientError."""

    ready_word = "done"

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        """Remember what to do."""
        super().__init__()
        self.name = name
        self._work = work

    @override
    def prepare(self) -> None:
        """Do the work."""
        self._work()

    @override
    def spec(self) -> ProcessSpec:
        """Nothing runs after the work.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{self.name} is not a process")

    @override
    def launch(self) -> None:
        """Nothing to start: the work is done."""

    @override
    def last_words(self) -> str:
        """A job has no log of its own."""
        return ""

    @override
    def problem(self) -> str | None:
        """Done."""
        return None
