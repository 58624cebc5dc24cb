"""Triton's model repository on disk: configuration, labels, and atomic publication of versions.

A version directory is written beside the others under a name that the server ignores and renamed into
place when it is whole. Nothing half-written is ever served.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.contracts.errors import ConfigurationError

if TYPE_CHECKING:  # versions are listed and judged where no OpenVINO is installed
    from services.trainer.served import ServedModel

MODEL_FILE = "model.xml"
WEIGHTS_FILE = "model.bin"
CARD_FILE = "model_card.json"
LABELS_FILE = "labels.txt"
CONFIG_FILE = "config.pbtxt"

_HASH_CHUNK_BYTES = 1 << 20

_CONFIG = """# Served by Triton's OpenVINO backend, and as it is by the embedded server's own.
# max_batch_size 0 makes the batch a plain dimension: with N the native backend would take batches of exactly N, or
# pad them at the cost of N. The dynamic batcher goes with it; the classifier batches by itself.
name: "{name}"
backend: "openvino"
max_batch_size: 0
input [
  {{ name: "image" data_type: TYPE_UINT8 dims: [ -1, {px}, {px}, 3 ] }}
]
output [
  {{ name: "probabilities" data_type: TYPE_FP32 dims: [ -1, {classes} ] label_filename: "{labels}" }},
  {{ name: "embedding" data_type: TYPE_FP32 dims: [ -1, {embedding} ] }},
  {{ name: "evidence" data_type: TYPE_FP32 dims: [ -1, {cells}, {cells}, {classes} ] }}
]
instance_group [ {{ count: 1 kind: KIND_CPU }} ]
{policy}
parameters: {{ key: "PERFORMANCE_HINT" value: {{ string_value: "THROUGHPUT" }} }}
"""

_POLICY = "version_policy: {{ specific: {{ versions: [ {served} ] }} }}"
_SERVED = re.compile(r"version_policy: \{ specific: \{ versions: \[ (\d+) \] \} \}")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A published version of a model."""

    name: str
    version: int
    directory: Path


@dataclass(frozen=True, slots=True)
class VersionExtras:
    """What stands beside the network in a version's directory.

    Attributes:
        card: The model card, plain JSON values.
        files: Further small text files by name.
    """

    card: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


class ModelRepository:
    """The directory that Triton serves."""

    def __init__(self, directory: Path) -> None:
        """Open a repository; the directory is made when the first version is published."""
        self._directory = directory

    def versions(self, name: str) -> list[int]:
        """Return the published versions of a model, oldest first."""
        folder = self._directory / name
        if not folder.is_dir():
            return []
        return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())

    def served_version(self, name: str) -> int | None:
        """Return the version that `config.pbtxt` tells Triton to serve, None before the first one.

        Raises:
            ConfigurationError: The configuration cannot be read or names no version.
        """
        path = self._directory / name / CONFIG_FILE
        if not path.is_file():
            return None
        found = _SERVED.search(path.read_text(encoding="utf-8"))
        if found is None:
            raise ConfigurationError(f"{path} names no served version: write {_POLICY.format(served='N')}.")
        return int(found[1])

    def serve(self, name: str, version: int) -> None:
        """Write the configuration that serves a version, in one step.

        Raises:
            ConfigurationError: The version cannot be read or the file cannot be written.
        """
        import openvino as ov

        from services.trainer.served import ServedModel

        folder = self._directory / name
        try:
            graph = ov.Core().read_model(folder / str(version) / MODEL_FILE)
            labels = (folder / LABELS_FILE).read_text(encoding="utf-8").split()
            text = _config(name, len(labels), ServedModel(graph, ()), version)
            write_whole(folder / CONFIG_FILE, text)
        except (OSError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigurationError(f"Version {version} of {name} cannot be served: {reason}.") from error

    def publish(
        self, name: str, labels: Sequence[str], model: ServedModel, extras: VersionExtras, *, replace: bool = False
    ) -> ModelVersion:
        """Write a new version whole and put it into place. Only the first version is served at once.

        Args:
            name: Model name; letters, digits, `_` and `-`.
            labels: Class names in output order.
            model: What to serve.
            extras: The model card, to which file hashes are added, and other small files.
            replace: Take the place of the newest version instead of adding one.

        Raises:
            ConfigurationError: The name is no directory name, or the disk cannot take the files.
        """
        if not name.replace("_", "").replace("-", "").isalnum():
            raise ConfigurationError(f"{name!r} is no model name: use letters, digits, _ and -.")
        newest = max(self.versions(name), default=0)
        version = max(newest, 1) if replace else newest + 1
        folder = self._directory / name
        staged = folder / f".incoming-{uuid.uuid4().hex[:8]}"
        try:
            staged.mkdir(parents=True)
            identity = {"model_name": name, "model_version": str(version)}
            _write_version(staged, model, {**identity, **extras.card})
            for file_name, text in extras.files.items():
                (staged / file_name).write_text(text, encoding="utf-8")
            write_whole(folder / LABELS_FILE, "".join(f"{label}\n" for label in labels))
            served = self.served_version(name) or version
            _put_into_place(staged, folder / str(version))
            if served == version:
                write_whole(folder / CONFIG_FILE, _config(name, len(labels), model, version))
        except OSError as error:
            raise ConfigurationError(f"The model cannot be written to {folder}: {error.strerror}.") from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return ModelVersion(name, version, folder / str(version))


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_HASH_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_version(directory: Path, model: ServedModel, card: Mapping[str, Any]) -> None:
    import openvino as ov

    try:
        ov.save_model(model.ir, directory / MODEL_FILE, compress_to_fp16=False)
    except RuntimeError as error:  # OpenVINO's only way to say that a file cannot be written
        raise OSError(0, str(error).splitlines()[0]) from error
    files = {name: sha256_of(directory / name) for name in (MODEL_FILE, WEIGHTS_FILE)}
    document = {**card, "evidence_bias": list(model.evidence_bias), "sha256": files}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (directory / CARD_FILE).write_text(text, encoding="utf-8")


def _config(name: str, class_count: int, model: ServedModel, served: int) -> str:
    return _CONFIG.format(
        policy=_POLICY.format(served=served),
        name=name,
        px=model.image_px,
        classes=class_count,
        labels=LABELS_FILE,
        embedding=model.embedding_size,
        cells=model.evidence_cells,
    )


def write_whole(path: Path, text: str) -> None:
    """Replace a small file at once; leave it alone when it already says so.

    Raises:
        OSError: It cannot be written.
    """
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    partial = path.with_name(f".{path.name}.incoming")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _put_into_place(staged: Path, target: Path) -> None:
    if not target.exists():
        staged.rename(target)
        return
    retired = target.with_name(f".retired-{uuid.uuid4().hex[:8]}")
    target.rename(retired)
    staged.rename(target)
    shutil.rmtree(retired)
