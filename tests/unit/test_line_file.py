"""The line file: what it accepts, and the sentence it answers with otherwise."""

from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.line_file import load_topology

MACHINES = "machines: [{id: m1, kind: welder, position_m: 1}, {id: m2, kind: washer, position_m: 5}]"


def _line_file(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "line.yaml"
    path.write_text(body, encoding="utf-8")
    return path


def test_the_demo_line_is_valid_and_finds_its_cameras(project_root: Path) -> None:
    topology = load_topology(project_root / "line.yaml")
    station = topology.station("cam-3")
    assert station is not None
    assert (station.line_id, station.machine_id, station.model) == ("strip-1", "skinpass-1", "surface_defects")
    assert topology.station("nobody") is None


def test_cameras_are_returned_in_strip_order(tmp_path: Path) -> None:
    path = _line_file(
        tmp_path,
        f"lines: [{{id: l, {MACHINES}, cameras: "
        "[{id: b, position_m: 6, behind: m2}, {id: a, position_m: 2, behind: m1}]}]",
    )
    assert [camera.camera_id for camera in load_topology(path).cameras] == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("lines: []", ["lines"], id="no_line"),
        pytest.param("lines: [{id: l, machines: []}]", ["lines.0.machines"], id="no_machine"),
        pytest.param("[1, 2", ["not valid YAML"], id="no_yaml"),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5}, {id: b, kind: k, position_m: 5}]}]",
            ["'b'", "'a'", "no two at one place"],
            id="two_machines_at_one_place",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: c, position_m: 0.5, behind: m1}}]}}]",
            ["'c'", "before the first machine"],
            id="camera_before_first_machine",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: c, position_m: 2, behind: m2}}]}}]",
            ["'c'", "behind 'm1'", "not behind 'm2'"],
            id="camera_behind_wrong_machine",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: "
            "[{id: c, position_m: 2, behind: m1}, {id: c, position_m: 6, behind: m2}]}]",
            ["camera id 'c' is used twice"],
            id="camera_twice",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}}}, {{id: k, {MACHINES}}}]",
            ["machine id 'm1' is used twice"],
            id="machine_twice",
        ),
        pytest.param(f"lines: [{{id: l, {MACHINES}, speed: 3}}]", ["lines.0.speed"], id="misspelt_key"),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: dlq, position_m: 2, behind: m1}}]}}]",
            ["camera id 'dlq'"],
            id="reserved_camera_id",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: unassigned, kind: k, position_m: 1}]}]",
            ["'unassigned'", "reserved"],
            id="reserved_machine_id",
        ),
    ],
)
def test_a_bad_line_file_is_refused_with_a_sentence_that_names_the_field(
    tmp_path: Path, body: str, words: list[str]
) -> None:
    path = _line_file(tmp_path, body)
    with pytest.raises(ConfigurationError) as refusal:
        load_topology(path)
    sentence = str(refusal.value)
    assert "\n" not in sentence
    for word in [str(path), *words] if "camera id 'dlq'" not in words else words:
        assert word in sentence


def test_a_missing_line_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml cannot be read: No such file"):
        load_topology(tmp_path / "none.yaml")
