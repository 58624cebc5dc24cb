"""A process of its own for each thing that is measured: JSON lines in, JSON lines out.

The parent asks for one slice at a time, so slices of different workers never overlap; a worker that nobody asks
sleeps on its standard input, and ends when that closes.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import SIGKILL
from typing import Final

from services.contracts.errors import MillsightError
from services.runtime.deadline import Deadline
from services.runtime.embedded.processes import base_environment, launched
from services.runtime.embedded.server import last_lines

Message = Mapping[str, object]
Answer = dict[str, object]

_END_GRACE_S: Final = 5.0
_READ_BYTES: Final = 65536


class WorkerFailed(MillsightError):
    """A measuring process ended or fell silent; its log tells why."""


class Worker:
    """The parent's end of one worker process."""

    def __init__(self, module: str, arguments: Message, log_file: Path) -> None:
        """Start `python -m services.bench.<module>` with its arguments as JSON; nobody waits for it yet."""
        self._module = module
        self._log_file = log_file
        self._received = b""
        log_file.parent.mkdir(parents=True, exist_ok=True)
        program = [sys.executable, "-m", f"services.bench.{module}", json.dumps(arguments)]
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                launched(program, death_signal=SIGKILL),  # not even a killed run leaves a worker behind
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
                start_new_session=True,
                env=base_environment() | {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONWARNINGS": "ignore"},
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, request: Message, timeout_s: float) -> Answer:
        """Send a request and return its answer.

        Raises:
            WorkerFailed: The worker ended, or did not answer in time.
        """
        self.send(request)
        return self.answer(timeout_s)

    def send(self, request: Message) -> None:
        """Send a request without waiting for its answer.

        Raises:
            WorkerFailed: The worker ended.
        """
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._failure("ended") from error

    def answer(self, timeout_s: float) -> Answer:
        """Return the next line the worker says; the first one is said when it is ready.

        Raises:
            WorkerFailed: The worker ended, or did not answer in time.
        """
        answer = self.answer_if_said(timeout_s)
        if answer is None:
            raise self._failure(f"said nothing in {timeout_s:.0f} s")
        return answer

    def answer_if_said(self, timeout_s: float) -> Answer | None:
        """Return the next line the worker says, or None when it says nothing for that long.

        Raises:
            WorkerFailed: The worker ended.
        """
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        deadline = Deadline.after(timeout_s)
        while b"\n" not in self._received:
            readable, _, _ = select.select([self._process.stdout], [], [], deadline.remaining_s)
            if not readable:
                return None
            part = os.read(self._process.stdout.fileno(), _READ_BYTES)
            if not part:
                raise self._failure("ended")
            self._received += part
        line, _, self._received = self._received.partition(b"\n")
        answer: Answer = json.loads(line)
        return answer

    def close(self) -> None:
        """End the worker: its input closes, and after a grace period it is killed."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        try:
            self._process.wait(_END_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END_GRACE_S)
        self._process.stdout.close()

    def _failure(self, how: str) -> WorkerFailed:
        name, words = self._module.replace("_", " "), last_lines(self._log_file)
        return WorkerFailed(f"the {name} {how}; last words:\n{words}")


def serve(prepare: Callable[[Message], Callable[[Message], Answer]]) -> None:
    """Run the worker's end: prepare with the arguments, say so, then answer one request after another.

    What libraries print goes to standard error, so that they cannot disturb the conversation.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    handle = prepare(json.loads(sys.argv[1]))
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(handle(json.loads(line))), file=answers, flush=True)


def number(message: Message, key: str) -> float:
    """Return a number of a message.

    Raises:
        KeyError: It is missing.
        TypeError: It is not a number.
    """
    value = message[key]
    if not isinstance(value, int | float):
        raise TypeError(f"{key} is not a number: {value!r}")
    return float(value)


def text(message: Message, key: str) -> str:
    """Return a text of a message.

    Raises:
        KeyError: It is missing.
    """
    return str(message[key])
