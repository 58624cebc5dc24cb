"""What the figures were measured on: processor, cores, memory, versions, and who else is busy."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import psutil

_PACKAGES: Final = ("millsight", "confluent-kafka", "psycopg", "tritonclient", "simplejpeg", "numpy")
_FLAGS: Final = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8")
_BUSY_SHARE: Final = 0.15
_LISTEN_S: Final = 1.0


def describe_machine() -> dict[str, object]:
    """Return facts about the machine and the installed versions."""
    facts = _processor()
    return {
        "cpu": facts.get("model name", platform.processor() or "unknown"),
        "cores": usable_cores(),
        "vector_instructions": [flag for flag in _FLAGS if flag in facts.get("flags", "").split()],
        "memory_gib": round(psutil.virtual_memory().total / 1024**3, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def busy_share() -> float:
    """Return which share of all cores others use right now: listens for a second, in which we sleep."""
    return psutil.cpu_percent(interval=_LISTEN_S) / 100


def is_busy(share: float) -> bool:
    """Whether others use so much that absolute figures are too low."""
    return share > _BUSY_SHARE


def has_package(name: str) -> bool:
    """Whether a distribution is installed."""
    return _version(name) is not None


def _processor() -> dict[str, str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines if line.strip())
    facts: dict[str, str] = {}
    for name, _, value in pairs:
        facts.setdefault(name.strip(), value.strip())
    return facts


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
