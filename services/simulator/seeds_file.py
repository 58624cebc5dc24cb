"""Reads the committed seeds: which runs of each scenario the evaluation makes."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field, RootModel, ValidationError

from services.contracts.errors import ConfigurationError
from services.contracts.yaml_file import Entry


class _Runs(Entry):
    first_seed: int = Field(ge=0)
    runs: int = Field(ge=1)


class _Seeds(RootModel[dict[str, _Runs]]):
    pass


def read_seeds(path: Path) -> Mapping[str, range]:
    """Return the seeds of each scenario, by its name.

    Raises:
        ConfigurationError: The file cannot be read or is no such list.
    """
    try:
        parsed = _Seeds.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise ConfigurationError(f"seeds {path} cannot be read: {' '.join(str(error).split())}") from error
    return {name: range(each.first_seed, each.first_seed + each.runs) for name, each in parsed.root.items()}
