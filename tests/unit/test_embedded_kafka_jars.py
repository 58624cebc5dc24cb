"""The broker's jars: pinned, and never run when they differ."""

import hashlib
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.runtime.embedded.kafka_jars import read_manifest, verify_jars

_PATH = "org/example/thing/1.0/thing-1.0.jar"
_GENUINE = b"genuine"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    jar = tmp_path / _PATH
    jar.parent.mkdir(parents=True)
    jar.write_bytes(_GENUINE)
    return tmp_path


def manifest() -> dict[str, str]:
    return {_PATH: hashlib.sha256(_GENUINE).hexdigest()}


def test_genuine_jars_make_the_class_path(folder: Path) -> None:
    assert verify_jars(folder, manifest()) == [folder / _PATH]


def test_a_jar_with_another_checksum_is_refused_in_words(folder: Path) -> None:
    (folder / _PATH).write_bytes(b"tampered")
    with pytest.raises(
        ConfigurationError, match=r"thing-1\.0\.jar has checksum .* will not be run; delete the folder"
    ):
        verify_jars(folder, manifest())


def test_a_missing_jar_is_refused_in_words(folder: Path) -> None:
    (folder / _PATH).unlink()
    with pytest.raises(ConfigurationError, match=r"thing-1\.0\.jar is missing"):
        verify_jars(folder, manifest())


def test_a_jar_that_is_not_pinned_never_reaches_the_class_path(folder: Path) -> None:
    (folder / "org" / "extra.jar").write_bytes(b"not in the manifest")
    assert verify_jars(folder, manifest()) == [folder / _PATH]


def test_every_pinned_jar_has_a_version_and_a_whole_checksum() -> None:
    pinned = read_manifest()
    assert any(path.endswith("kafka_2.13-4.1.1.jar") for path in pinned)
    assert all(len(digest) == 64 and path.endswith(".jar") and ".." not in path for path, digest in pinned.items())
