"""Migrations: repeatable, one at a time, never backwards; and the line in the database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from services.adapters.postgres.line import apply_topology
from services.adapters.postgres.roles import OWNER, REPORTS
from services.adapters.postgres.schema import current_revision, migrate, newest_revision
from services.commands.db import app
from services.contracts.errors import ConfigurationError, StorageUnavailable
from services.contracts.line_file import load_topology
from services.domain.topology import Topology
from tests.conftest import PROJECT_ROOT
from tests.fixtures_postgres import Database, Repository, an_inspection


def test_migrating_twice_changes_nothing_and_keeps_the_rows(database: Database, repository: Repository) -> None:
    repository.store([an_inspection()], ())
    migrate(database.owner_url)
    assert current_revision(database.owner_url) == newest_revision()
    assert database.value("SELECT count(*) FROM inspections") == 1
    assert repository.store([an_inspection()], ()).inserted == 1


def test_migrations_at_the_same_time_wait_for_each_other(empty_database: Database) -> None:
    assert current_revision(empty_database.owner_url) is None
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate, empty_database.owner_url) for _ in range(3)]:
            done.result(timeout=60)
    assert current_revision(empty_database.owner_url) == newest_revision()


def test_a_database_newer_than_the_program_is_refused(database: Database) -> None:
    database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match=r"revision 9999.*update Millsight"):
        migrate(database.owner_url)
    assert database.value("SELECT version_num FROM alembic_version", OWNER) == "9999"


def test_a_room_refuses_a_database_older_than_it_needs(database: Database, repository: Repository) -> None:
    repository.check()
    database.execute("UPDATE alembic_version SET version_num = '0000'")
    with pytest.raises(ConfigurationError, match="millsight db migrate"):
        repository.check()


def test_only_the_owner_may_migrate_and_not_even_a_superuser(empty_database: Database) -> None:
    superuser = make_conninfo(empty_database.admin_url, dbname=empty_database.name)
    for url in (empty_database.reports_url, superuser):
        with pytest.raises(ConfigurationError, match="millsight_owner"):
            migrate(url)


def test_a_server_that_is_not_there_is_transient() -> None:
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        migrate("postgresql://millsight_owner:x@127.0.0.1:9/millsight")


def test_a_database_without_roles_or_schema_names_the_command_to_run(postgres_admin_url: str) -> None:
    with pytest.raises(ConfigurationError, match="millsight db roles"):
        migrate(postgres_admin_url)


def _line() -> Topology:
    return load_topology(PROJECT_ROOT / "line.yaml")


def test_the_line_is_written_and_writing_it_again_changes_nothing(database: Database) -> None:
    query = (
        "SELECT machine_id, line_id, name, kind, position_m, rolls, removed_at FROM machines ORDER BY machine_id"
    )
    before = database.rows(query)
    apply_topology(database.owner_url, _line())
    assert database.rows(query) == before
    assert database.rows(
        "SELECT machine_id, position_m, material, model FROM cameras WHERE camera_id = 'cam-3'"
    ) == [("skinpass-1", 90.0, "steel_strip", "surface_defects")]
    assert ("unassigned",) in database.rows("SELECT machine_id FROM machines")


def test_what_left_the_line_file_is_marked_removed_and_comes_back(database: Database) -> None:
    line = _line().lines[0]
    shorter = Topology((replace(line, machines=line.machines[:-1], cameras=line.cameras[:-1]),))
    removed = "SELECT machine_id FROM machines WHERE removed_at IS NOT NULL"

    apply_topology(database.owner_url, shorter)
    assert database.rows(removed) == [("trimmer-1",)]
    assert database.rows("SELECT camera_id FROM cameras WHERE removed_at IS NOT NULL") == [("cam-4",)]
    assert database.value("SELECT unassigned FROM camera_activity WHERE camera_id = 'cam-4'") is True
    assert "trimmer-1" not in {row[0] for row in database.rows("SELECT machine_id FROM line_overview")}

    apply_topology(database.owner_url, _line())
    assert database.rows(removed) == []


def test_a_camera_that_published_before_it_was_declared_moves_to_its_machine(
    database: Database, repository: Repository
) -> None:
    repository.store([an_inspection(camera_id="cam-9", machine_id="unassigned", line_id="unassigned")], ())
    apply_topology(database.owner_url, _line())
    assert database.value("SELECT removed_at IS NULL FROM cameras WHERE camera_id = 'cam-9'") is True
    line = _line().lines[0]
    station = replace(line.cameras[-1], camera_id="cam-9", position_m=131.0)
    apply_topology(database.owner_url, Topology((replace(line, cameras=(*line.cameras, station)),)))
    query = "SELECT machine_id, unassigned FROM camera_activity WHERE camera_id = 'cam-9'"
    assert database.rows(query) == [("trimmer-1", False)]


def test_the_commands_set_up_a_database_from_files(postgres_admin_url: str, tmp_path: Path) -> None:
    """Passwords that are in the directory are used, here those that the other tests use too."""
    from tests.fixtures_postgres import PASSWORDS

    (tmp_path / "admin.url").write_text(postgres_admin_url)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for role, password in PASSWORDS.items():
        (secrets / f"{role}.password").write_text(password)
    run, owner = CliRunner(), ["--owner-url-file", str(secrets / "millsight_owner.url")]
    commands = (
        ["roles", "--admin-url-file", str(tmp_path / "admin.url"), "--secrets-dir", str(secrets),
         "--database", f"millsight_{tmp_path.name.replace('-', '_')}"],
        ["migrate", *owner],
        ["line", *owner, "--line-file", str(PROJECT_ROOT / "line.yaml")],
        ["retention", *owner],
    )  # fmt: skip
    for command in commands:
        result = run.invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    reports = secrets / f"{REPORTS}.url"
    assert reports.stat().st_mode & 0o777 == 0o600
    assert "6 machines, 4 cameras" in run.invoke(app, commands[2]).output
