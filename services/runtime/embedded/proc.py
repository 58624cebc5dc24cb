"""What the kernel knows of processes, read from /proc."""

from collections.abc import Iterator
from pathlib import Path


def dead_children(parent: int) -> list[int]:
    """Return children of a process that have ended and that it has not noticed."""
    return [pid for pid, state, ppid, _ in _processes() if ppid == parent and state in "ZX"]


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None when there is no such living process.

    Together with its number this names a process for ever: numbers are used again, pairs are not.
    """
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _processes() -> Iterator[tuple[int, str, int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields is not None:
            yield int(stat.parent.name), fields[0], int(fields[1]), int(fields[2])


def _fields(stat: Path) -> list[str] | None:
    """The fields after the program's name, which may itself hold spaces and brackets."""
    try:
        return stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
