"""The model repository on disk: Triton's layout, versions put into place whole."""

import json
import shutil
from pathlib import Path

import openvino as ov
import pytest
from openvino import opset13 as ops

from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.repository import ModelRepository, VersionExtras, sha256_of
from services.trainer.served import ServedModel


def served_model() -> ServedModel:
    """A graph with the model's names and shapes that computes next to nothing."""
    image = ops.parameter([-1, 64, 64, 3], ov.Type.u8, name="image")
    pixels = ops.convert(image, ov.Type.f32)
    mean = ops.reduce_mean(pixels, ops.constant([1, 2, 3]), keep_dims=True)
    row = ops.squeeze(mean, ops.constant([2, 3]))
    outputs = {
        "probabilities": ops.softmax(ops.tile(row, ops.constant([1, 11])), 1),
        "embedding": ops.tile(row, ops.constant([1, 128])),
        "evidence": ops.tile(mean, ops.constant([1, 2, 2, 11])),
    }
    results = []
    for name, node in outputs.items():
        result = ops.result(node)
        result.output(0).get_tensor().set_names({name})
        results.append(result)
    model = ov.Model(results, [image], "tiny")
    model.inputs[0].get_tensor().set_names({"image"})
    return ServedModel(model, tuple([0.0] * 11))


EXTRAS = VersionExtras({"date": "2026-11-23"}, {"split.json": "{}\n"})


def test_a_version_is_published_whole_in_tritons_layout(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path / "repository")
    version = repository.publish("steel", SURFACE_LABELS, served_model(), EXTRAS)
    folder = tmp_path / "repository" / "steel"
    assert (version.version, version.directory) == (1, folder / "1")
    assert sorted(entry.name for entry in folder.iterdir()) == ["1", "config.pbtxt", "labels.txt"]
    assert sorted(entry.name for entry in (folder / "1").iterdir()) == [
        "model.bin",
        "model.xml",
        "model_card.json",
        "split.json",
    ]
    card = json.loads((folder / "1" / "model_card.json").read_text(encoding="utf-8"))
    assert card["sha256"]["model.xml"] == sha256_of(folder / "1" / "model.xml")
    assert (card["model_name"], card["model_version"], card["date"]) == ("steel", "1", "2026-11-23")
    config = (folder / "config.pbtxt").read_text(encoding="utf-8")
    assert 'name: "image" data_type: TYPE_UINT8 dims: [ -1, 64, 64, 3 ]' in config
    assert 'name: "evidence" data_type: TYPE_FP32 dims: [ -1, 2, 2, 11 ]' in config


def test_the_next_version_stands_beside_the_first_unless_it_replaces_it(tmp_path: Path) -> None:
    repository = ModelRepository(tmp_path)
    for expected, replace in ((1, False), (2, False), (2, True)):
        extras = VersionExtras({"attempt": f"{expected}-{replace}"})
        assert (
            repository.publish("steel", SURFACE_LABELS, served_model(), extras, replace=replace).version
            == expected
        )
    assert repository.versions("steel") == [1, 2]
    card = json.loads((tmp_path / "steel" / "2" / "model_card.json").read_text(encoding="utf-8"))
    assert card["attempt"] == "2-True"
    assert not (tmp_path / "steel" / "2" / "split.json").exists()


def test_a_repository_that_cannot_be_written_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        ModelRepository(tmp_path / "file").publish("steel", SURFACE_LABELS, served_model(), EXTRAS)


def test_a_disk_that_fills_up_leaves_the_served_version_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = ModelRepository(tmp_path)
    repository.publish("steel", SURFACE_LABELS, served_model(), EXTRAS)
    before = sha256_of(tmp_path / "steel" / "1" / "model_card.json")

    def full_disk(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("Can't write bin: no space left on device")

    monkeypatch.setattr(ov, "save_model", full_disk)
    with pytest.raises(ConfigurationError, match="no space left"):
        repository.publish("steel", SURFACE_LABELS, served_model(), EXTRAS, replace=True)
    assert sorted(entry.name for entry in (tmp_path / "steel").iterdir()) == ["1", "config.pbtxt", "labels.txt"]
    assert sha256_of(tmp_path / "steel" / "1" / "model_card.json") == before


def test_a_name_that_is_no_directory_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no model name"):
        ModelRepository(tmp_path).publish("../steel", SURFACE_LABELS, served_model(), EXTRAS)
    assert not list(tmp_path.iterdir())


def test_the_shipped_configuration_is_what_the_trainer_writes(project_root: Path, tmp_path: Path) -> None:
    shipped = project_root / "model_repository" / "surface_defects"
    version = ModelRepository(shipped.parent).served_version("surface_defects")
    model = ov.Core().read_model(shipped / str(version) / "model.xml")
    card = json.loads((shipped / str(version) / "model_card.json").read_text(encoding="utf-8"))
    served = ServedModel(model, tuple(card["evidence_bias"]))
    ModelRepository(tmp_path).publish("surface_defects", SURFACE_LABELS, served, EXTRAS)
    for name in ("config.pbtxt", "labels.txt"):
        written = (tmp_path / "surface_defects" / name).read_text(encoding="utf-8")
        wanted = (shipped / name).read_text(encoding="utf-8")
        assert written == wanted.replace(f"versions: [ {version} ]", "versions: [ 1 ]")
    shutil.rmtree(tmp_path / "surface_defects")


def test_the_two_shipped_versions_are_small_and_match_their_hashes(project_root: Path) -> None:
    shipped = project_root / "model_repository"
    numbers = ModelRepository(shipped).versions("surface_defects")
    assert len(numbers) == 2
    for number in numbers:
        version = shipped / "surface_defects" / str(number)
        card = json.loads((version / "model_card.json").read_text(encoding="utf-8"))
        assert sum(entry.stat().st_size for entry in version.iterdir()) < 30_000_000
        assert {name: sha256_of(version / name) for name in card["sha256"]} == card["sha256"]
