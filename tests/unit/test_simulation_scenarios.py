"""Scenario files: the committed ones, what may stand in one, and the files a run writes."""

import json
from math import pi
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from services.commands.simulate import simulate as command
from services.contracts.errors import ConfigurationError
from services.contracts.inspection_file import read_inspections
from services.contracts.line_file import load_topology
from services.domain.classes import DEFECT_CLASSES
from services.domain.simulation.faults import CameraFaultKind, FaultShape
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.scenario import Scenario
from services.domain.simulation.world import SimulatedLine
from services.simulator.app import SimulationRequest, simulate
from services.simulator.scenario_entries import ScenarioEntry
from services.simulator.scenario_file import read_scenario
from services.simulator.seeds_file import read_seeds

SCENARIOS = Path(__file__).parents[2] / "scenarios"
NAMES = sorted(path.stem for path in SCENARIOS.glob("*.yaml") if path.stem != "seeds")
SMALL = "strip: { coils: 4, frames_per_coil: 50 }\n"


def scenario_file(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def committed(name: str, seed: int = 0) -> Scenario:
    return read_scenario(SCENARIOS / f"{name}.yaml", seed)


@pytest.mark.parametrize("name", NAMES)
def test_every_committed_scenario_runs_and_says_what_it_is_about(name: str) -> None:
    scenario = committed(name, 13)
    assert simulate_coils(SimulatedLine(scenario, 13), 0, 3).table.cameras == scenario.camera_ids
    assert yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text())["about"]


def test_every_committed_scenario_has_seeds_and_no_two_share_one() -> None:
    seeds = read_seeds(SCENARIOS / "seeds.yaml")
    assert sorted(seeds) == NAMES
    drawn = [seed for runs in seeds.values() for seed in runs]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("name", ["step_r2", "step_r3", "step_r5", "step_r10", "cameras_1246"])
def test_the_committed_seeds_use_every_machine_and_class_equally(name: str) -> None:
    seeds = read_seeds(SCENARIOS / "seeds.yaml")[name]
    cells = [(f.machine_id, f.defect_class) for seed in seeds for f in committed(name, seed).faults]
    assert len(set(cells)) == 60
    assert {cells.count(cell) for cell in set(cells)} == {len(seeds) // 60}


def test_the_baseline_file_spells_out_the_defaults() -> None:
    written = yaml.safe_load((SCENARIOS / "baseline.yaml").read_text())
    del written["about"], written["confusion"]
    assert ScenarioEntry.model_validate(written) == ScenarioEntry()


def test_the_baseline_is_the_protocol() -> None:
    baseline, protocol = committed("baseline"), protocol_scenario()
    for name in ("baseline", "survival", "confusion"):
        np.testing.assert_array_equal(getattr(baseline, name), getattr(protocol, name))
    assert [eye.sensitivity.tolist() for eye in baseline.eyes] == [
        eye.sensitivity.tolist() for eye in protocol.eyes
    ]
    assert (baseline.strip, baseline.tracking, baseline.classes) == (
        protocol.strip,
        protocol.tracking,
        protocol.classes,
    )
    assert baseline.line.cameras == protocol.line.cameras


def test_a_scenario_says_everything_that_can_be_said(tmp_path: Path) -> None:
    text = """
    classes: steel
    line:
      machines:
        - { id: a, position_m: 1, elongation: 0.02 }
        - { id: b, kind: mill, position_m: 2, rolls: [{ id: top, diameter_mm: 500 }] }
      cameras:
        - id: late
          behind: b
          position_m: 3
          sensitivity: 0.7
          sensitivity_by_class: { crease: 0.2 }
          coverage: 0.5
        - { id: early, behind: a, position_m: 1.5, clock_skew_s: -2 }
    baseline: { per_frame: 0.002, by_class: { crease: 0.1 }, by_machine: { b: { crease: 0.3, oil_spot: 0.4 } } }
    survival: { per_stage: 0.9, by_machine: { b: 0.5 } }
    confusion: { diagonal: 0.9 }
    overdispersion: { shape: 3, common: false }
    tracking: { positions_from: coil, coil_ids: false, jitter_m: 0.01 }
    strip: { frame_pitch_m: 0.25, start: 2026-03-01T06:00:00+01:00 }
    faults: [{ machine: a, class: crease, shape: ramp, rate_per_km: 8, onset_coil: 3, until_coil: 9 }]
    roll_marks: [{ machine: b, roll: top, class: rolled_pit, forward_slip: 0.02, lane: 0.3 }]
    camera_faults: [{ camera: late, kind: sensitivity }, { camera: early, kind: false_positives, onset_coil: 1 }]
    welds: { machine: a, missing: [2], surplus: [{ coil: 1, at_m: 20 }] }
    """
    scenario = read_scenario(scenario_file(tmp_path, text))
    assert scenario.name == "mine"
    assert scenario.classes == DEFECT_CLASSES
    assert scenario.camera_ids == ("early", "late")
    assert scenario.eyes[1].sensitivity.tolist() == [0.2] + [0.7] * 9
    assert (scenario.eyes[1].coverage, scenario.eyes[0].clock_skew_s) == (0.5, -2)
    assert scenario.baseline[:, [0, 3, 4]].tolist() == [[0.1, 0.002, 0.002], [0.3, 0.4, 0.002]]
    assert scenario.survival[:, 0].tolist() == [0.9, 0.5]
    assert scenario.confusion[0, :2] == pytest.approx([0.9, 0.1 / 9])
    assert scenario.strip.start_s == 1_772_341_200
    fault = scenario.faults[0]
    assert (fault.shape, fault.per_frame, fault.onset_coil, fault.until_coil) == (FaultShape.RAMP, 0.002, 3, 9)
    assert [(f.kind, f.factor) for f in scenario.camera_faults] == [
        (CameraFaultKind.SENSITIVITY, 0.8),
        (CameraFaultKind.FALSE_POSITIVES, 20),
    ]
    assert scenario.roll_faults[0].forward_slip == 0.02
    assert scenario.welds is not None
    assert (scenario.welds.missing, scenario.welds.surplus) == ((2,), ((1, 20.0),))
    assert (scenario.tracking.from_coil_start, scenario.tracking.coil_ids) == (True, False)


def test_the_confusion_of_a_real_model_is_read_from_its_counts(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text(
        "true,b,a,no_defect\na,2,6,2\nb,5,0,0\nno_defect,1,1,50\n", encoding="utf-8"
    )
    scenario = read_scenario(scenario_file(tmp_path, "classes: [a, b]\nconfusion: { csv: real.csv }\n"))
    np.testing.assert_allclose(scenario.confusion, [[0.6, 0.2], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("coils: 5", "coils: this key is not known here", id="unknown_key"),
        pytest.param("strip: { coil: 5 }", "strip, coil: this key is not known here", id="unknown_inner_key"),
        pytest.param("strip: { coils: 0 }", "strip, coils", id="no_coils"),
        pytest.param("strip: { start: 2026-01-05T06:00:00 }", "strip, start", id="naive_start"),
        pytest.param("faults: [{ machine: m1 }]", "class: this field is missing", id="fault_without_class"),
        pytest.param("faults: [{ machine: m9, class: class_0 }]", "machine 'm9' is not known here", id="machine"),
        pytest.param("faults: [{ machine: m1, class: c, shape: slow }]", "shape", id="shape"),
        pytest.param("classes: [no_defect]", "classes: give at least one class", id="no_defect_as_class"),
        pytest.param("baseline: { by_machine: { m9: 1 } }", "baseline: machine 'm9'", id="baseline_machine"),
        pytest.param("baseline: { by_class: { rust: 1 } }", "baseline: class 'rust'", id="baseline_class"),
        pytest.param("survival: { per_stage: 2 }", "2 is not between 0 and 1", id="survival"),
        pytest.param("confusion: { diagonal: [0.5, 0.5] }", "2 shares for 10 classes", id="diagonal"),
        pytest.param("confusion: { matrix: [[1]] }", "it needs 10 rows of 10 shares", id="matrix"),
        pytest.param(
            "confusion: { matrix: [[1]], diagonal: 0.5 }", "give only one of diagonal and matrix", id="both"
        ),
        pytest.param("confusion: { csv: none.csv }", "none.csv cannot be read", id="no_csv"),
        pytest.param(
            "line: { cameras: [{ id: c, behind: m2, position_m: 11 }] }",
            "camera 'c' at 11.0 m stands behind 'm1', not behind 'm2'",
            id="camera_elsewhere",
        ),
        pytest.param(
            "line: { machines: [{ id: m1, position_m: 2 }, { id: m2, position_m: 2 }],"
            " cameras: [{ id: c, behind: m1, position_m: 3 }] }",
            "machines must be listed in strip order, no two at one place",
            id="two_machines_at_one_place",
        ),
        pytest.param("- a", "scenario", id="no_mapping"),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_scenario(scenario_file(tmp_path, text))
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param("true,a,b\na,1,1\n", "no row of class 'b'", id="row_missing"),
        pytest.param("true,a\na,1\nb,1\n", "row 'a': it needs a number for every class", id="column_missing"),
        pytest.param("true,a,b\na,1,x\nb,1,1\n", "row 'a': it needs a number", id="no_number"),
        pytest.param("true,a,b\na,0,0\nb,1,1\n", "row 'a': counts must not be negative nor all 0", id="nothing"),
        pytest.param("", "no row of class 'a'", id="empty"),
    ],
)
def test_a_wrong_confusion_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        read_scenario(scenario_file(tmp_path, "classes: [a, b]\nconfusion: { csv: real.csv }\n"))
    assert sentence in str(refused.value)


@pytest.mark.parametrize("content", ["a: { first_seed: 1 }", "a: 3", "- 1", "a: { first_seed: -1, runs: 1 }"])
def test_wrong_seeds_are_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "seeds.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"seeds\.yaml cannot be read"):
        read_seeds(tmp_path / "seeds.yaml")


def request(folder: Path, scenario: Path, seed: int = 1) -> SimulationRequest:
    folder.mkdir(exist_ok=True)
    return SimulationRequest(scenario, seed, folder / "x.csv", folder / "line.yaml", folder / "truth.json")


@pytest.mark.parametrize("name", NAMES)
def test_export_and_line_file_of_every_scenario_fit_together(name: str, tmp_path: Path) -> None:
    text = yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text())
    text["strip"] = {**text.get("strip", {}), "coils": 3, "frames_per_coil": 150}
    (text.get("welds") or {}).pop("surplus", None)
    small = scenario_file(tmp_path, yaml.safe_dump(text))
    summary = simulate(request(tmp_path / "out", small))
    topology = load_topology(tmp_path / "out" / "line.yaml")
    table = read_inspections(tmp_path / "out" / "x.csv", topology)
    assert len(table) == summary.rows > 0
    scenario = read_scenario(small, 1)
    assert topology.lines[0].cameras == scenario.line.cameras
    assert [m.rolls for m in topology.lines[0].machines] == [m.rolls for m in scenario.line.machines]
    assert [m.elongation for m in topology.lines[0].machines] == [m.elongation for m in scenario.line.machines]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, SMALL)
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(request(tmp_path / folder, scenario, seed))
    for name in ("x.csv", "line.yaml", "truth.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / "x.csv").read_bytes() != (tmp_path / "c" / "x.csv").read_bytes()


def test_the_truth_tells_faults_roll_periods_and_the_origin_of_every_defect(tmp_path: Path) -> None:
    text = SMALL + (
        "line: { machines: [{ id: a, position_m: 1, elongation: 0.02, rolls: [{ id: top, diameter_mm: 500 }] },"
        " { id: b, position_m: 2, elongation: 0.1 }],"
        " cameras: [{ id: c1, behind: a, position_m: 1.5 }, { id: c2, behind: b, position_m: 3 }] }\n"
        "faults: [{ machine: b, class: class_4, factor: 3, onset_coil: 1, until_coil: 3 }]\n"
        "roll_marks: [{ machine: a, roll: top, class: class_7, forward_slip: 0.03, onset_coil: 2 }]\n"
        "camera_faults: [{ camera: c2, kind: dead, onset_coil: 3 }]\n"
    )
    simulate(request(tmp_path, scenario_file(tmp_path, text)))
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert truth["faults"] == [
        {
            "machine_id": "b",
            "defect_class": "class_4",
            "shape": "step",
            "baseline_per_frame": 0.001,
            "faulty_per_frame": 0.003,
            "rate_ratio": 3.0,
            "onset_coil": "coil-000001",
            "until_coil": "coil-000003",
        }
    ]
    mark = truth["roll_marks"][0]
    assert (mark["machine_id"], mark["roll_id"], mark["onset_coil"]) == ("a", "top", "coil-000002")
    assert mark["period_m"] == pytest.approx(pi * 0.5 * 1.03)
    assert mark["period_at_cameras_m"] == pytest.approx({"c1": pi * 0.5 * 1.03, "c2": pi * 0.5 * 1.03 * 1.1})
    assert truth["camera_faults"][0]["kind"] == "dead"
    marks = [dict(zip(truth["defect_fields"], defect, strict=True)) for defect in truth["defects"]]
    rolled = [each for each in marks if each["origin"] == "roll"]
    assert {(each["coil_id"], each["machine_id"], each["defect_class"]) for each in rolled} == {
        ("coil-000002", "a", "class_7"),
        ("coil-000003", "a", "class_7"),
    }
    assert all(50 <= each["position_m"] < 100 for each in rolled)


def run_command(*arguments: str) -> str:
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_writes_all_files_and_says_what_is_in_them(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, SMALL)
    files = [str(tmp_path / name) for name in ("x.parquet", "line.yaml", "truth.json")]
    told = run_command(
        "--scenario",
        str(scenario),
        "--seed",
        "1",
        "--output",
        files[0],
        "--line-output",
        files[1],
        "--truth",
        files[2],
    )
    assert told.startswith(f"1200 rows of 4 coils are in {files[0]}: ")
    assert all(Path(file).exists() for file in files)


def test_an_export_of_an_unknown_kind_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"neither CSV .* nor Parquet"):
        simulate(SimulationRequest(tmp_path / "none.yaml", 1, tmp_path / "x.txt"))


def test_a_truth_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    scenario = scenario_file(tmp_path, SMALL)
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        simulate(SimulationRequest(scenario, 1, tmp_path / "x.csv", truth_file=tmp_path / "no" / "t.json"))
