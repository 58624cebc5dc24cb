"""The line file: what it accepts, and the sentence it answers with otherwise."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.line_file import load_topology
from services.domain.topology import Machine, MonitoringPlan, Roll

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


def test_a_line_without_new_fields_gets_their_documented_defaults(tmp_path: Path) -> None:
    roll = "rolls: [{id: r, diameter_mm: 480}]"
    path = _line_file(tmp_path, f"lines: [{{id: l, machines: [{{id: a, kind: k, position_m: 1, {roll}}}]}}]")
    (line,) = load_topology(path).lines
    assert (line.valid_from, line.monitoring) == (None, MonitoringPlan(20, 500.0, 200.0, None))
    assert line.machines == (Machine("a", "a", "k", 1.0, (Roll("r", 480.0, None, 0.02),), 0.0),)


def test_elongation_slip_and_monitoring_are_read(tmp_path: Path) -> None:
    roll = "rolls: [{id: r, diameter_mm: 480, forward_slip: 0.03, forward_slip_tolerance: 0.01}]"
    plan = "monitoring: {learning_coils: 3, arl0_coils: 1000, mean_coils_between_faults: 50, close_after_s: 90}"
    path = _line_file(
        tmp_path,
        f"lines: [{{id: l, {plan}, machines: [{{id: a, kind: k, position_m: 1, elongation: 0.01, {roll}}}]}}]",
    )
    (line,) = load_topology(path).lines
    assert line.monitoring == MonitoringPlan(3, 1000.0, 50.0, 90.0)
    assert line.machines[0].elongation == 0.01
    assert line.machines[0].rolls == (Roll("r", 480.0, 0.03, 0.01),)


def test_versions_of_a_line_share_their_ids_and_the_newest_one_counts(tmp_path: Path) -> None:
    camera = "cameras: [{{id: c, position_m: {}, behind: {}}}]"
    path = _line_file(
        tmp_path,
        f"lines: [{{id: l, valid_from: '2026-03-01T06:00Z', {MACHINES}, {camera.format(6, 'm2')}}},"
        f" {{id: l, {MACHINES}, {camera.format(2, 'm1')}}}]",
    )
    topology = load_topology(path)
    station = topology.station("c")
    assert station is not None
    assert station.machine_id == "m2"
    began = datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert [(each.valid_from, each.valid_until) for each in topology.history("l")] == [
        (None, began),
        (began, None),
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("lines: []", ["lines"], id="no_line"),
        pytest.param("lines: [{id: l, machines: []}]", ["line 'l', machines"], id="no_machine"),
        pytest.param(f"lines: [{{{MACHINES}}}]", ["line no. 1, id: this field is missing"], id="no_line_id"),
        pytest.param("[1, 2", ["not valid YAML"], id="no_yaml"),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5}, {id: b, kind: k, position_m: 5}]}]",
            ["line 'l', machines: machine 'b' at 5.0 m", "'a'", "no two machines at one place"],
            id="two_machines_at_one_place",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5}, {id: b, kind: k, position_m: 4}]}]",
            ["line 'l', machines: machine 'b' at 4.0 m", "'a' at 5.0 m", "must not run backwards"],
            id="positions_run_backwards",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5}, {id: a, kind: k, position_m: 6}]}]",
            ["line 'l', machines: machine id 'a' is used twice"],
            id="machine_twice_on_one_line",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5,"
            " rolls: [{id: r, diameter_mm: 1}, {id: r, diameter_mm: 2}]}]}]",
            ["line 'l', machines: roll id 'r' is used twice"],
            id="roll_twice",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5, elongation: 1.6}]}]",
            ["line 'l', machine 'a', elongation"],
            id="too_much_elongation",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: a, kind: k, position_m: 5,"
            " rolls: [{id: r, diameter_mm: 480, forward_slip: 3}]}]}]",
            ["line 'l', machine 'a', roll 'r', forward_slip"],
            id="slip_in_percent",
        ),
        *[
            pytest.param(
                f"lines: [{{id: l, machines: [{{id: a, kind: k, position_m: {value}}}]}}]",
                ["line 'l', machine 'a', position_m"],
                id=f"position_is_{value[1:]}",
            )
            for value in (".nan", ".inf", "-1")
        ],
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, monitoring: {{learning_coils: 1}}}}]",
            ["line 'l', monitoring, learning_coils"],
            id="too_few_learning_coils",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, monitoring: {{arl0: 500}}}}]",
            ["line 'l', monitoring, arl0", "not known"],
            id="misspelt_monitoring_key",
        ),
        *[
            pytest.param(f"lines: [{{id: l, {MACHINES}, valid_from: {value}}}]", [words], id=name)
            for value, words, name in (
                (
                    "2026-03-01 06:00:00",
                    "line 'l' (valid from 2026-03-01 06:00:00), valid_from: 2026-03-01 06:00:00 has no time zone",
                    "naive_moment",
                ),
                ("2026-03-01T06:00", "has no time zone", "naive_moment_in_words"),
                ("2026-03-01", "valid_from: 2026-03-01 has no time of day and no time zone", "only_a_day"),
                ("20260301", "valid_from: 20260301 is no point in time", "a_number"),
                ("yesterday", "'yesterday' is no point in time", "a_word"),
                (
                    "2026-02-30",
                    "holds a date or number that does not exist: day is out of range",
                    "a_day_that_is_none",
                ),
            )
        ],
        pytest.param(
            f"lines: [{{id: l, {MACHINES}}}, {{id: l, {MACHINES}}}]",
            ["line 'l', valid_from", "2 times without a date"],
            id="two_undated_versions",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, valid_from: 2026-03-01T06:00:00Z}},"
            f" {{id: l, {MACHINES}, valid_from: 2026-03-01T07:00:00+01:00}}]",
            ["line 'l', valid_from", "2 versions begin at 2026-03-01T06:00:00"],
            id="two_versions_at_one_moment",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}}}, {{id: l, valid_from: 2026-03-01T06:00:00Z, machines: []}}]",
            ["line 'l' (valid from 2026-03-01 06:00:00+00:00), machines"],
            id="which_version_is_wrong",
        ),
        pytest.param(
            "lines: [{id: unassigned, machines: [{id: a, kind: k, position_m: 1}]}]",
            ["line 'unassigned', id", "reserved"],
            id="reserved_line_id",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: c, position_m: 0.5, behind: m1}}]}}]",
            ["line 'l', cameras: camera 'c'", "before the first machine, 'm1' at 1.0 m"],
            id="camera_before_first_machine",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: c, position_m: 2, behind: m2}}]}}]",
            ["line 'l', cameras: camera 'c'", "behind 'm1'", "not behind 'm2'"],
            id="camera_behind_wrong_machine",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: "
            "[{id: c, position_m: 2, behind: m1}, {id: c, position_m: 6, behind: m2}]}]",
            ["line 'l', cameras: camera id 'c' is used twice"],
            id="camera_twice",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}}}, {{id: k, {MACHINES}}}]",
            ["line 'k', machines: machine id 'm1' is used twice, in line 'l' too"],
            id="machine_on_two_lines",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: c, position_m: 2, behind: m1}}]}},"
            " {id: k, machines: [{id: n, kind: k, position_m: 1}],"
            " cameras: [{id: c, position_m: 2, behind: n}]}]",
            ["line 'k', cameras: camera id 'c' is used twice, in line 'l' too"],
            id="camera_on_two_lines",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, speed: 3}}]",
            ["line 'l', speed: this key is not known"],
            id="misspelt_key",
        ),
        pytest.param(
            f"lines: [{{id: l, {MACHINES}, cameras: [{{id: dlq, position_m: 2, behind: m1}}]}}]",
            ["line 'l', cameras: camera id 'dlq'"],
            id="reserved_camera_id",
        ),
        pytest.param(
            "lines: [{id: l, machines: [{id: unassigned, kind: k, position_m: 1}]}]",
            ["line 'l', machines", "'unassigned'", "reserved"],
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
    for word in [str(path), *words]:
        assert word in sentence


def test_a_missing_line_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml cannot be read: No such file"):
        load_topology(tmp_path / "none.yaml")


def test_the_line_files_of_the_documents_are_valid(tmp_path: Path, project_root: Path) -> None:
    text = (project_root / "docs" / "line.md").read_text(encoding="utf-8")
    plain, dated = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert load_topology(_line_file(tmp_path, plain)).lines[0].machines[1].elongation == 0.01
    assert len(load_topology(_line_file(tmp_path, dated)).history("strip-1")) == 2
