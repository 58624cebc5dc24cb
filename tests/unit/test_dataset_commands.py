"""`millsight dataset`: what is found in sets that are broken on purpose, and what is written."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from services.adapters.cameras.renderer import render
from services.cli import app
from services.contracts.errors import ConfigurationError
from services.trainer.dataset import read_dataset
from services.trainer.dataset_check import check_dataset
from services.trainer.dataset_prepare import grouped_split, prepare_dataset, random_split
from services.trainer.dataset_report import html_report
from services.trainer.frames import read_frames
from services.trainer.split import CoilSplit

CLASSES = ("crease", "oil_spot")
PER_CLASS = 12


def write_images(root: Path) -> list[tuple[str, str, str]]:
    """One folder per class; coils of three frames each: path, class, coil."""
    rows = []
    for label in CLASSES:
        (root / label).mkdir(parents=True)
        for number in range(PER_CLASS):
            path = f"{label}/{number:02d}.png"
            cv2.imwrite(str(root / path), render(label, number, 96, 96))
            rows.append((path, label, f"{label}-{number // 3}"))
    return rows


def write_csv(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_images(tmp_path / "set")
    return tmp_path / "set"


@pytest.fixture
def grouped(tmp_path: Path) -> tuple[Path, Path]:
    rows = write_images(tmp_path / "set")
    return tmp_path / "set", write_csv(tmp_path / "labels.csv", ("image_path", "label", "coil"), rows)


def test_folders_numbers_and_names_are_the_same_set(folder: Path, tmp_path: Path) -> None:
    rows = [(f"{label}/{n:02d}.png", label) for label in CLASSES for n in range(PER_CLASS)]
    names = write_csv(tmp_path / "names.csv", ("image_path", "label"), rows)
    numbers = write_csv(
        tmp_path / "numbers.csv", ("image_path", "target"), [(path, str(CLASSES.index(c))) for path, c in rows]
    )
    sets = [read_dataset(folder, file) for file in (None, names, numbers)]
    assert {each.classes for each in sets} == {CLASSES}
    assert len({tuple((entry.image_path, entry.label) for entry in each.entries) for each in sets}) == 1


def test_class_numbers_without_folders_are_the_nominal_ones(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "n.csv", ("image_path", "target"), [("a.png", "3"), ("b.png", "9")])
    assert read_dataset(tmp_path, file).classes == ("oil_spot", "welding_line")
    file = write_csv(tmp_path / "n.csv", ("image_path", "target"), [("a.png", "12")])
    with pytest.raises(ConfigurationError, match="class number 12 has no name"):
        read_dataset(tmp_path, file)


@pytest.mark.parametrize(
    ("header", "row", "sentence"),
    [
        pytest.param(("file", "label"), ("a", "b"), "needs the columns", id="columns"),
        pytest.param(
            ("image_path", "label"), ("a", ""), "line 2: image_path and label must not be empty", id="empty"
        ),
    ],
)
def test_a_csv_that_cannot_be_read_is_named(
    tmp_path: Path, header: tuple[str, ...], row: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_dataset(tmp_path, write_csv(tmp_path / "bad.csv", header, [row]))


def test_a_sound_set_is_called_sound_and_missing_groups_are_a_warning(folder: Path) -> None:
    found = check_dataset(read_dataset(folder, None))
    assert found.spoils == ()
    assert found.counts == {"crease": PER_CLASS, "oil_spot": PER_CLASS}
    assert any("Give --group COLUMN" in sentence for sentence in found.warnings)


def test_everything_that_spoils_training_is_found(folder: Path) -> None:
    first = (folder / "crease" / "00.png").read_bytes()
    (folder / "oil_spot" / "copy.png").write_bytes(first)
    (folder / "crease" / "copy.png").write_bytes(first)
    (folder / "crease" / "torn.png").write_bytes(b"no picture")
    (folder / "alone").mkdir()
    cv2.imwrite(str(folder / "alone" / "1.png"), render("water_spot", 1, 96, 96))
    found = check_dataset(read_dataset(folder, None))
    assert [path for path, _ in found.unreadable] == ["crease/torn.png"]
    assert len(found.identical) == 2
    assert len(found.contradictions) == 1
    said = " ".join(found.spoils)
    assert "1 files cannot be read" in said
    assert "Class alone has 1 image" in said
    assert "1 images stand under two labels" in said


def test_a_brighter_copy_is_a_near_duplicate_and_crosses_groups(grouped: tuple[Path, Path]) -> None:
    folder, labels = grouped
    image = cv2.imread(str(folder / "crease" / "00.png"), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    cv2.imwrite(str(folder / "crease" / "bright.png"), np.clip(image.astype(int) + 9, 0, 255).astype(np.uint8))
    with labels.open("a", encoding="utf-8") as stream:
        stream.write("crease/bright.png,crease,another coil\n")
    found = check_dataset(read_dataset(folder, labels))
    assert any({0, 2 * PER_CLASS} == set(pair) for pair in found.alike)
    assert any("of different groups look alike" in sentence for sentence in found.warnings)


def test_the_report_shows_pictures_and_escapes_names(folder: Path) -> None:
    (folder / "<script>alert(1)<").mkdir()
    dataset = read_dataset(folder, None)
    entry = dataset.entries[0]
    odd = type(entry)(entry.image_path, "<script>alert(1)</script>", None, {})
    dataset = type(dataset)(dataset.directory, (odd, *dataset.entries))
    page = html_report(dataset, check_dataset(dataset), "Set <one>")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<img") >= 12


def test_no_group_stands_on_both_sides_and_every_class_is_held_out(grouped: tuple[Path, Path]) -> None:
    dataset = read_dataset(*grouped)
    held = grouped_split(dataset, 0.25, 7)
    sides = {entry.label: {entry.group in held for entry in dataset.entries if entry.label == entry.label}
             for entry in dataset.entries}  # fmt: skip
    assert sides == {"crease": {True, False}, "oil_spot": {True, False}}
    assert held == grouped_split(dataset, 0.25, 7)
    assert len(random_split(dataset, 0.25, 7)) == 6


def test_a_prepared_set_is_what_training_reads(grouped: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "ready"
    runner = CliRunner()
    arguments = ["dataset", "prepare", str(grouped[0]), "--csv", str(grouped[1]), "--out", str(out)]
    done = runner.invoke(app, [*arguments, "--image-px", "64"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    frames = read_frames(out / "frames.csv")
    assert len(frames) == 2 * PER_CLASS
    written = cv2.imread(str(out / frames[0].image_path))
    assert written is not None
    assert written.shape == (64, 64, 3)
    split = CoilSplit.load(out / "split_grouped.json")
    assert {frame.label for frame in frames if split.is_held_out(frame)} == {0, 3}
    assert json.loads((out / "dataset.json").read_text(encoding="utf-8"))["classes"] == list(CLASSES)
    with pytest.raises(ConfigurationError, match="exists already"):
        runner.invoke(app, arguments, catch_exceptions=False)


def test_the_version_of_a_set_follows_its_content(folder: Path, tmp_path: Path) -> None:
    versions = []
    for name in ("a", "b", "c"):
        if name == "c":
            cv2.imwrite(str(folder / "crease" / "00.png"), render("crease", 99, 96, 96))
        dataset = read_dataset(folder, None)
        versions.append(prepare_dataset(dataset, tmp_path / name, image_px=32, share=0.2, seed=1).version)
    assert versions[0] == versions[1] != versions[2]


def test_a_full_disk_leaves_nothing_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigurationError, match="No space left on device"):
        prepare_dataset(read_dataset(folder, None), tmp_path / "out", image_px=32, share=0.2, seed=1)
    assert not list(tmp_path.glob("*out*"))


def test_the_exit_code_says_whether_training_would_be_spoilt(folder: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    report = str(tmp_path / "report.html")
    assert runner.invoke(app, ["dataset", "check", str(folder), "--report", report]).exit_code == 0
    (folder / "crease" / "torn.png").write_bytes(b"no picture")
    done = runner.invoke(app, ["dataset", "check", str(folder), "--report", report])
    assert done.exit_code == 1
    assert "spoils training: 1 files cannot be read" in done.output
    assert "crease/torn.png" in Path(report).read_text(encoding="utf-8")
