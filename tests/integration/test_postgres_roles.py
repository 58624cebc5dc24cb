"""Least privilege, role by role: everything not needed is refused with 42501, or by a read-only transaction."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from services.adapters.postgres.roles import (
    CLASSIFIER,
    DASHBOARD,
    MONITOR,
    OWNER,
    PLANNER,
    REPORTS,
    ROLE_NAMES,
    ensure_roles,
    role_url,
)
from services.adapters.postgres.schema import current_revision, migrate, newest_revision
from services.contracts.errors import ConfigurationError
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from tests.fixtures_postgres import PASSWORDS, Database, Repository, a_reject, an_inspection

TABLES = (
    "lines", "machines", "cameras", "coils", "model_versions", "inspections", "inspection_images",
    "rejected_frames", "camera_sessions", "camera_status", "retention", "topology_versions", "machine_groups",
    "coil_records", "camera_exposures", "stream_points", "landmark_events", "defects", "defect_sightings",
    "nightly_list", "flags", "flag_aliases", "camera_conditions", "work_orders", "work_order_events",
    "alert_outbox", "alert_deliveries", "frame_counts", "reviews", "review_pictures", "second_looks",
)  # fmt: skip
VIEWS = (
    "maintenance_report", "sightings_report", "machine_health", "machine_repairs", "defect_rate_hourly",
    "coil_report", "containment", "camera_health", "camera_activity", "line_overview", "review_answers",
)  # fmt: skip
REPLACED = (
    "machine_groups", "camera_exposures", "stream_points", "landmark_events", "defects", "defect_sightings",
    "nightly_list",
)  # fmt: skip
"""What the process monitor deletes when it judges a coil or a night again."""
WRITABLE = {
    CLASSIFIER: ("inspections", "inspection_images", "rejected_frames", "model_versions"),
    MONITOR: (
        *REPLACED,
        "coil_records",
        "flags",
        "flag_aliases",
        "camera_conditions",
        "alert_outbox",
        "alert_deliveries",
    ),
}
WORKERS = (CLASSIFIER, MONITOR, PLANNER)
READERS = (DASHBOARD, REPORTS)


def _on(table: str, statement: str) -> str:
    return sql.SQL(statement).format(sql.Identifier(table)).as_string()


def _refusals() -> Iterator[tuple[str, str, str]]:
    # Name of the case, role, statement.
    for role in (*WORKERS, *READERS):
        for table in TABLES:
            if role != MONITOR or table not in REPLACED:
                yield f"{role}-delete-{table}", role, _on(table, "DELETE FROM {}")
            yield f"{role}-truncate-{table}", role, _on(table, "TRUNCATE {}")
            yield f"{role}-drop-{table}", role, _on(table, "DROP TABLE {}")
            if table not in WRITABLE.get(role, ()):
                yield f"{role}-insert-{table}", role, _on(table, "INSERT INTO {} DEFAULT VALUES")
        yield f"{role}-update-verdict", role, "UPDATE inspections SET defect_class = 'crease'"
        yield f"{role}-update-reject", role, "UPDATE rejected_frames SET reason = 'x'"
        yield f"{role}-update-coil", role, "UPDATE coils SET last_seen = now()"
        yield f"{role}-update-camera", role, "UPDATE cameras SET machine_id = 'welder-1'"
        yield f"{role}-update-status", role, "UPDATE camera_status SET dropped_total = 0"
        yield f"{role}-create-table", role, "CREATE TABLE mine (a int)"
        yield f"{role}-create-public-table", role, "CREATE TABLE public.mine (a int)"
        yield f"{role}-create-schema", role, "CREATE SCHEMA mine"
        yield f"{role}-create-temporary-table", role, "CREATE TEMP TABLE mine (a int)"
        yield f"{role}-alter", role, "ALTER TABLE inspections ADD COLUMN mine int"
        yield f"{role}-drop-partitions", role, "SELECT drop_old_partitions(1, 1)"
        yield f"{role}-set-retention", role, "UPDATE retention SET keep_days = 1"
        yield f"{role}-add-partition", role, "SELECT add_partition('inspections', '2030-01-01')"
        yield f"{role}-become-owner", role, "SET ROLE millsight_owner"
        yield f"{role}-read-file", role, "SELECT pg_read_file('PG_VERSION')"
        yield f"{role}-run-program", role, "COPY inspections TO PROGRAM 'cat'"
        yield f"{role}-create-role", role, "CREATE ROLE mine"
        yield f"{role}-read-partition", role, "SELECT * FROM inspections_default"
        yield from _refusals_of_what_people_decide(role)
    for role in (MONITOR, PLANNER, *READERS):
        yield f"{role}-note-cameras", role, "SELECT note_cameras('{a}', '{now}', '{now}')"
        yield f"{role}-ensure-partitions", role, "SELECT ensure_partitions(1)"
    yield "classifier-read-verdicts", CLASSIFIER, "SELECT defect_class FROM inspections"
    yield "classifier-read-images", CLASSIFIER, "SELECT image FROM inspection_images"
    yield "classifier-read-report", CLASSIFIER, "SELECT * FROM maintenance_report"


def _refusals_of_what_people_decide(role: str) -> Iterator[tuple[str, str, str]]:
    yield f"{role}-close-flag", role, "UPDATE flags SET closed_at = now()"
    yield f"{role}-insert-closed-flag", role, "INSERT INTO flags (closed_at) VALUES (now())"
    yield f"{role}-update-order", role, "UPDATE work_orders SET state = 'done'"
    yield f"{role}-update-event", role, "UPDATE work_order_events SET who = 'x'"
    yield f"{role}-update-topology", role, "UPDATE topology_versions SET document = '{}'"
    yield f"{role}-update-alert", role, "UPDATE alert_outbox SET subject = 'x'"
    yield f"{role}-forget-numbers", role, "SELECT database_was_restored()"
    if role != PLANNER:
        step = "SELECT work_order_step('WO-000001', 'acknowledge', 'Ada')"
        yield f"{role}-step", role, step
    if role != MONITOR:
        yield f"{role}-repair", role, "SELECT record_repair('WO-000001', 'verified', '')"
        yield f"{role}-read-checkpoint", role, "SELECT state FROM monitor_checkpoints"
        yield f"{role}-delete-cursor", role, "DELETE FROM monitor_cursor"


def test_every_forbidden_verb_is_refused(database: Database) -> None:
    """One database for the whole table of refusals: about 600 statements, none of which may change a thing."""
    let_through = []
    cases = list(_refusals())
    for asking in (*WORKERS, *READERS):
        with psycopg.connect(database.url(asking), autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")  # what an intruder would do first
            for name, role, statement in cases:
                if role != asking:
                    continue
                result = _result(connection, statement)
                if result != "42501":
                    let_through.append((name, result))
    assert let_through == []


def _result(connection: psycopg.Connection, statement: str) -> str | None:
    try:
        connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return "executed"


@pytest.mark.parametrize("role", READERS)
def test_readers_read_every_table_and_view_in_read_only_transactions(database: Database, role: str) -> None:
    for name in (*TABLES, *VIEWS):
        database.rows(_on(name, "SELECT * FROM {} LIMIT 1"), role)
    settings = {
        "search_path": "millsight",
        "transaction_read_only": "on",
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "10s",
        "max_parallel_workers_per_gather": "0",
        "work_mem": "32MB",
        "TimeZone": "UTC",
    }
    with psycopg.connect(database.url(role)) as connection:
        found = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in settings}
    assert found == {name: (value,) for name, value in settings.items()}


@pytest.mark.parametrize("role", [MONITOR, PLANNER])
def test_monitor_and_planner_read_what_readers_read(database: Database, role: str) -> None:
    for name in (*TABLES, *VIEWS):
        database.rows(_on(name, "SELECT * FROM {} LIMIT 1"), role)


def test_an_installation_of_before_gets_the_new_roles_and_is_told_to(database: Database) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("ALTER ROLE millsight_planner RENAME TO millsight_planner_gone")
        try:
            with pytest.raises(ConfigurationError, match=r"lacks the roles millsight_planner.*millsight db roles"):
                migrate(database.owner_url)
        finally:
            admin.execute("ALTER ROLE millsight_planner_gone RENAME TO millsight_planner")
    ensure_roles(database.admin_url, PASSWORDS, database.name)
    migrate(database.owner_url)
    assert database.value("SELECT count(*) FROM machine_health", PLANNER) == 6


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
    assert current_revision(owner) == newest_revision()
    with psycopg.connect(other_server, autocommit=True) as superuser:
        superuser.execute("ALTER ROLE millsight_reports SUPERUSER")
    with pytest.raises(ConfigurationError, match="powers"):
        ensure_roles(dba, PASSWORDS)
