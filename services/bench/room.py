"""A room of the line that the run starts and ends: the real program, in a process of its own."""

from typing import Self

from services.bench.worker import WorkerFailed
from services.runtime.embedded.processes import ManagedProcess, ProcessSpec, describe_exit
from services.runtime.embedded.server import last_lines


class Room:
    """A running `python -m services.<name>`."""

    def __init__(self, name: str, spec: ProcessSpec) -> None:
        """Start it."""
        self._name = name
        self._spec = spec
        self._process = ManagedProcess.start(spec)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            WorkerFailed: It ended; its last log lines are told.
        """
        code = self._process.poll()
        if code is not None:
            words = last_lines(self._spec.log_file)
            raise WorkerFailed(f"the {self._name} {describe_exit(code)}; last words:\n{words}")

    def stop(self) -> None:
        """End it in an orderly way, so that it leaves its group and its successor is assigned at once."""
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
