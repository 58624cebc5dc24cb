"""A small pool of read-only connections that says in words what is wrong when it cannot answer."""

import logging
import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from typing import LiteralString, TypeVar

import psycopg
from psycopg import errors, rows

from services.contracts.errors import MillsightError

logger = logging.getLogger(__name__)

RowT = TypeVar("RowT")
Parameters = Mapping[str, object]

_MAX_ROWS = 5_000
_NO_TABLES = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction, errors.InvalidSchemaName)
_SETTLE: LiteralString = """
select set_config('default_transaction_read_only', 'on', false),
       set_config('search_path', 'millsight', false),
       set_config('timezone', 'UTC', false),
       set_config('statement_timeout', %(statement_timeout_ms)s, false),
       set_config('idle_in_transaction_session_timeout', '10000', false)
"""


class Trouble(Enum):
    """Why the database gave no answer; the value names the sentence in `dashboard.words`."""

    GONE = "trouble.gone"
    REFUSED = "trouble.refused"
    NOT_PREPARED = "trouble.not_prepared"
    TOO_SLOW = "trouble.too_slow"
    BUSY = "trouble.busy"


class DataUnavailable(MillsightError):
    """The database did not answer; nothing is known, which is not the same as 'nothing happened'."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of the pool: connections, and seconds for waiting, connecting and one statement."""

    size: int = 4
    wait_s: float = 5.0
    connect_timeout_s: int = 5
    statement_timeout_s: float = 10.0


class Database:
    """Runs bounded read-only queries on a few shared connections; safe to use from many threads.

    Connections are opened when first needed and thrown away after any error, so a database that was away is
    found again by the next query.
    """

    def __init__(self, url: str, limits: PoolLimits | None = None) -> None:
        self._url = url
        self._limits = limits or PoolLimits()
        self._slots: queue.LifoQueue[psycopg.Connection | None] = queue.LifoQueue()
        for _ in range(self._limits.size):
            self._slots.put(None)

    def rows(self, row_type: type[RowT], query: LiteralString, parameters: Parameters | None = None) -> list[RowT]:
        """Return at most 5,000 rows as values of a dataclass whose fields bear the columns' names.

        Raises:
            DataUnavailable: The database is away, refuses, is not migrated, or took too long.
        """
        try:
            return self._rows_once(row_type, query, parameters or {})
        except DataUnavailable as gone:
            if gone.trouble is not Trouble.GONE:
                raise
            logger.info("database connection lost, trying a new one")
            return self._rows_once(row_type, query, parameters or {})

    def close(self) -> None:
        """Close all idle connections; the pool stays usable."""
        taken = []
        while not self._slots.empty():
            with suppress(queue.Empty):
                taken.append(self._slots.get_nowait())
        for connection in taken:
            if connection is not None:
                connection.close()
            self._slots.put(None)

    def _rows_once(self, row_type: type[RowT], query: LiteralString, parameters: Parameters) -> list[RowT]:
        with (
            self._connection() as connection,
            connection.cursor(row_factory=rows.class_row(row_type)) as cursor,
        ):
            cursor.execute(query, parameters)
            found: Sequence[RowT] = cursor.fetchmany(_MAX_ROWS)
            return list(found)

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        try:
            idle = self._slots.get(timeout=self._limits.wait_s)
        except queue.Empty:
            raise DataUnavailable(Trouble.BUSY) from None
        connection: psycopg.Connection | None = idle
        sound = False
        try:
            if connection is None:
                connection = self._connect()
            yield connection
            sound = True
        except psycopg.Error as error:
            trouble = _trouble(error)
            logger.warning("query failed: %s (%s)", trouble.name.lower(), type(error).__name__)
            raise DataUnavailable(trouble) from error
        finally:
            if connection is not None and not sound:
                connection.close()
            self._slots.put(connection if sound else None)

    def _connect(self) -> psycopg.Connection:
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=self._limits.connect_timeout_s,
            application_name="millsight-dashboard",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=2,
        )
        milliseconds = str(int(self._limits.statement_timeout_s * 1000))
        try:
            connection.execute(_SETTLE, {"statement_timeout_ms": milliseconds})
        except psycopg.Error:
            connection.close()
            raise
        return connection


def _trouble(error: psycopg.Error) -> Trouble:
    if isinstance(error, _NO_TABLES):
        return Trouble.NOT_PREPARED
    if isinstance(error, errors.QueryCanceled):
        return Trouble.TOO_SLOW
    if isinstance(error, (errors.InsufficientPrivilege, errors.InvalidAuthorizationSpecification)):
        return Trouble.REFUSED
    if isinstance(error, psycopg.OperationalError):
        # libpq reports a wrong password, role or database while connecting without an SQLSTATE.
        return Trouble.GONE
    raise error
