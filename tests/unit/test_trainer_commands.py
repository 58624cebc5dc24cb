"""`millsight train` and `millsight evaluate`: mistakes end in one sentence before anything slow begins."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from services.adapters import triton
from services.adapters.cameras.renderer import render
from services.commands.evaluate import evaluate
from services.commands.train import train
from services.contracts.errors import ConfigurationError
from services.contracts.scores import Scores
from services.domain.classes import DEFECT_CLASSES, SURFACE_LABELS


def run(command: Callable[..., None], *arguments: str) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def labelled(directory: Path, labels: tuple[str, ...]) -> tuple[str, ...]:
    rows = ["image_path,target"]
    for number, label in enumerate(labels):
        cv2.imwrite(str(directory / f"{number}.jpg"), render(label, number))
        rows.append(f"{number}.jpg,{label}")
    (directory / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return ("--csv", str(directory / "labels.csv"))


def test_training_refuses_missing_files_and_missing_classes_at_once(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with pytest.raises(ConfigurationError, match="does not exist"):
        run(train, *data, "--csv", str(tmp_path / "none.csv"))
    with pytest.raises(ConfigurationError, match="All images show crease"):
        run(train, *data, *labelled(tmp_path, ("crease",)))
    csv_option = labelled(tmp_path, DEFECT_CLASSES)
    (tmp_path / "4.jpg").unlink()
    with pytest.raises(ConfigurationError, match=r"1 of 10 images are missing in .* first 4\.jpg"):
        run(train, *data, *csv_option)


def test_training_refuses_an_impossible_image_size(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Image size 100 px is not possible"):
        run(train, "--data", str(tmp_path), *labelled(tmp_path, DEFECT_CLASSES), "--image-px", "100")


def test_evaluation_without_a_running_stack_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILLSIGHT_HOME", str(tmp_path / "nothing"))
    with pytest.raises(ConfigurationError, match="--triton-url"):
        run(evaluate, "--images", str(tmp_path), *labelled(tmp_path, ("crease",)))


class _AlwaysCrease:
    """Stands in for the served model."""

    input_px = 224
    labels = SURFACE_LABELS

    def __init__(self, *_arguments: object) -> None:
        pass

    def score(self, images: np.ndarray) -> Scores:
        probabilities = np.tile(np.eye(11, dtype=np.float32)[0], (len(images), 1))
        return Scores(SURFACE_LABELS, probabilities, None, "surface_defects", "1")

    def close(self) -> None:
        pass


def test_evaluation_prints_figures_for_people_and_for_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton, "TritonClassifier", _AlwaysCrease)
    arguments = (
        "--images",
        str(tmp_path),
        *labelled(tmp_path, ("crease", "oil_spot")),
        "--triton-url",
        "nowhere:1",
    )
    document = json.loads(run(evaluate, *arguments, "--json"))
    assert (document["n"], document["top1"]["hits"], document["called_no_defect"]) == (2, 1, 0)
    text = run(evaluate, *arguments)
    assert "surface_defects version 1, 2 images" in text
    assert "top-1 50.0 %" in text
