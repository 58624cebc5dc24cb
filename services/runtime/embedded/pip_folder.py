"""Installs hash-pinned wheels into a folder of the cache, apart from the application's environment."""

import hashlib
import shutil
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from services.contracts.errors import TransientError
from services.runtime.embedded.cache import Progress, ensure_folder

_INSTALL_TIMEOUT_S: Final = 900.0
_PROJECT_UV: Final = Path(__file__).resolve().parents[3] / ".uv" / "bin" / "uv"


def ensure_installed(name: str, requirements: Path, what: str, progress: Progress) -> Path:
    """Return a folder with exactly the wheels of the requirements file, installing them at the first call.

    Args:
        name: Beginning of the folder's name.
        requirements: File of pinned versions with their hashes.
        what: The words for the progress line.
        progress: Takes that line.

    Raises:
        TransientError: The wheels cannot be had, or differ from their hashes.
    """
    fingerprint = hashlib.sha256(requirements.read_bytes()).hexdigest()[:8]
    version = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return ensure_folder(f"{name}-{version}-{fingerprint}", partial(_install, requirements, what, progress))


def _install(requirements: Path, what: str, progress: Progress, folder: Path) -> None:
    progress(f"installing {what}, once")
    command = [*_installer(), "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(requirements)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S, cwd=folder)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1]
        raise TransientError(f"{what} cannot be installed: {said}") from error


def _installer() -> list[str]:
    """The project's own uv, else the one on PATH, else uv or pip as a module."""
    uv = str(_PROJECT_UV) if _PROJECT_UV.exists() else shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", sys.executable]
    if find_spec("uv") is not None:
        return [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--quiet"]
