"""A migrated database of its own for each test that asks, on the session's real PostgreSQL server."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.adapters.postgres.line import apply_topology
from services.adapters.postgres.monitor_reader import PostgresInspectionReader
from services.adapters.postgres.monitor_store import PostgresMonitorStore
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
from services.adapters.postgres.schema import migrate
from services.contracts.line_file import load_topology
from services.domain.inspection import BrokerPosition, Inspection, RejectedFrame, Verdict
from services.runtime.settings import PostgresSettings
from tests.conftest import PROJECT_ROOT
from tests.fakes.coil_facts import GROUPS

Repository = PostgresInspectionRepository
PASSWORDS = {name: f"pass word/{name}:@?" for name in ROLE_NAMES}


@dataclass(frozen=True)
class Database:
    """URLs of one database for each role, and short ways to look into it."""

    admin_url: str
    name: str

    def url(self, role: str) -> str:
        return role_url(self.admin_url, role, PASSWORDS[role], self.name)

    @property
    def owner_url(self) -> str:
        return self.url(OWNER)

    @property
    def classifier_url(self) -> str:
        return self.url(CLASSIFIER)

    @property
    def dashboard_url(self) -> str:
        return self.url(DASHBOARD)

    @property
    def reports_url(self) -> str:
        return self.url(REPORTS)

    @property
    def planner_url(self) -> str:
        return self.url(PLANNER)

    @property
    def monitor_settings(self) -> PostgresSettings:
        return PostgresSettings(url=SecretStr(self.url(MONITOR)))

    def repository(self) -> PostgresInspectionRepository:
        return PostgresInspectionRepository(PostgresSettings(url=SecretStr(self.classifier_url)))

    def rows(
        self, query: str, role: str = REPORTS, parameters: tuple[object, ...] = ()
    ) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(role)) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def value(self, query: str, role: str = REPORTS, parameters: tuple[object, ...] = ()) -> object:
        return self.rows(query, role, parameters)[0][0]

    def count(self, table: str, role: str = OWNER) -> int:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        return int(str(self.value(query.as_string(), role)))

    def execute(self, statement: str, role: str = OWNER, parameters: tuple[object, ...] = ()) -> None:
        with psycopg.connect(self.url(role)) as connection:
            connection.execute(statement.encode(), parameters)


@pytest.fixture
def empty_database(postgres_admin_url: str) -> Database:
    """Roles and schema, and nothing in it."""
    database = Database(postgres_admin_url, f"millsight_{uuid4().hex[:12]}")
    ensure_roles(postgres_admin_url, PASSWORDS, database.name)
    return database


@pytest.fixture
def database(empty_database: Database) -> Database:
    """A migrated database that knows the demo line."""
    migrate(empty_database.owner_url)
    apply_topology(empty_database.owner_url, load_topology(PROJECT_ROOT / "line.yaml"))
    return empty_database


@pytest.fixture
def repository(database: Database) -> Iterator[PostgresInspectionRepository]:
    """The classifier's repository on that database."""
    repository = database.repository()
    yield repository
    repository.close()


@pytest.fixture
def reader(database: Database) -> Iterator[PostgresInspectionReader]:
    """The process monitor's reader on that database."""
    reader = PostgresInspectionReader(database.monitor_settings)
    yield reader
    reader.close()


@pytest.fixture
def monitor_store(database: Database) -> Iterator[PostgresMonitorStore]:
    """The process monitor's store on that database, which knows the groups of the demo line."""
    store = PostgresMonitorStore(database.monitor_settings)
    store.save_groups("strip-1", GROUPS)
    yield store
    store.close()


NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
"""Yesterday noon: a day that has a partition, never in the future."""

POSITION = BrokerPosition("test-cluster", "frames.cam-1", 0, 7)


def an_inspection(defect_class: str = "no_defect", captured_at: datetime = NOON, **changes: Any) -> Inspection:
    """Return an inspection of a new frame of camera cam-1, with some fields changed."""
    evidence = ((0.5, 1.5), (2.5, 3.25))
    fields: dict[str, Any] = {
        "frame_id": uuid4(),
        "line_id": "strip-1",
        "machine_id": "welder-1",
        "camera_id": "cam-1",
        "coil_id": "coil-1",
        "material": "steel_strip",
        "captured_at": captured_at,
        "received_at": changes.get("received_at") or captured_at + timedelta(milliseconds=20),
        "strip_position_m": 12.5,
        "sequence": 41,
        "width_px": 224,
        "height_px": 200,
        "verdict": Verdict(
            {defect_class: 0.75, "oil_spot" if defect_class != "oil_spot" else "crease": 0.25},
            defect_class,
            0.75,
            evidence,
        ),
        "model_name": "surface_defects",
        "model_version": "1",
        "position": POSITION,
    }
    return Inspection(**{**fields, **changes})


def a_reject(**changes: Any) -> RejectedFrame:
    """Return a rejected frame of camera cam-1, with some fields changed."""
    fields: dict[str, Any] = {
        "frame_id": uuid4(),
        "camera_id": "cam-1",
        "reason": "truncated_image",
        "detail": "the image ends early",
        "rejected_at": NOON,
        "payload_bytes": 1234,
        "position": POSITION,
    }
    return RejectedFrame(**{**fields, **changes})
