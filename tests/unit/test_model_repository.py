"""The model repository: what is read from cards, and what is said of bad ones."""

import json
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.model_repository import read_versions
from services.domain.classes import SURFACE_LABELS
from tests.conftest import served_card


def _publish(repository: Path, version: str, card: object) -> None:
    folder = repository / "m" / version
    folder.mkdir(parents=True)
    (folder.parent / "labels.txt").write_text("a\nb\n")
    (folder / "model_card.json").write_text(card if isinstance(card, str) else json.dumps(card))


def test_the_projects_own_repository_is_read(project_root: Path) -> None:
    versions = read_versions(project_root / "model_repository")
    assert {version.name for version in versions} == {"surface_defects"}
    assert served_card().parent.name in {version.version for version in versions}
    assert all(tuple(version.labels) == SURFACE_LABELS and len(version.sha256) == 64 for version in versions)


def test_versions_come_in_order_with_their_weights_digest(tmp_path: Path) -> None:
    for number in ("1", "2"):
        _publish(tmp_path, number, {"sha256": {"model.bin": number * 64}})
    assert [(each.version, each.sha256[0]) for each in read_versions(tmp_path)] == [("1", "1"), ("2", "2")]


@pytest.mark.parametrize("card", ["{", "[]", {"sha256": {}}, {"sha256": None}])
def test_a_bad_card_is_named(tmp_path: Path, card: object) -> None:
    _publish(tmp_path, "1", card)
    with pytest.raises(ConfigurationError, match=r"m/1/model_card\.json is no JSON with sha256"):
        read_versions(tmp_path)
