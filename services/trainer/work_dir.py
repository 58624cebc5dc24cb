"""A directory of checkpoints belongs to one run: another run never goes on from them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from services.contracts.errors import ConfigurationError

_RUN_FILE = "run.json"


def claim(work_dir: Path, facts: str, command: str) -> None:
    """Note what a directory of checkpoints belongs to.

    Args:
        work_dir: Made when it is not there.
        facts: Everything that the weights depend on: data, split, recipe.
        command: How the run was started, for people who look into the directory.

    Raises:
        ConfigurationError: The directory holds a run of other facts, or cannot be used.
    """
    digest = hashlib.sha256(facts.encode()).hexdigest()
    note = work_dir / _RUN_FILE
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        if note.is_file() and json.loads(note.read_text(encoding="utf-8"))["digest"] != digest:
            raise ConfigurationError(
                f"{work_dir} holds a run with other data, split or settings: delete it or name another."
            )
        note.write_text(json.dumps({"digest": digest, "command": command}), encoding="utf-8")
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"The directory {work_dir} cannot be used: {error}.") from error
