"""Creates the database, its schema and the roles, each with no more than it needs."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from services.adapters.postgres.connecting import Connection, connect, one_line
from services.contracts.errors import ConfigurationError, StorageUnavailable

OWNER: Final = "millsight_owner"
CLASSIFIER: Final = "millsight_classifier"
MONITOR: Final = "millsight_monitor"
PLANNER: Final = "millsight_planner"
DASHBOARD: Final = "millsight_dashboard"
REPORTS: Final = "millsight_reports"
DATABASE: Final = "millsight"

_REPLACED: Final = frozenset({"user", "password", "dbname", "passfile"})
_OLDEST_SERVER: Final = 150000
_ROLES_LOCK: Final = 0x6D696C6C726F6C65
"""Key of the advisory lock that lets one role set-up run at a time: 'millrole' in ASCII."""

_POWERS: Final = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s
"""

_READER: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "10s",
    "idle_session_timeout": "30min",
    "max_parallel_workers_per_gather": "0",
    "work_mem": "32MB",
}
"""Readers give way to the line: one core a question, sorts in memory and not on the disk that commits wait for."""


@dataclass(frozen=True, slots=True)
class _Role:
    """A login role: how many connections it may hold, and its session defaults."""

    name: str
    connections: int
    defaults: Mapping[str, str] = field(default_factory=dict)


_ROLES: Final = (
    _Role(OWNER, 10),
    _Role(CLASSIFIER, 32, {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "30s"}),
    _Role(MONITOR, 8, {"statement_timeout": "120s", "idle_in_transaction_session_timeout": "60s"}),
    _Role(PLANNER, 12, {"statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s"}),
    _Role(DASHBOARD, 12, _READER),
    _Role(REPORTS, 12, _READER),
)
ROLE_NAMES: Final = tuple(role.name for role in _ROLES)


def role_url(admin_url: str, role: str, password: str, database: str = DATABASE) -> str:
    """Return the libpq URL of another role on the same server, with the connection options of `admin_url`.

    Raises:
        ConfigurationError: `admin_url` is no libpq URL.
    """
    try:
        given = conninfo_to_dict(admin_url)
    except psycopg.ProgrammingError:
        raise ConfigurationError("the administrator's database URL is not a libpq URL") from None
    options = {key: str(value) for key, value in given.items() if key not in _REPLACED}
    place = ""
    if _is_one_host(options.get("host", "")):
        host = options.pop("host")
        place = f"[{host}]" if ":" in host else host
        if "port" in options:
            place += ":" + options.pop("port")
    login = f"{quote(role, safe='')}:{quote(password, safe='')}"
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    return f"postgresql://{login}@{place}/{quote(database, safe='')}" + (f"?{query}" if query else "")


def _is_one_host(host: str) -> bool:
    """Whether a host may stand before the path of a URL: not a list of hosts, not a socket's directory."""
    return bool(host) and "," not in host and not host.startswith("/")


def ensure_roles(admin_url: str, passwords: Mapping[str, str], database: str = DATABASE) -> None:
    """Create what is missing and set what differs: roles, passwords, limits, database, schema. Safe to repeat.

    Args:
        admin_url: libpq URL of a superuser, or of a role with CREATEROLE (and CREATEDB if `database` is new).
        passwords: One for each of `ROLE_NAMES`; sent to the server as a SCRAM-SHA-256 verifier, never in clear.
        database: Name of the database.

    Raises:
        ConfigurationError: A password is missing, the administrator may not do this, or the server is too old.
        StorageUnavailable: The server does not answer.
    """
    for name in ROLE_NAMES:
        if not passwords.get(name):
            raise ConfigurationError(f"no password given for database role {name!r}")
    with closing(connect(admin_url, application_name="millsight db roles")) as admin, _explained(admin):
        _check_server(admin)
        admin.execute("SELECT pg_advisory_lock(%s)", (_ROLES_LOCK,))
        for role in _ROLES:
            _ensure_role(admin, role, passwords[role.name])
        _ensure_database(admin, database)
    own_url = _same_user_url(admin_url, database)
    with closing(connect(own_url, application_name="millsight db roles")) as inside, _explained(inside):
        _ensure_schema(inside, database)


@contextmanager
def _explained(connection: Connection) -> Iterator[None]:
    """Turn refusals into the user's sentence, and a lost connection into 'try again'."""
    user = connection.info.user
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"database user {user!r} may not set up Millsight's roles and database ({one_line(error)}):"
            " give a superuser, or a role with CREATEROLE and CREATEDB"
        ) from error
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"the database was lost while roles were set up: {one_line(error)}") from error


def _check_server(admin: Connection) -> None:
    version = admin.info.server_version
    if version < _OLDEST_SERVER:
        raise ConfigurationError(f"PostgreSQL {version // 10000} is too old: Millsight needs 15 or newer, best 18")
    row = admin.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
    if row is None or not row[0]:
        raise ConfigurationError(
            f"database user {admin.info.user!r} may not create roles: give a superuser or a role with CREATEROLE"
        )


def _ensure_role(admin: Connection, role: _Role, password: str) -> None:
    name = sql.Identifier(role.name)
    verifier = admin.pgconn.encrypt_password(password.encode(), role.name.encode(), b"scram-sha-256").decode()
    powers = admin.execute(_POWERS, (role.name,)).fetchone()
    if powers is None:
        admin.execute(sql.SQL("CREATE ROLE {}").format(name))
    elif powers[0]:
        raise ConfigurationError(
            f"database role {role.name!r} exists with powers it must not have (superuser, create role, create"
            " database, replication or bypass of row security): take them away first"
        )
    admin.execute(
        sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            name, sql.Literal(role.connections), sql.Literal(verifier)
        )
    )
    for setting, value in {"search_path": "millsight", "timezone": "UTC", **role.defaults}.items():
        admin.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def _ensure_database(admin: Connection, database: str) -> None:
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
        admin.execute(
            sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(sql.Identifier(database))
        )


def _ensure_schema(inside: Connection, database: str) -> None:
    """Close the database to everyone but our roles, and give the owner its schema."""
    names, place = [sql.Identifier(name) for name in ROLE_NAMES], sql.Identifier(database)
    inside.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(place))
    inside.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    inside.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(place, sql.SQL(", ").join(names)))
    if inside.execute("SELECT to_regnamespace('millsight')").fetchone() == (None,):
        if inside.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,):
            inside.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
        inside.execute(sql.SQL("CREATE SCHEMA millsight AUTHORIZATION {}").format(sql.Identifier(OWNER)))


def _same_user_url(admin_url: str, database: str) -> str:
    given = conninfo_to_dict(admin_url)
    return role_url(admin_url, str(given.get("user", "")), str(given.get("password", "")), database)
