"""Opens connections and tells the faults of PostgreSQL apart by SQLSTATE, never by message text."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from services.contracts.errors import ConfigurationError, StorageUnavailable

Connection = psycopg.Connection[tuple[object, ...]]


class Fault(Enum):
    """What a database error asks for."""

    UNAVAILABLE = "hold the work, connect anew, try again"
    ROW = "a value in a row is refused for ever: find the row, store the others"
    SCHEMA = "the schema or the privileges do not fit this program: a user's mistake"
    BUG = "none of the above"


_UNAVAILABLE_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58", "XX"})
"""Connection, wrong transaction state (read-only standby), rollback (deadlock, serialization), resources (disk
full), locks, operator (shutdown, cancelled by timeout), system, internal."""

_UNAVAILABLE_CODES: Final = frozenset({"0A000", "26000"})
"""A cached plan that a migration outdated, a prepared statement that a pooler forgot: reconnecting cures both."""

_ROW_CLASSES: Final = frozenset({"22", "23", "54"})
"""Data, integrity, program limits (an index entry too long)."""

_SCHEMA_CLASSES: Final = frozenset({"28", "3D", "3F", "42"})
"""Authorisation, missing database, missing schema, missing or forbidden objects."""


def fault_of(error: psycopg.Error) -> Fault:
    """Say what an error asks for; an error without SQLSTATE from the server means that the connection is gone."""
    state = error.sqlstate
    if state is None:
        return Fault.UNAVAILABLE if isinstance(error, psycopg.OperationalError) else Fault.BUG
    family = state[:2]
    if family in _UNAVAILABLE_CLASSES or state in _UNAVAILABLE_CODES:
        return Fault.UNAVAILABLE
    if family in _ROW_CLASSES:
        return Fault.ROW
    return Fault.SCHEMA if family in _SCHEMA_CLASSES else Fault.BUG


def connect(url: str, *, application_name: str, autocommit: bool = True, connect_timeout_s: int = 5) -> Connection:
    """Open a connection that notices a dead peer within about ten seconds.

    Raises:
        ConfigurationError: The URL is no libpq URL.
        StorageUnavailable: Nobody answers, or the server refuses; the sentence has libpq's reason, no password.
    """
    defaults: dict[str, str | int] = {
        "connect_timeout": connect_timeout_s,
        "application_name": application_name,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # libpq's message may quote the URL, password included: it is neither chained nor repeated.
        raise ConfigurationError(
            "the database URL is not a libpq URL such as postgresql://user:password@host:port/name"
        ) from None
    conninfo = make_conninfo("", **{**defaults, **given})
    try:
        return psycopg.connect(conninfo, autocommit=autocommit)
    except psycopg.Error as error:
        raise StorageUnavailable(f"the database cannot be reached: {one_line(error)}") from error


def one_line(error: psycopg.Error) -> str:
    """Return the error's first line, with its SQLSTATE where there is one."""
    text = next(iter(str(error).strip().splitlines()), "no reason given")
    return text if error.sqlstate is None else f"{text} (SQLSTATE {error.sqlstate})"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the database raises into Millsight's error families; a fault in a row passes as it is.

    Raises:
        StorageUnavailable: Infrastructure; try again.
        ConfigurationError: Missing tables, missing privileges.
    """
    try:
        yield
    except psycopg.Error as error:
        fault = fault_of(error)
        if fault is Fault.UNAVAILABLE:
            raise StorageUnavailable(f"the database did not take the work: {one_line(error)}") from error
        if fault is Fault.SCHEMA:
            raise ConfigurationError(
                f"the database does not fit this version of Millsight ({one_line(error)}):"
                " run `millsight db migrate` and check which role the room connects as"
            ) from error
        raise
