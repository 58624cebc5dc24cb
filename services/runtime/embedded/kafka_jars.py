"""Gets the broker's jars: pinned by version and by SHA-256, fetched once, verified at every start."""

import hashlib
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from services.contracts.errors import ConfigurationError, TransientError
from services.runtime.embedded.cache import Progress, ensure_folder

KAFKA_VERSION: Final = "4.1.1"
MANIFEST_FILE: Final = Path(__file__).with_name("kafka.jars.sha256")
_POM_FILE: Final = Path(__file__).with_name("kafka-pom.xml")
_MAVEN_CENTRAL: Final = "https://repo1.maven.org/maven2/"
_MAVEN_TIMEOUT_S: Final = 300.0
_DOWNLOAD_TIMEOUT_S: Final = 60.0
_DOWNLOADS_AT_ONCE: Final = 4


def read_manifest(file: Path = MANIFEST_FILE) -> dict[str, str]:
    """Return path within a Maven repository -> SHA-256, in the order of the class path."""
    pairs = (line.split() for line in file.read_text(encoding="utf-8").splitlines() if line)
    return {path: digest for digest, path in pairs}


def ensure_jars(progress: Progress) -> list[Path]:
    """Return the class path of the broker, fetching the jars when the cache has none.

    Raises:
        TransientError: The jars cannot be had now.
        ConfigurationError: A jar is not the one that was pinned.
    """
    manifest = read_manifest()
    folder = ensure_folder(f"kafka-{KAFKA_VERSION}-{_fingerprint()}", partial(_fetch, manifest, progress))
    return verify_jars(folder, manifest)


def verify_jars(folder: Path, manifest: Mapping[str, str]) -> list[Path]:
    """Return the jars of the manifest after comparing each with its checksum.

    Raises:
        ConfigurationError: A jar is missing or differs; the sentence names it and what to do.
    """
    for path, expected in manifest.items():
        jar = folder / path
        if not jar.is_file():
            raise ConfigurationError(f"the Kafka jar {jar} is missing: delete the folder {folder} and start again")
        with jar.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
        if actual != expected:
            raise ConfigurationError(
                f"the Kafka jar {jar} has checksum {actual[:12]}..., expected {expected[:12]}...: it is damaged "
                f"or not genuine and will not be run; delete the folder {folder} and start again"
            )
    return [folder / path for path in manifest]


def _fingerprint() -> str:
    return hashlib.sha256(MANIFEST_FILE.read_bytes()).hexdigest()[:8]


def _fetch(manifest: Mapping[str, str], progress: Progress, folder: Path) -> None:
    progress(f"fetching Apache Kafka {KAFKA_VERSION} ({len(manifest)} jars, 43 MB), once")
    maven = shutil.which("mvn")
    if maven is None or not _fetch_by_maven(Path(maven), folder, progress):
        _fetch_by_https(manifest, folder)
    verify_jars(folder, manifest)


def _fetch_by_maven(maven: Path, folder: Path, progress: Progress) -> bool:
    command = [
        str(maven), "--batch-mode", "--quiet", "--file", str(_POM_FILE), "dependency:copy-dependencies",
        f"-DoutputDirectory={folder}", "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true",
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_MAVEN_TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        progress(f"mvn could not fetch the jars ({type(error).__name__}), trying plain HTTPS")
        return False
    return True


def _fetch_by_https(manifest: Mapping[str, str], folder: Path) -> None:
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        for _ in pool.map(partial(_download, folder), manifest):
            pass


def _download(folder: Path, path: str) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            urllib.request.urlopen(_MAVEN_CENTRAL + path, timeout=_DOWNLOAD_TIMEOUT_S) as answer,  # noqa: S310 - https
            target.open("wb") as stream,
        ):
            shutil.copyfileobj(answer, stream)
    except (urllib.error.URLError, TimeoutError) as error:
        raise TransientError(f"the Kafka jar {path} cannot be fetched from Maven Central: {error}") from error
