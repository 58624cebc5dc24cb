"""The stack's directory: where each part keeps its files, secrets and logs."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside the stack's directory, `.millsight` unless MILLSIGHT_HOME says otherwise."""

    path: Path

    def create(self) -> None:
        """Make the directory and the private one for secrets."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.secrets.mkdir(mode=0o700, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    @property
    def secrets(self) -> Path:
        """Directory of passwords and URLs, mode 0700."""
        return self.path / "secrets"

    @property
    def users_file(self) -> Path:
        """Who may log in to the dashboard."""
        return self.secrets / "users.json"

    @property
    def logs(self) -> Path:
        """Directory of the logs, one file for each service."""
        return self.path / "logs"

    @property
    def state_file(self) -> Path:
        """What the supervisor last said of itself."""
        return self.path / "state.json"

    @property
    def lock_file(self) -> Path:
        """Locked as long as a supervisor or its guard lives."""
        return self.path / "lock"

    def log_file(self, service: str) -> Path:
        """Return the log file of a service."""
        return self.logs / f"{service}.log"

    def password(self, name: str) -> str:
        """Return the password kept under this name; a new random one is made at the first call."""
        file = self.secrets / f"{name}.password"
        if not file.exists():
            self.write_secret(file.name, secrets.token_urlsafe(24))
        return file.read_text(encoding="utf-8").strip()

    def write_secret(self, file_name: str, content: str) -> Path:
        """Write a secret into a file of mode 0600 and return its path."""
        self.create()
        return write_atomically(self.secrets / file_name, content + "\n")


def write_atomically(file: Path, content: str) -> Path:
    """Replace a file as a whole, mode 0600, so that no reader sees half of it."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(content)
    return Path(name).replace(file)
