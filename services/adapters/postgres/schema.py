"""Brings the database schema to the version this program needs, through Alembic."""

from contextlib import closing
from typing import Final

import psycopg
from alembic.command import upgrade
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.rows import tuple_row
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from services.adapters.postgres.connecting import connect, translated
from services.adapters.postgres.roles import ROLE_NAMES
from services.adapters.postgres.sql_files import MIGRATIONS, run_sql_file
from services.contracts.errors import ConfigurationError

SCHEMA: Final = "millsight"
_MIGRATION_LOCK: Final = 0x6D696C6C73696768
"""Key of the advisory lock that lets one migration run at a time: 'millsigh' in ASCII."""


def newest_revision() -> str:
    """Return the revision this program needs."""
    head = _scripts().get_current_head()
    assert head is not None  # noqa: S101 - the package ships at least one revision
    return head


def migrate(owner_url: str) -> None:
    """Bring schema and privileges up to date; a second call, or one at the same time elsewhere, changes nothing.

    Args:
        owner_url: libpq URL of role `millsight_owner`.

    Raises:
        ConfigurationError: The roles are missing, the user may not create the schema, or the database was migrated
            by a newer program.
        StorageUnavailable: The database does not answer.
    """
    with closing(connect(owner_url, application_name="millsight db migrate")) as lock, translated():
        # A session lock on a connection of its own: it holds across the commits of all revisions.
        lock.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        _check_ready(lock)
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect(owner_url, application_name="millsight db migrate", autocommit=False),
            poolclass=NullPool,
        )
        try:
            with engine.begin() as connection:
                _refuse_newer(connection)
                upgrade(_config(connection), "head")
                run_sql_file(connection, "grants.sql")
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise error.orig from error
            raise
        finally:
            engine.dispose()


def current_revision(owner_url: str) -> str | None:
    """Return the revision of the database, None before the first migration.

    Raises:
        StorageUnavailable: The database does not answer.
    """
    with closing(connect(owner_url, application_name="millsight db")) as connection:
        if _one(connection, "SELECT to_regclass('millsight.alembic_version')") is None:
            return None
        revision = _one(connection, "SELECT version_num FROM millsight.alembic_version")
        return None if revision is None else str(revision)


def set_retention(owner_url: str, keep_days: int, keep_image_days: int) -> list[str]:
    """Keep results for so many days from now on, and drop what is older; return the dropped day partitions.

    Raises:
        ConfigurationError: A number is below 1, or the user is not the owner.
        StorageUnavailable: The database does not answer, or a table is held by somebody.
    """
    if min(keep_days, keep_image_days) < 1:
        raise ConfigurationError("keep at least one day of inspections and of images")
    with closing(connect(owner_url, application_name="millsight db retention")) as connection, translated():
        days = (keep_days, keep_image_days)
        connection.execute("UPDATE millsight.retention SET keep_days = %s, keep_image_days = %s", days)
        found = connection.execute("SELECT millsight.apply_retention()")
        return [str(row[0]) for row in found]


def _one(connection: psycopg.Connection[tuple[object, ...]], query: str) -> object:
    row = connection.cursor(row_factory=tuple_row).execute(query.encode()).fetchone()
    return None if row is None else row[0]


def _check_ready(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", (list(ROLE_NAMES),))
    missing = sorted(set(ROLE_NAMES) - {str(row[0]) for row in found})
    if missing:
        raise ConfigurationError(
            f"the database lacks the roles {', '.join(missing)}: run `millsight db roles` first"
        )
    if _one(connection, "SELECT to_regnamespace('millsight')") is None:
        raise ConfigurationError(
            f"database {connection.info.dbname!r} has no schema {SCHEMA!r}: run `millsight db roles` first"
        )
    # A superuser may not either: functions with the owner's rights would then run with a superuser's.
    if not _one(
        connection, "SELECT nspowner = current_user::regrole FROM pg_namespace WHERE nspname = 'millsight'"
    ):
        raise ConfigurationError(
            f"user {connection.info.user!r} does not own schema {SCHEMA!r}: migrate as role millsight_owner"
        )


def _refuse_newer(connection: Connection) -> None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    known = {script.revision for script in _scripts().walk_revisions()}
    for revision in context.get_current_heads():
        if revision not in known:
            raise ConfigurationError(
                f"the database has schema revision {revision}, which this version of Millsight does not know"
                f" (it knows up to {newest_revision()}): update Millsight, the database is never taken back"
            )


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))
