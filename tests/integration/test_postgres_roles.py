"""Least privilege, role by role: everything not needed is refused with 42501, or by a read-only transaction."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from services.adapters.postgres.roles import (
    CLASSIFIER,
    DASHBOARD,
    OWNER,
    REPORTS,
    ROLE_NAMES,
    ensure_roles,
    role_url,
)
from services.adapters.postgres.schema import current_revision, migrate
from services.contracts.errors import ConfigurationError
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.fixtures_postgres import PASSWORDS, Database, Repository, a_reject, an_inspection

TABLES = (
    "lines", "machines", "cameras", "coils", "model_versions", "inspections", "inspection_images",
    "rejected_frames", "camera_sessions", "camera_status",
)  # fmt: skip
WRITABLE = ("inspections", "inspection_images", "rejected_frames", "model_versions")
READERS = (DASHBOARD, REPORTS)


def _on(table: str, statement: str) -> str:
    return sql.SQL(statement).format(sql.Identifier(table)).as_string()


def _refusals() -> Iterator[object]:
    for role in (CLASSIFIER, *READERS):
        for table in TABLES:
            yield pytest.param(role, _on(table, "DELETE FROM {}"), id=f"{role}-delete-{table}")
            yield pytest.param(role, _on(table, "TRUNCATE {}"), id=f"{role}-truncate-{table}")
            yield pytest.param(role, _on(table, "DROP TABLE {}"), id=f"{role}-drop-{table}")
            if role != CLASSIFIER or table not in WRITABLE:
                yield pytest.param(role, _on(table, "INSERT INTO {} DEFAULT VALUES"), id=f"{role}-insert-{table}")
        yield pytest.param(role, "UPDATE inspections SET defect_class = 'crease'", id=f"{role}-update-verdict")
        yield pytest.param(role, "UPDATE rejected_frames SET reason = 'x'", id=f"{role}-update-reject")
        yield pytest.param(role, "UPDATE coils SET last_seen = now()", id=f"{role}-update-coil")
        yield pytest.param(role, "UPDATE cameras SET machine_id = 'welder-1'", id=f"{role}-update-camera")
        yield pytest.param(role, "UPDATE camera_status SET dropped_total = 0", id=f"{role}-update-status")
        yield pytest.param(role, "CREATE TABLE mine (a int)", id=f"{role}-create-table")
        yield pytest.param(role, "CREATE TABLE public.mine (a int)", id=f"{role}-create-public-table")
        yield pytest.param(role, "CREATE SCHEMA mine", id=f"{role}-create-schema")
        yield pytest.param(role, "CREATE TEMP TABLE mine (a int)", id=f"{role}-create-temporary-table")
        yield pytest.param(role, "ALTER TABLE inspections ADD COLUMN mine int", id=f"{role}-alter")
        yield pytest.param(role, "SELECT drop_old_partitions(1, 1)", id=f"{role}-drop-partitions")
        yield pytest.param(role, "UPDATE retention SET keep_days = 1", id=f"{role}-set-retention")
        yield pytest.param(role, "SELECT add_partition('inspections', '2030-01-01')", id=f"{role}-add-partition")
        yield pytest.param(role, "SET ROLE millsight_owner", id=f"{role}-become-owner")
        yield pytest.param(role, "SELECT pg_read_file('PG_VERSION')", id=f"{role}-read-file")
        yield pytest.param(role, "COPY inspections TO PROGRAM 'cat'", id=f"{role}-run-program")
        yield pytest.param(role, "CREATE ROLE mine", id=f"{role}-create-role")
        yield pytest.param(role, "SELECT * FROM inspections_default", id=f"{role}-read-partition")
    for role in READERS:
        yield pytest.param(role, "SELECT note_cameras('{a}', '{now}', '{now}')", id=f"{role}-note-cameras")
        yield pytest.param(role, "SELECT ensure_partitions(1)", id=f"{role}-ensure-partitions")
    yield pytest.param(CLASSIFIER, "SELECT defect_class FROM inspections", id="classifier-read-verdicts")
    yield pytest.param(CLASSIFIER, "SELECT image FROM inspection_images", id="classifier-read-images")
    yield pytest.param(CLASSIFIER, "SELECT * FROM maintenance_report", id="classifier-read-report")


def test_every_forbidden_verb_is_refused(database: Database) -> None:
    """One database for the whole table of refusals: about 160 statements, none of which may change a thing."""
    let_through = []
    for case in _refusals():
        role, statement = case.values  # type: ignore[attr-defined] # a pytest parameter set
        with psycopg.connect(database.url(role), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")  # what an intruder would do first
            try:
                connection.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                continue
            except psycopg.Error as error:
                let_through.append((case.id, error.sqlstate))  # type: ignore[attr-defined]
                continue
        let_through.append((case.id, "executed"))  # type: ignore[attr-defined]
    assert let_through == []


@pytest.mark.parametrize("role", READERS)
def test_readers_read_every_table_and_view_in_read_only_transactions(database: Database, role: str) -> None:
    for name in (*TABLES, "maintenance_report", "camera_activity", "line_overview"):
        database.rows(_on(name, "SELECT * FROM {} LIMIT 1"), role)
    settings = {
        "search_path": "millsight",
        "transaction_read_only": "on",
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "10s",
        "TimeZone": "UTC",
    }
    with psycopg.connect(database.url(role)) as connection:
        found = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in settings}
    assert found == {name: (value,) for name, value in settings.items()}


def test_the_writer_can_do_its_work(database: Database, repository: Repository) -> None:
    assert repository.store([an_inspection("crease", image=b"\xff\xd8\xff")], [a_reject()]).inserted == 1
    repository.ensure_partitions()


def test_nobody_else_may_connect(database: Database) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS stranger")
        admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    with pytest.raises(psycopg.OperationalError, match="CONNECT"):
        psycopg.connect(role_url(database.admin_url, "stranger", "stranger", database.name))


def test_passwords_are_kept_as_scram_verifiers_and_a_new_password_replaces_the_old(database: Database) -> None:
    with psycopg.connect(database.admin_url) as admin:
        kept = admin.execute("SELECT rolpassword FROM pg_authid WHERE rolname = ANY(%s)", (list(ROLE_NAMES),))
        assert all(row[0].startswith("SCRAM-SHA-256$") for row in kept)
    changed = {**PASSWORDS, REPORTS: "another"}
    ensure_roles(database.admin_url, changed, database.name)
    try:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(database.reports_url)
        psycopg.connect(role_url(database.admin_url, REPORTS, "another", database.name)).close()
    finally:
        ensure_roles(database.admin_url, PASSWORDS, database.name)


def test_an_administrator_without_the_right_to_create_roles_is_told_so(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="CREATEROLE"):
        ensure_roles(database.reports_url, PASSWORDS, database.name)


def test_a_missing_password_is_the_users_mistake(postgres_admin_url: str) -> None:
    with pytest.raises(ConfigurationError, match="millsight_owner"):
        ensure_roles(postgres_admin_url, {})


@pytest.fixture
def other_server(stack_home: Path) -> Iterator[str]:
    """A server of the user's own, on which Millsight is not yet set up."""
    server = EmbeddedPostgres(stack_home / "external", free_port())
    (stack_home / "external").mkdir(mode=0o755)
    server.start()
    yield server.admin_url
    server.stop()


def test_an_administrator_who_is_no_superuser_can_set_everything_up(other_server: str) -> None:
    with psycopg.connect(other_server, autocommit=True) as superuser:
        superuser.execute("CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'dba'")
        superuser.execute("CREATE ROLE weak LOGIN CREATEROLE PASSWORD 'weak'")
    dba = role_url(other_server, "dba", "dba", "postgres")

    with pytest.raises(ConfigurationError, match="CREATEDB"):
        ensure_roles(role_url(other_server, "weak", "weak", "postgres"), PASSWORDS)
    with psycopg.connect(other_server, autocommit=True) as superuser:
        for name in ROLE_NAMES:
            superuser.execute(f"DROP ROLE {name}".encode())

    ensure_roles(dba, PASSWORDS)
    ensure_roles(dba, PASSWORDS)
    owner = role_url(dba, OWNER, PASSWORDS[OWNER])
    migrate(owner)
    assert current_revision(owner) == "0001"
    with psycopg.connect(other_server, autocommit=True) as superuser:
        superuser.execute("ALTER ROLE millsight_reports SUPERUSER")
    with pytest.raises(ConfigurationError, match="powers"):
        ensure_roles(dba, PASSWORDS)
