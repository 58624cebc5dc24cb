"""Migrations: repeatable, one at a time, never backwards; and the line in the database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.command import upgrade
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner

from services.adapters.postgres.line import apply_topology
from services.adapters.postgres.monitor_reader import PostgresInspectionReader
from services.adapters.postgres.roles import OWNER, REPORTS
from services.adapters.postgres.schema import current_revision, migrate, newest_revision
from services.commands.db import app
from services.contracts.errors import ConfigurationError, StorageUnavailable
from services.contracts.line_file import load_topology
from services.contracts.monitor_records import ReadCursor
from services.domain.topology import Line, Topology
from tests.conftest import PROJECT_ROOT
from tests.fixtures_postgres import NOON, Database, Repository, an_inspection


def test_migrating_twice_changes_nothing_and_keeps_the_rows(database: Database, repository: Repository) -> None:
    repository.store([an_inspection()], ())
    migrate(database.owner_url)
    assert current_revision(database.owner_url) == newest_revision()
    assert database.value("SELECT count(*) FROM inspections") == 1
    assert repository.store([an_inspection()], ()).inserted == 1


_OLD_ROW = """
INSERT INTO inspections (frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at, received_at,
    defect_class, confidence, probabilities, model_name, model_version, topic, kafka_partition, kafka_offset,
    cluster_id, width_px, height_px)
VALUES (%s, 'strip-1', 'welder-1', 'cam-1', 'coil-1', 'steel_strip', %s, now(), 'crease', 0.9, '{}', 'm', '1', 't',
    0, 0, 'c', 224, 224)
"""


def test_rows_of_before_the_process_monitor_stay_unwritten_and_are_read_first(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, old, new = empty_database, an_inspection(), an_inspection()
    with monkeypatch.context() as first_release:
        first_release.setattr(
            "services.adapters.postgres.schema.upgrade", lambda config, _: upgrade(config, "0001")
        )
        first_release.setattr("services.adapters.postgres.schema.run_sql_file", lambda *_: None)
        migrate(database.owner_url)
    assert current_revision(database.owner_url) == "0001"
    database.execute(_OLD_ROW, OWNER, (old.frame_id, NOON))
    files = "SELECT relname, relfilenode FROM pg_class WHERE relname LIKE 'inspections%%p20%%' AND relkind = 'r'"
    before = database.rows(files, OWNER)

    migrate(database.owner_url)

    assert database.rows(files, OWNER) == before
    assert database.rows("SELECT change_no FROM inspections") == [(None,)]
    repository = database.repository()
    repository.store([new], ())
    repository.close()
    reader, cursor, found = PostgresInspectionReader(database.monitor_settings), ReadCursor(), []
    for _ in range(4):
        page = reader.new_rows(cursor, 10)
        cursor = page.cursor
        found += [str(frame_id) for table in page.lines.values() for frame_id in table.frame_id]
    reader.close()
    assert found == [str(old.frame_id), str(new.frame_id)]
    assert database.rows("SELECT DISTINCT frames_inspected > 0 FROM sightings_report ORDER BY 1")


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


_PRESENT = (
    "SELECT valid_from, document -> 'speed_m_s' FROM topology_versions WHERE withdrawn_at IS NULL ORDER BY 1"
)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def test_versions_of_a_line_are_kept_and_only_a_real_change_adds_one(database: Database) -> None:
    line = _line().lines[0]
    began = [row[0] for row in database.rows(_PRESENT)]
    for _ in range(2):
        apply_topology(database.owner_url, Topology.of(_all_versions(_line())))
    assert [row[0] for row in database.rows(_PRESENT)] == began
    assert database.count("topology_versions") == len(began)

    ground = replace(line, speed_m_s=2.5, valid_from=MARCH)
    apply_topology(database.owner_url, Topology.of([*_all_versions(_line()), ground]))
    assert (MARCH, 2.5) in database.rows(_PRESENT)
    assert database.count("topology_versions") == len(began) + 1

    apply_topology(database.owner_url, Topology.of([*_all_versions(_line()), replace(ground, speed_m_s=2.75)]))
    assert (MARCH, 2.75) in database.rows(_PRESENT)
    assert database.rows(
        "SELECT document -> 'speed_m_s' FROM topology_versions WHERE withdrawn_at IS NOT NULL"
    ) == [(2.5,)]
    assert database.count("topology_versions") == len(began) + 2


def _all_versions(topology: Topology) -> list[Line]:
    return [*topology.older, *topology.lines]


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
