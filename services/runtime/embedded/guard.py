"""Kills what the supervisor leaves behind: the last line against orphans.

Run as a plain script with a pipe from the supervisor as standard input. Each line names a process group:
`add GROUP` or `remove GROUP`. When the pipe closes, because the supervisor ended or was killed with SIGKILL, the
children have had their death signal already; the guard tells their groups too, and kills after a grace period.
It inherits the stack's lock, so no second stack can start on the directory before the first is really gone.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

_POLL_S = 0.1


def main(grace_s: float) -> None:
    """Keep the list of groups until the pipe closes, then see them out."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        action, group = line.split()
        (groups.add if action == "add" else groups.discard)(int(group))
    end(groups, signal.SIGTERM)
    wait_until = time.monotonic() + grace_s
    while (alive := living_groups(groups)) and time.monotonic() < wait_until:
        time.sleep(_POLL_S)
    end(alive, signal.SIGKILL)
    while living_groups(groups) and time.monotonic() < wait_until + grace_s:
        time.sleep(_POLL_S)


def end(groups: set[int], number: signal.Signals) -> None:
    """Send a signal to every member of the groups that still exist."""
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, number)


def living_groups(groups: set[int]) -> set[int]:
    """Return those groups that still have a member which is not a zombie."""
    return groups & {group for stat in Path("/proc").glob("[0-9]*/stat") if (group := _group_of(stat)) is not None}


def _group_of(stat: Path) -> int | None:
    try:
        state, _, group = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return None
    return None if state in "ZX" else int(group)


if __name__ == "__main__":
    main(float(sys.argv[1]))
