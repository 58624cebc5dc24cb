"""Fixtures of real servers: Kafka, PostgreSQL and Triton, each started once a session on first use, on free ports.

The classes behind them (`EmbeddedKafka` and so on) can be started and killed one by one by tests that need more.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.runtime.embedded.kafka import EmbeddedKafka
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.triton import EmbeddedTriton

MODEL_REPOSITORY = Path(__file__).resolve().parent.parent / "model_repository"


@pytest.fixture(scope="session")
def stack_home() -> Iterator[Path]:
    """A directory that PostgreSQL's own user can enter too, unlike pytest's temporary ones."""
    home = Path(tempfile.mkdtemp(prefix="millsight-test-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka(stack_home: Path) -> Iterator[str]:
    """Bootstrap servers of a real broker."""
    server = EmbeddedKafka(stack_home, free_port())
    server.start()
    yield server.bootstrap_servers
    server.stop()


@pytest.fixture(scope="session")
def postgres_admin_url(stack_home: Path) -> Iterator[str]:
    """libpq URL of the superuser of a real, empty server."""
    server = EmbeddedPostgres(stack_home, free_port())
    server.start()
    yield server.admin_url
    server.stop()


@pytest.fixture(scope="session")
def triton_url(stack_home: Path) -> Iterator[str]:
    """gRPC address of a real inference server with the project's own model repository."""
    server = EmbeddedTriton(stack_home, MODEL_REPOSITORY, (free_port(), free_port()))
    server.start()
    yield server.grpc_url
    server.stop()
