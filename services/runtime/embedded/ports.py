"""Ports on loopback: the wanted one when it is free, else any free one."""

import socket
from typing import Final

_HOST: Final = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of loopback or of all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that is free at this moment."""
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
