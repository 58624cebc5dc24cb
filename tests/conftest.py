"""Shared fixtures: where the real images are, and the real servers of tests/fixtures_stack.py."""

from pathlib import Path

import pytest

from services.trainer.repository import CARD_FILE, ModelRepository

PROJECT_ROOT = Path(__file__).resolve().parent.parent
REAL_IMAGES = PROJECT_ROOT.parent / "shared" / "data" / "metal-defects"
"""Real steel-strip frames where a developer has them beside the checkout; tests fall back to the renderer."""


def served_card() -> Path:
    """Return the model card of the version of the steel model that is served."""
    repository = PROJECT_ROOT / "model_repository"
    served = ModelRepository(repository).served_version("surface_defects")
    return repository / "surface_defects" / str(served) / CARD_FILE


pytest_plugins = ["tests.fixtures_stack", "tests.fixtures_postgres"]

_MARK_BY_FOLDER = {"integration": "integration", "e2e": "e2e", "faults": "faults"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder they stand in, so that `make check` leaves the slow ones out."""
    for item in items:
        folder = item.path.relative_to(PROJECT_ROOT / "tests").parts[0]
        if folder in _MARK_BY_FOLDER:
            item.add_marker(_MARK_BY_FOLDER[folder])


@pytest.fixture(scope="session")
def project_root() -> Path:
    return PROJECT_ROOT
