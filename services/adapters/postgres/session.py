"""One connection that is opened when needed, shared in turns, and given up when it fails."""

import logging
import threading
from types import TracebackType
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from services.adapters.postgres.arrays import register_arrays
from services.adapters.postgres.connecting import Connection, connect, translated
from services.contracts.errors import StorageUnavailable
from services.runtime.settings import PostgresSettings

_LOG: Final = logging.getLogger(__name__)
_LOCK_TIMEOUT_S: Final = 5.0


class Session:
    """A context that yields a live connection to one thread at a time and translates what the database raises.

    Leaving the context with a database error closes the connection, so that the next entry opens a new one.
    """

    def __init__(self, settings: PostgresSettings, application_name: str) -> None:
        self._settings = settings
        self._application_name = application_name
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Connection:
        self._turn.acquire()
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._open()
        except BaseException:
            self._turn.release()
            raise
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None and not self._is_idle():
                self._give_up()
            if isinstance(error, psycopg.Error):
                self._give_up()
                with translated():
                    raise error
        finally:
            self._turn.release()

    def close(self) -> None:
        """Close the connection if one is open."""
        with self._turn:
            self._give_up()

    def _open(self) -> Connection:
        connection = connect(
            self._settings.read_url(),
            application_name=self._application_name,
            connect_timeout_s=self._settings.connect_timeout_s,
        )
        register_arrays(connection)
        try:
            with translated():
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
                    " set_config('synchronous_commit', 'on', false)",
                    (_milliseconds(self._settings.statement_timeout_s), _milliseconds(_LOCK_TIMEOUT_S)),
                )
        except BaseException:
            connection.close()
            raise
        _LOG.info("connected to database %s at %s", connection.info.dbname, connection.info.host)
        return connection

    def _is_idle(self) -> bool:
        connection = self._connection
        return connection is not None and connection.info.transaction_status is TransactionStatus.IDLE

    def _give_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except psycopg.Error as error:
                raise StorageUnavailable("the database connection broke while it was closed") from error


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
