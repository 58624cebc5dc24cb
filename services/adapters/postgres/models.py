"""Records which model versions there are, so that every row's model_version leads to its card."""

from pathlib import Path

from pydantic import SecretStr

from services.adapters.postgres.inspections import PostgresInspectionRepository
from services.contracts.model_repository import read_versions
from services.runtime.settings import PostgresSettings


def register_models(classifier_url: str, model_repository: Path) -> int:
    """Record every version of a model repository; return how many there are. Safe to repeat.

    Raises:
        ConfigurationError: A card cannot be read, or a version is recorded with other weights.
        StorageUnavailable: The database does not answer.
    """
    versions = read_versions(model_repository)
    repository = PostgresInspectionRepository(PostgresSettings(url=SecretStr(classifier_url)))
    try:
        for version in versions:
            repository.register_model(version)
    finally:
        repository.close()
    return len(versions)
