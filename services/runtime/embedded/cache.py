"""The user's cache of runtimes: shared by all checkouts, filled once, each folder complete or absent."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Progress = Callable[[str], None]
"""Takes one line about what is being done."""


def cache_directory() -> Path:
    """Return the cache's place: XDG_CACHE_HOME/millsight, or ~/.cache/millsight."""
    base = os.getenv("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "millsight"


def ensure_folder(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cached folder of this name; when absent, `fill` makes it in a scratch folder first.

    Two processes that ask at the same time do the work once.
    """
    root = cache_directory()
    folder = root / name
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / f"{name}.lock"):
        if not folder.is_dir():
            scratch = Path(tempfile.mkdtemp(dir=root, prefix=f".{name}."))
            try:
                fill(scratch)
                scratch.chmod(0o755)
                scratch.replace(folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return folder


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
