"""`millsight analyse` from end to end: a table for people, JSON for programs, one sentence for mistakes."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli import USER_ERROR_EXIT_CODE, main
from services.contracts.inspection_file import write_inspections
from services.domain.monitoring.facts import Flag
from services.domain.registration.table import InspectionTable
from services.domain.simulation.scenario import Scenario
from services.domain.topology import MonitoringPlan
from tests.fakes.simulated_coils import coils_of, joined, rows_of, scenario_named, shuffled

SEED = 902_000
COILS = 34


@cache
def failing() -> Scenario:
    """Machine m4 makes fifteen times as many of class_7 from coil 22 on; the line is learnt in fifteen coils."""
    scenario = scenario_named("step_r10", 37)
    return replace(
        scenario,
        faults=(replace(scenario.faults[0], factor=15.0, onset_coil=22),),
        line=replace(scenario.line, monitoring=MonitoringPlan(learning_coils=15)),
    )


def line_entry(scenario: Scenario) -> dict[str, Any]:
    """Return a line as a line file says it."""
    line = scenario.line
    return {
        "id": line.id,
        "speed_m_s": line.speed_m_s,
        "monitoring": {"learning_coils": line.monitoring.learning_coils},
        "machines": [{"id": m.id, "kind": m.kind, "position_m": m.position_m} for m in line.machines],
        "cameras": [
            {"id": c.camera_id, "behind": c.machine_id, "position_m": c.position_m, "material": c.material}
            for c in line.cameras
        ],
    }


class Plant:
    """A folder with an export and a line file, and `millsight analyse` run on them."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.inspections = folder / "export.csv"
        self.line_file = folder / "line.yaml"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.write_line(line_entry(failing()))

    def write_line(self, *entries: dict[str, Any]) -> None:
        self.line_file.write_text(yaml.safe_dump({"lines": list(entries)}), encoding="utf-8")

    def write_rows(self, table: InspectionTable) -> None:
        write_inspections(self.inspections, table)

    def analyse(self, *options: str) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        arguments = ["--inspections", str(self.inspections), "--line", str(self.line_file), *options]
        self._monkeypatch.setattr(sys, "argv", ["millsight", "analyse", *arguments])
        self._monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = self._capsys.readouterr()
        return int(ended.value.code or 0), out, err

    def document(self) -> dict[str, Any]:
        code, out, err = self.analyse("--json")
        assert (code, err) == (0, "")
        document: dict[str, Any] = json.loads(out)
        return document

    def refusal(self) -> str:
        """Return the one sentence with which the command refuses."""
        code, out, err = self.analyse("--json")
        assert (code, out) == (USER_ERROR_EXIT_CODE, "")
        assert err.startswith("millsight: ")
        assert len(err.strip().splitlines()) == 1
        return err.removeprefix("millsight: ").strip()


@pytest.fixture
def plant(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Plant:
    return Plant(tmp_path, capsys, monkeypatch)


def test_the_table_names_the_machine_the_class_and_since_when(plant: Plant) -> None:
    plant.write_rows(rows_of(failing(), SEED, COILS))
    code, out, err = plant.analyse()
    assert (code, err) == (0, "")
    assert "line sim-1: 40800 rows, 34 coils, 1 flags" in out
    for cell in ("m4", "class_7", "coil-000022", "class 7 from m4 is", "Next best: "):
        assert cell in out
    assert "probability" in out
    assert "Traceback" not in out


def test_the_document_holds_every_field_of_a_flag(plant: Plant) -> None:
    plant.write_rows(rows_of(failing(), SEED, COILS))
    document = plant.document()
    assert set(document) == {"flags", "lines", "duplicates_dropped"}
    (line,) = document["lines"]
    assert (line["line_id"], line["rows"], line["coils"], line["learning_coils"]) == ("sim-1", 40800, COILS, 15)
    (flag,) = document["flags"]
    assert (flag["kind"], flag["machine_id"], flag["group_id"], flag["machine_ids"]) == (
        "machine", "m4", "m4", ["m4"]
    )  # fmt: skip
    assert flag["defect_class"] == "class_7"
    assert abs(int(flag["onset_coil"][-6:]) - 22) <= 2
    assert flag["onset_coil_low"] <= flag["onset_coil"] <= flag["onset_coil_high"]
    assert flag["alarm_coil"] >= flag["onset_coil"]
    assert flag["attribution_prob"] > 0.5
    assert flag["runner_up"] != "m4"
    assert flag["ratio_ci_low"] < flag["rate_ratio"] < flag["ratio_ci_high"]
    assert (flag["period_m"], flag["matched_roll"]) == (None, None)
    assert sum(flag["posterior"].values()) == pytest.approx(1.0, abs=1e-4)
    assert flag["evidence_frames"]
    # Every attribute of a flag is in the document, be it under another name.
    renamed = {
        "onset_low_coil": "onset_coil_low", "onset_high_coil": "onset_coil_high", "defects": "defects_first_seen",
        "ratio_low": "ratio_ci_low", "ratio_high": "ratio_ci_high", "runner_up_probability": "runner_up_prob",
        "member_posterior": "member_prior", "projected_coils": "projected_coils_to_limit",
        "advice": "recommended_action", "evidence": "evidence_frames",
    }  # fmt: skip
    missing = {renamed.get(name, name) for name in Flag.__slots__} - set(flag)
    assert missing <= {"last_coil"}


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_rows_in_any_order_and_format_give_the_same_document(plant: Plant, suffix: str) -> None:
    table = rows_of(failing(), SEED, COILS)
    plant.write_rows(table)
    document = plant.document()
    plant.inspections = plant.inspections.with_name(f"export{suffix}")
    plant.write_rows(shuffled(table))
    assert plant.document() == document


def test_an_export_that_is_too_short_to_learn_from_says_so(plant: Plant) -> None:
    plant.write_rows(rows_of(failing(), SEED, 6))
    (line,) = plant.document()["lines"]
    assert line["notes"] == ["All 6 coils were needed to learn what is normal (15): nothing can be flagged yet."]


def test_a_line_that_looks_well_prints_no_flags(plant: Plant) -> None:
    plant.write_rows(rows_of(failing(), SEED, 20))
    code, out, _ = plant.analyse()
    assert code == 0
    assert "line sim-1: 24000 rows, 20 coils, 0 flags" in out


def test_coils_that_no_camera_named_are_cut_into_sections(plant: Plant) -> None:
    table = rows_of(failing(), SEED, 6)
    plant.write_rows(replace(table, coils=(), coil=table.coil * 0 - 1))
    (line,) = plant.document()["lines"]
    assert line["coils"] == 3  # 600 m in sections of 250 m


def test_a_camera_that_fell_silent_is_noted(plant: Plant) -> None:
    table = rows_of(failing(), SEED, 6)
    plant.write_rows(table.take((table.camera != 2) | (table.coil < 3)))
    (line,) = plant.document()["lines"]
    assert any(note.startswith("cam-3: No frame arrived") for note in line["notes"])


def test_a_joint_without_a_weld_is_noted(plant: Plant) -> None:
    scenario = scenario_named("welds")
    assert scenario.welds is not None
    scenario = replace(scenario, welds=replace(scenario.welds, missing=(8,), surplus=()))
    plant.write_line(line_entry(scenario))
    plant.write_rows(rows_of(scenario, SEED, 10))
    (line,) = plant.document()["lines"]
    assert "Coil coil-000008: no welding line at its joint, although cameras looked." in line["notes"]


def without_column(name: str) -> Callable[[Plant], None]:
    def spoil(plant: Plant) -> None:
        lines = [line.split(",") for line in plant.inspections.read_text(encoding="utf-8").splitlines()]
        column = lines[0].index(name)
        kept = [",".join(cell for place, cell in enumerate(line) if place != column) for line in lines]
        plant.inspections.write_text("\n".join(kept) + "\n", encoding="utf-8")

    return spoil


def changed_line(**changes: object) -> Callable[[Plant], None]:
    return lambda plant: plant.write_line(line_entry(failing()) | changes)


def with_machine_at(position_m: float) -> Callable[[Plant], None]:
    machines = line_entry(failing())["machines"]
    machines[1]["position_m"] = position_m
    return changed_line(machines=machines)


def with_camera(**changes: object) -> Callable[[Plant], None]:
    cameras = line_entry(failing())["cameras"]
    cameras[0] |= changes
    return changed_line(cameras=cameras)


def emptied(plant: Plant) -> None:
    plant.inspections.write_text("", encoding="utf-8")


def header_only(plant: Plant) -> None:
    first = plant.inspections.read_text(encoding="utf-8").splitlines()[0]
    plant.inspections.write_text(first + "\n", encoding="utf-8")


def two_lines_share_a_machine(plant: Plant) -> None:
    second = line_entry(failing()) | {"id": "sim-2", "cameras": []}
    plant.write_line(line_entry(failing()), second)


def positions_run_backwards(plant: Plant) -> None:
    table = rows_of(failing(), SEED, 3)
    late = (table.camera == 3) & (table.position_m > 150)
    plant.write_rows(replace(table, position_m=table.position_m - 30.0 * late))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(without_column("captured_at"), ["export.csv", "captured_at"], id="a_column_is_missing"),
        pytest.param(without_column("defect_class"), ["export.csv", "defect_class"], id="no_verdicts"),
        pytest.param(
            changed_line(cameras=line_entry(failing())["cameras"][1:]),
            ["export.csv", "camera_id", "cam-1"],
            id="a_camera_that_no_line_names",
        ),
        pytest.param(with_machine_at(10), ["sim-1", "machines", "m2", "m1"], id="two_machines_at_one_place"),
        pytest.param(
            with_machine_at(5), ["sim-1", "m2", "must not run backwards"], id="positions_of_machines_fall"
        ),
        pytest.param(
            with_camera(position_m=3.0),
            ["sim-1", "cameras", "cam-1", "before the first machine"],
            id="a_camera_before_the_first_machine",
        ),
        pytest.param(
            with_camera(behind="m3"), ["sim-1", "cam-1", "behind 'm1', not behind 'm3'"], id="wrong_machine"
        ),
        pytest.param(with_camera(id="cam-2"), ["sim-1", "cam-2", "twice"], id="overlapping_ids"),
        pytest.param(two_lines_share_a_machine, ["sim-2", "machines", "m1", "sim-1"], id="lines_share_a_machine"),
        pytest.param(changed_line(cameras=[]), ["camera"], id="a_line_without_cameras"),
        pytest.param(emptied, ["export.csv"], id="an_empty_file"),
        pytest.param(header_only, ["export.csv"], id="no_rows"),
        pytest.param(
            positions_run_backwards, ["export.csv", "strip_position_m", "run backwards"], id="positions_fall"
        ),
        pytest.param(lambda plant: plant.inspections.unlink(), ["export.csv"], id="no_such_file"),
        pytest.param(lambda plant: plant.line_file.unlink(), ["line.yaml"], id="no_line_file"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_that_names_the_thing(
    plant: Plant, spoil: Callable[[Plant], None], said: list[str]
) -> None:
    plant.write_rows(rows_of(failing(), SEED, 3))
    spoil(plant)
    sentence = plant.refusal()
    for word in said:
        assert word in sentence


def test_a_frame_that_stands_there_twice_counts_once(plant: Plant) -> None:
    table = rows_of(failing(), SEED, 6)
    plant.write_rows(table)
    document = plant.document()
    first = next(coils_of(table))[1]
    plant.write_rows(joined([table, first]))
    again = plant.document()
    assert again.pop("duplicates_dropped") == len(first)
    assert document.pop("duplicates_dropped") == 0
    assert again == document
