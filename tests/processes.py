"""What processes of a running stack do, seen from outside."""

import psutil


def listening(pid: int) -> list[tuple[str, str]]:
    """Return name and address of everything that a process and its descendants listen on.

    Servers start and end helpers all the time: one that ended while it was looked at listens on nothing.
    """
    process = psutil.Process(pid)
    found = []
    for each in (process, *process.children(recursive=True)):
        try:
            connections = each.net_connections("inet")
            found += [(each.name(), one.laddr.ip) for one in connections if one.status == psutil.CONN_LISTEN]
        except psutil.NoSuchProcess:
            continue
    return found
