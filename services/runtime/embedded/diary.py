"""What the supervisor has to say: to whoever started it, and into its log."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from services.runtime.clock import Clock


class Diary:
    """Shows each line with the time of day (UTC), and keeps it in the log when it is not shown there anyway."""

    def __init__(self, log_file: Path, show: Callable[[str], None], clock: Clock) -> None:
        """Find out whether standard output is the log itself, as it is for a detached supervisor."""
        self._log_file = log_file
        self._show = show
        self._clock = clock
        log_file.touch()
        self._shown_in_log = os.path.samestat(os.fstat(sys.stdout.fileno()), log_file.stat())

    def note(self, line: str) -> None:
        """Show and keep one line."""
        now = self._clock()
        self._show(f"{now:%H:%M:%S} {line}")
        if not self._shown_in_log:
            with self._log_file.open("a", encoding="utf-8") as stream:
                stream.write(f"{now:%Y-%m-%dT%H:%M:%SZ} {line}\n")
