"""NVIDIA Triton as a child process: gRPC and metrics on loopback, no HTTP, models as the repository says."""

import hashlib
import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

from typing_extensions import override

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.cache import Progress
from services.runtime.embedded.home import Home
from services.runtime.embedded.pip_folder import ensure_installed
from services.runtime.embedded.probes import triton_problem
from services.runtime.embedded.proc import dead_children
from services.runtime.embedded.processes import ProcessSpec
from services.runtime.embedded.server import EmbeddedServer, last_lines

_HOST: Final = "127.0.0.1"
_REQUIREMENTS: Final = Path(__file__).with_name("triton.requirements.txt")
_BACKENDS: Final = Path(__file__).with_name("triton_backends")
_RESTRICTED: Final = "shared-memory,model-config,model-repository,statistics,trace,logging"
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where the kernel keeps it
_ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2), "MALLOC_TRIM_THRESHOLD_": str(128 * 1024**2)}
"""Keep the memory of a batch for the next one: asking the kernel anew for each cost a fifth of the transport."""
_LOG_LINES_OF_A_START: Final = 200
_LAST_LINES: Final = 5
_POLL_REPOSITORY_S: Final = 2
_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


class EmbeddedTriton(EmbeddedServer):
    """An inference server for one model repository."""

    name = "triton"
    start_timeout_s = 120.0

    def __init__(
        self,
        home: Path,
        model_repository: Path,
        ports: tuple[int, int],
        progress: Progress = lambda _line: None,
    ) -> None:
        """Remember where to run; nothing is touched before `prepare`.

        Args:
            home: The stack's directory.
            model_repository: Triton's layout: `<model>/config.pbtxt`, `<model>/<version>/model.xml`.
            ports: gRPC and metrics.
            progress: Takes a line about each long step.
        """
        super().__init__()
        self._home = Home(home)
        self._repository = model_repository.absolute()
        self._grpc_port, self._metrics_port = ports
        self._progress = progress
        self._site = Path()

    @property
    def grpc_url(self) -> str:
        """Address of the gRPC endpoint, host:port."""
        return f"{_HOST}:{self._grpc_port}"

    @property
    def metrics_url(self) -> str:
        """Address of Triton's own metrics."""
        return f"http://{_HOST}:{self._metrics_port}/metrics"

    @property
    def models(self) -> list[str]:
        """Names of the models in the repository."""
        return sorted(file.parent.name for file in self._repository.glob("*/config.pbtxt"))

    @property
    @override
    def address(self) -> str:
        """Host and port for clients."""
        return self.grpc_url

    def install(self) -> None:
        """Get the server's wheels; does nothing when the cache has them.

        Raises:
            ConfigurationError: The repository holds no model, or Python's shared library is missing.
            TransientError: The wheels cannot be had now.
        """
        if not self.models:
            raise ConfigurationError(
                f"the model repository {self._repository} holds no model (<name>/config.pbtxt): "
                "train one with 'millsight train', or set TRITON_GRPC_URL to a server of your own"
            )
        _check_python_library()
        self._site = ensure_installed("triton-2.51.0", _REQUIREMENTS, "Triton 2.51.0 and OpenVINO", self._progress)

    @override
    def prepare(self) -> None:
        """Install the server, lay out its backends, and clear shared memory that a killed one left.

        Raises:
            ConfigurationError: The repository holds no model, or Python's shared library is missing.
            TransientError: The wheels cannot be had now.
        """
        self._home.create()
        self.install()
        self._lay_out_backends()
        self._lay_out_python()
        self._clear_shared_memory()

    @override
    def spec(self) -> ProcessSpec:
        """Return how to run the server."""
        libraries = (self._site / "nvidia_pytriton.libs", Path(sysconfig.get_config_var("LIBDIR")))
        return ProcessSpec(
            argv=(str(self._site / "pytriton" / "tritonserver" / "bin" / "tritonserver"), *self._flags()),
            log_file=self._home.log_file(self.name),
            environment={
                "LD_LIBRARY_PATH": ":".join(str(folder) for folder in libraries),
                "PATH": f"{self._directory / 'python' / 'bin'}:/usr/bin:/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                **_ALLOCATOR,
            },
            cwd=self._directory,
            stop_grace_s=10.0,
        )

    @override
    def stop(self) -> None:
        """End the server, and clear the shared memory that it leaves when its stub died before it."""
        super().stop()
        self._clear_shared_memory()

    @override
    def problem(self) -> str | None:
        """Ask whether every model is ready, and look whether what runs it is alive."""
        if (dead := self.irreparable()) is not None:
            return dead
        problems = (triton_problem(_HOST, self._grpc_port, model) for model in self.models)
        return next((problem for problem in problems if problem is not None), None)

    @override
    def last_words(self) -> str:
        """Return why a model could not be loaded, when that is what happened, else the end of the log."""
        log = last_lines(self.spec().log_file, _LOG_LINES_OF_A_START)
        reasons = re.findall(r"failed to load '[^']+' version \d+: (?:\w+: )*([^\"]*?)(?:\\n\\nAt:|\")", log)
        return reasons[-1] if reasons else "\n".join(log.splitlines()[-_LAST_LINES:])

    @override
    def irreparable(self) -> str | None:
        """Look for a dead python stub: Triton 2.51 does not replace it, says it is ready, and fails requests."""
        if self.pid is not None and dead_children(self.pid):
            return "Triton's python stub has died"
        return None

    @property
    def _directory(self) -> Path:
        return (self._home.path / "triton").absolute()

    @property
    def _shared_memory_prefix(self) -> str:
        return "millsight_" + hashlib.sha256(str(self._directory).encode()).hexdigest()[:12]

    def _flags(self) -> list[str]:
        shared_memory = f"shm-region-prefix-name={self._shared_memory_prefix}"
        return [
            f"--model-repository={self._repository}",
            f"--backend-directory={self._directory / 'backends'}",
            f"--backend-config=python,{shared_memory}",
            f"--backend-config=openvino,{shared_memory}",
            "--model-control-mode=poll",
            f"--repository-poll-secs={_POLL_REPOSITORY_S}",
            "--exit-on-error=true",
            "--exit-timeout-secs=5",
            "--strict-readiness=true",
            "--disable-auto-complete-config",
            "--allow-http=false",
            "--allow-sagemaker=false",
            "--allow-vertex-ai=false",
            f"--grpc-address={_HOST}",
            f"--grpc-port={self._grpc_port}",
            f"--grpc-restricted-protocol={_RESTRICTED}:admin-key={self._home.password('triton_admin')}",
            "--allow-metrics=true",
            "--allow-gpu-metrics=false",
            f"--metrics-address={_HOST}",
            f"--metrics-port={self._metrics_port}",
            "--log-format=ISO8601",
        ]

    def _lay_out_backends(self) -> None:
        """Copy the python backend, the stub of our Python beside it, and our own backends."""
        binaries = self._site / "pytriton" / "tritonserver"
        target = self._directory / "backends"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(binaries / "backends", target)
        stub = binaries / "python_backend_stubs" / _PYTHON / "triton_python_backend_stub"
        if not stub.exists():
            raise ConfigurationError(f"Triton 2.51.0 has no python backend for Python {_PYTHON}: use Python 3.11")
        shutil.copy(stub, target / "python")
        shutil.copytree(_BACKENDS, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        for program in (target / "python" / stub.name, binaries / "bin" / "tritonserver"):
            if not os.access(program, os.X_OK):
                program.chmod(0o755)

    def _lay_out_python(self) -> None:
        """Make a virtual environment of links: Triton's stub ignores PYTHONPATH, but follows python3 on PATH."""
        target = self._directory / "python"
        shutil.rmtree(target, ignore_errors=True)
        (target / "bin").mkdir(parents=True)
        (target / "lib" / f"python{_PYTHON}").mkdir(parents=True)
        base = Path(sys.base_prefix) / "bin"
        (target / "bin" / "python3").symlink_to(base / f"python{_PYTHON}")
        (target / "lib" / f"python{_PYTHON}" / "site-packages").symlink_to(self._site)
        configuration = f"home = {base}\ninclude-system-site-packages = false\n"
        (target / "pyvenv.cfg").write_text(configuration, encoding="utf-8")

    def _clear_shared_memory(self) -> None:
        for region in _SHARED_MEMORY.glob(f"{self._shared_memory_prefix}*"):
            region.unlink(missing_ok=True)


def _check_python_library() -> None:
    """Triton's python backend links libpython: a Python built without it cannot serve.

    Raises:
        ConfigurationError: There is no such library.
    """
    name = f"libpython{_PYTHON}.so.1.0"
    folders = [Path(sysconfig.get_config_var("LIBDIR") or "/usr/lib"), *Path("/usr/lib").glob("*-linux-gnu")]
    if not any((folder / name).exists() for folder in folders):
        raise ConfigurationError(
            f"Triton's python backend needs {name}, which this Python ({sys.base_prefix}) does not have: install "
            f"Debian's libpython{_PYTHON}, or use a Python from 'uv python install', "
            "or set TRITON_GRPC_URL to a server of your own"
        )
