"""Promotion and rollback on a real Triton, while somebody asks it without a pause."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from typing_extensions import override

from services.adapters.triton import TritonClassifier
from services.cli import app
from services.contracts.errors import InferenceUnavailable, TransientError
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.triton import EmbeddedTriton
from services.runtime.settings import TritonSettings
from services.trainer.repository import CARD_FILE, CONFIG_FILE

MODEL = "surface_defects"


@pytest.fixture
def repository(project_root: Path, tmp_path: Path) -> Path:
    """The shipped model, and the same network again as a further version that passes every objection."""
    root = tmp_path / "model_repository"
    shutil.copytree(project_root / "model_repository", root)
    folder = root / MODEL
    newest = max(int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())
    card = json.loads((folder / str(newest) / CARD_FILE).read_text(encoding="utf-8"))
    card["figures"]["parity"] = {"largest_probability_difference": 1e-6}
    shutil.copytree(folder / str(newest), folder / "77")
    (folder / "77" / CARD_FILE).write_text(json.dumps({**card, "model_version": "77"}), encoding="utf-8")
    return root


@pytest.fixture
def triton(repository: Path, tmp_path: Path) -> Iterator[str]:
    server = EmbeddedTriton(tmp_path / "home", repository, (free_port(), free_port()))
    server.start()
    try:
        yield server.grpc_url
    finally:
        server.stop()


class Asker(threading.Thread):
    """Asks for a picture again and again; keeps who answered, and every question that failed."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._client = TritonClassifier(TritonSettings(url=url, inference_timeout_s=30), MODEL)
        self._image = np.full((1, 224, 224, 3), 90, np.uint8)
        self._over = threading.Event()
        self.versions: list[str] = []
        self.failures: list[str] = []

    @override
    def run(self) -> None:
        while not self._over.is_set():
            try:
                self.versions.append(self._client.score(self._image).model_version)
            except InferenceUnavailable as error:
                self.failures.append(str(error))

    def finish(self) -> None:
        self._over.set()
        self.join(60)
        self._client.close()


def command(*arguments: str) -> str:
    return CliRunner().invoke(app, ["model", *arguments], catch_exceptions=False).output


@pytest.mark.timeout(600)
def test_switching_versions_fails_no_request(repository: Path, triton: str) -> None:
    served = (repository / MODEL / CONFIG_FILE).read_text(encoding="utf-8").split("versions: [ ")[1].split(" ")[0]
    options = ("--repository", str(repository), "--triton-url", triton)
    asker = Asker(triton)
    asker.start()
    assert f"{MODEL} version 77 is served" in command("promote", f"{MODEL}@77", *options)
    time.sleep(1)
    began = time.monotonic()
    assert f"{MODEL} version {served} is served" in command("rollback", MODEL, *options)
    took_s = time.monotonic() - began
    time.sleep(1)
    asker.finish()
    assert asker.failures == []
    assert asker.versions[0] == asker.versions[-1] == served
    assert "77" in asker.versions
    assert took_s < 60, "back in seconds, a minute on a busy machine"


@pytest.mark.timeout(600)
def test_a_version_that_triton_cannot_load_leaves_the_old_one_served(
    repository: Path, triton: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository / MODEL / "77"
    document = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    # The graph is sound for the command and no longer there for the server.
    monkeypatch.setattr("services.commands.model._TAKEN_UP_WITHIN_S", 15.0)
    monkeypatch.setattr("services.trainer.promotion._check_files", lambda *_: None)
    (folder / CARD_FILE).write_text(
        json.dumps({**document, "sha256": dict.fromkeys(document["sha256"], "0" * 64)}), encoding="utf-8"
    )
    before = (repository / MODEL / CONFIG_FILE).read_text(encoding="utf-8")
    with pytest.raises(TransientError, match=r"did not load surface_defects version 77 .* is served as before"):
        command("promote", f"{MODEL}@77", "--repository", str(repository), "--triton-url", triton)
    assert (repository / MODEL / CONFIG_FILE).read_text(encoding="utf-8") == before
    asker = Asker(triton)
    asker.start()
    time.sleep(2)
    asker.finish()
    assert asker.failures == []
    assert asker.versions
