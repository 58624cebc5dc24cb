"""Ports on loopback: the wanted one when it is free, else any free one."""

import random
import socket
from pathlib import Path
from typing import Final

_HOST: Final = "127.0.0.1"
_LOWEST_PORT: Final = 10_000
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_TRIES: Final = 100


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of loopback or of all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port(range_file: Path = _RANGE_FILE) -> int:
    """Return a port that is free at this moment.

    It is taken from below the range that the system lends to outgoing connections: a client that connects before
    the server has bound its port (a probe, a broker's client that tries again) could otherwise be lent that very
    port, and the server would find it in use.
    """
    above = _first_lent_port(range_file)
    if above is not None and above > _LOWEST_PORT:
        for port in random.sample(range(_LOWEST_PORT, above), min(_TRIES, above - _LOWEST_PORT)):
            if is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def choose_port(*wanted: int | None, taken: frozenset[int] = frozenset()) -> int:
    """Return the first wanted port that is free and not taken by another part, else any free one."""
    for port in wanted:
        if port is not None and port not in taken and is_free(port):
            return port
    while (free := free_port()) in taken:
        pass
    return free


def _first_lent_port(range_file: Path) -> int | None:
    try:
        return int(range_file.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return None  # not Linux: there is nothing to avoid that could be read
