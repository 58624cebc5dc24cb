"""What processes cost: memory by part of the stack, and processor time at given moments."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np

from services.runtime.clock import utc_now

_PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_KIB: Final = 1024
_MEMORY_FIELDS: Final = {"RssAnon:": "private", "RssFile:": "file", "RssShmem:": "shared"}


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in bytes.

    Attributes:
        rss: All that is resident, pages shared between processes counted once for each.
        private: What a process has for itself alone: where a leak shows. Mapped files and shared memory (the
            database's buffers, Triton's transport) have bounds of their own and are left out.
    """

    rss: int
    private: int

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.private + other.private)


NOTHING: Final = Memory(0, 0)


def memory_of(pid: int) -> Memory:
    """Return the memory of one process; nothing when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return NOTHING
    sizes = {_MEMORY_FIELDS[line.split()[0]]: int(line.split()[1]) * _KIB for line in lines if _is_memory(line)}
    return Memory(sum(sizes.values()), sizes.get("private", 0))


def _is_memory(line: str) -> bool:
    return line.split(maxsplit=1)[0] in _MEMORY_FIELDS if line.strip() else False


@dataclass(frozen=True, slots=True)
class Usage:
    """A process: its parent, and the processor time in seconds that it and its ended children have used."""

    parent: int
    core_s: float


def usage_of_all() -> dict[int, Usage]:
    """Return every process of the machine in one pass over /proc: a few milliseconds."""
    return {
        int(stat.parent.name): usage for stat in _PROC.glob("[0-9]*/stat") if (usage := _usage(stat)) is not None
    }


def core_seconds(roots: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time that each root process and its descendants have used up to now."""
    usages = usage_of_all()
    totals = dict.fromkeys(roots, 0.0)
    for pid, name in _families(roots, usages):
        totals[name] += usages[pid].core_s
    return totals


def _families(roots: Mapping[str, int], usages: Mapping[int, Usage]) -> Iterator[tuple[int, str]]:
    """Yield each process that descends from a root, and the root's name."""
    names = {pid: name for name, pid in roots.items()}
    for pid in usages:
        name = next((names[ancestor] for ancestor in _ancestry(pid, usages) if ancestor in names), None)
        if name is not None:
            yield pid, name


def _ancestry(pid: int, usages: Mapping[int, Usage]) -> Iterator[int]:
    while pid in usages:
        yield pid
        pid = usages[pid].parent


def _usage(stat: Path) -> Usage | None:
    try:
        fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return Usage(int(fields[1]), sum(int(ticks) for ticks in fields[11:15]) / _TICKS_PER_S)


class ProcessorMeter:
    """Notes the processor time of process families in the background, to tell later what was used when."""

    def __init__(self, roots: Mapping[str, int], every_s: float = 0.5) -> None:
        """Watch these root processes with all their descendants."""
        self._roots = dict(roots)
        self._every_s = every_s
        self._samples: list[tuple[float, dict[str, float]]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="processor-meter", daemon=True)

    def __enter__(self) -> "ProcessorMeter":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._ending.set()
        self._thread.join()

    def used_s(self, begin_s: float, end_s: float) -> dict[str, float]:
        """Return the core-seconds of each family between two Unix times, interpolated between samples.

        Raises:
            ValueError: Fewer than two samples were taken.
        """
        if len(self._samples) < 2:  # noqa: PLR2004 - a line goes through two points
            raise ValueError("the processes ended before their processor time was noted twice")
        times = [at_s for at_s, _ in self._samples]
        used = {}
        for name in self._roots:
            spent = [totals[name] for _, totals in self._samples]
            used[name] = float(np.interp(end_s, times, spent) - np.interp(begin_s, times, spent))
        return used

    def _watch(self) -> None:
        while not self._ending.wait(self._every_s):
            self._samples.append((utc_now().timestamp(), core_seconds(self._roots)))


def memory_of_families(roots: Mapping[str, int]) -> dict[str, Memory]:
    """Return the memory of each root process and its descendants."""
    totals = dict.fromkeys(roots, NOTHING)
    for pid, name in _families(roots, usage_of_all()):
        totals[name] += memory_of(pid)
    return totals


@dataclass(frozen=True, slots=True)
class MemorySample:
    """Memory of every watched part at a moment; seconds on the monotonic clock."""

    at_s: float
    parts: Mapping[str, Memory]


def sample_memory(roots: Mapping[str, int]) -> MemorySample:
    """Return the memory of every part now; descendants belong to their part."""
    return MemorySample(time.monotonic(), memory_of_families(roots))
