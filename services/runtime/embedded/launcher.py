"""Starts one child of the stack: binds its life to the parent's, drops privileges, then becomes the program.

Run as a plain script (`python -I -S launcher.py PARENT_PID DEATH_SIGNAL NICENESS IDENTITY PROGRAM ARG...`), so
that the supervisor forks nothing but this: no code runs between fork and exec in a process that has threads.
IDENTITY is `-` (stay as you are), `UID:GID` (become that user) or `namespace:UID:GID` (seem that user, inside a
user namespace of one's own: for a root whose files no other user can reach).
"""

import ctypes
import os
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_AUTOGROUP = Path("/proc/self/autogroup")
_CLONE_NEWUSER = 0x10000000


def main(arguments: list[str]) -> None:
    """Take the identity, ask for the death signal, and execute the program."""
    parent, death_signal, niceness, identity, *program = arguments
    _give_way(int(niceness))
    libc = ctypes.CDLL(None, use_errno=True)
    _take_identity(libc, identity)
    if libc.prctl(_PR_SET_PDEATHSIG, int(death_signal)) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):
        sys.exit("the supervisor is gone")
    os.execv(program[0], program)  # noqa: S606 - the whole purpose


def _give_way(niceness: int) -> None:
    if niceness == 0:
        return
    os.nice(niceness)
    # Every child leads a session of its own; where the kernel groups processes by session, it weighs the groups
    # against each other by this file alone. In a container the file may be read-only: the niceness then has to do.
    if _AUTOGROUP.exists():
        with suppress(OSError):
            _AUTOGROUP.write_text(str(niceness), encoding="ascii")


def _take_identity(libc: ctypes.CDLL, identity: str) -> None:
    if identity == "-":
        return
    *namespace, uid, gid = identity.split(":")
    if namespace:
        outer_uid, outer_gid = os.geteuid(), os.getegid()
        if libc.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")
        return
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))


if __name__ == "__main__":
    main(sys.argv[1:])
