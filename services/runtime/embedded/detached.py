"""Starts the supervisor in a session of its own and waits until the line is ready."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from services.contracts.errors import TransientError
from services.runtime.deadline import Deadline
from services.runtime.embedded.greeting import READY
from services.runtime.embedded.home import Home
from services.runtime.embedded.tail import Tail

_TIMEOUT_S: Final = 900.0
_ERROR_PREFIX: Final = "millsight: "
_POLL_S: Final = 0.2


def start_detached(home: Home, arguments: Sequence[str], show: Callable[[str], None]) -> None:
    """Run `millsight` with these arguments in the background, show what it says, return once the line is ready.

    Raises:
        TransientError: It ended before the line was ready, or took too long.
    """
    home.create()
    log = home.log_file("supervisor")
    tail = Tail([log])
    list(tail.last(0))
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    said = f"see {log}"
    wait = Deadline.after(_TIMEOUT_S)
    while not wait.expired:
        ended = process.poll() is not None
        for line in tail.more():
            if line.startswith(_ERROR_PREFIX):
                said = line.removeprefix(_ERROR_PREFIX)
                continue
            show(line)
            if line == READY:
                return
        if ended:
            raise TransientError(f"the line did not start: {said}")
        time.sleep(_POLL_S)
    process.send_signal(signal.SIGTERM)
    raise TransientError(f"the line was not ready within {_TIMEOUT_S:.0f} s: see {log}")
