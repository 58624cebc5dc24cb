"""A start from an earlier version: refused when it has seen what figures are to be measured on."""

import json
import re
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.trainer.frames import LabelledFrame
from services.trainer.lineage import check_lineage, start_note, version_folder
from services.trainer.repository import sha256_of
from services.trainer.split import CoilSplit

LABELS = ("crease", "oil_spot")
FRAMES = [LabelledFrame(f"{coil}-{number}.jpg", 0, coil) for coil in "abcd" for number in range(3)]


@pytest.fixture
def frames_csv(tmp_path: Path) -> Path:
    file = tmp_path / "frames.csv"
    file.write_text("image_path,target\n")
    return file


@pytest.fixture
def version(tmp_path: Path, frames_csv: Path) -> Path:
    """A version that was trained on coils a and b."""
    folder = tmp_path / "repository" / "steel" / "4"
    folder.mkdir(parents=True)
    card = {"labels": LABELS, "data": {"csv_sha256": sha256_of(frames_csv)}}
    (folder / "model_card.json").write_text(json.dumps(card))
    (folder / "split.json").write_text(CoilSplit(1, 0.5, frozenset("cd")).as_text())
    return folder


def test_only_a_model_and_its_version_name_a_folder(tmp_path: Path) -> None:
    assert version_folder("steel@4", tmp_path) == tmp_path / "steel" / "4"
    for other in ("none", "imagenet", "steel.weights.h5", "steel@latest"):
        assert version_folder(other, tmp_path) is None


@pytest.mark.parametrize("held_out", [FRAMES[6:], FRAMES[6:7]], ids=["the same coils", "some of their images"])
def test_what_the_start_has_not_seen_may_be_held_out(
    version: Path, frames_csv: Path, held_out: list[LabelledFrame]
) -> None:
    assert check_lineage(version, frames_csv, held_out, LABELS) == ()


def test_a_start_that_has_seen_held_out_images_is_refused(version: Path, frames_csv: Path) -> None:
    says = (
        "steel@4 was trained on 2 of the 8 held-out images, b-1.jpg among them, and every figure would be too good"
    )
    with pytest.raises(ConfigurationError, match=re.escape(says)) as raised:
        check_lineage(version, frames_csv, FRAMES[4:], LABELS)
    assert f"--split {version / 'split.json'}, or --weights none." in str(raised.value)


def test_that_another_data_set_cannot_be_compared_is_noted(version: Path, frames_csv: Path) -> None:
    frames_csv.write_text("image_path,target\na-0.jpg,1\n")
    (note,) = check_lineage(version, frames_csv, FRAMES, LABELS)
    assert "trained on another data set than frames.csv" in note


def test_images_of_another_material_are_other_images(version: Path, frames_csv: Path) -> None:
    assert check_lineage(version, frames_csv, FRAMES, ("knot", "split")) == ()


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        pytest.param(None, "There is no version 4 of model steel", id="missing"),
        pytest.param("no json", "cannot be read", id="broken"),
        pytest.param("{}", "does not say what it was trained on", id="silent"),
    ],
)
def test_a_version_that_does_not_say_how_it_was_made_is_refused(
    version: Path, frames_csv: Path, card: str | None, sentence: str
) -> None:
    (version / "model_card.json").unlink()
    if card is not None:
        (version / "model_card.json").write_text(card)
    with pytest.raises(ConfigurationError, match=sentence):
        check_lineage(version, frames_csv, FRAMES, LABELS)


def test_what_a_weights_file_has_seen_comes_from_the_note_beside_it(tmp_path: Path) -> None:
    weights = tmp_path / "rendered.weights.h5"
    weights.write_bytes(b"weights")
    note = {"sha256": sha256_of(weights), "seen": "17000 rendered frames and no picture of a data set"}
    (tmp_path / "rendered.json").write_text(json.dumps(note))
    (sentence,) = start_note(str(weights))
    assert sentence.startswith("The start rendered.weights.h5 (sha256 ")
    assert sentence.endswith(" has seen 17000 rendered frames and no picture of a data set.")
    for start in ("none", "imagenet", "steel@4"):
        assert start_note(start) == ()


@pytest.mark.parametrize("note", [None, {"sha256": "f00", "seen": "nothing"}], ids=["no note", "of another file"])
def test_a_weights_file_of_unknown_past_is_noted_so(tmp_path: Path, note: dict[str, str] | None) -> None:
    weights = tmp_path / "own.weights.h5"
    weights.write_bytes(b"weights")
    if note is not None:
        (tmp_path / "own.json").write_text(json.dumps(note))
    (sentence,) = start_note(str(weights))
    assert sentence.endswith("whether it has seen images that are held out here is not known.")


def test_a_note_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    weights = tmp_path / "own.weights.h5"
    weights.write_bytes(b"weights")
    (tmp_path / "own.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"The note .*own\.json of what .* has seen cannot be read"):
        start_note(str(weights))
