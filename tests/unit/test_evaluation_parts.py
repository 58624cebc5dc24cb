"""Parts of the evaluation: what is told to a knowing monitor, what is kept, what the tables make of runs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.commands.simulate import simulate
from services.contracts.errors import ConfigurationError
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.run import Output, simulate_coils
from services.domain.simulation.scenario import Strip
from services.domain.simulation.world import SimulatedLine
from services.simulator.evaluation import episode_table, faults_table
from services.simulator.evaluation.bench import KNOWN, LEARNED, analysis_of, coils_of, registered_share
from services.simulator.evaluation.card_confusion import card_confusion, fitted
from services.simulator.evaluation.known import usual_calls
from services.simulator.evaluation.outcomes import MACHINE, FlagSeen, RunOutcome, TrueFault
from services.simulator.evaluation.pool import Ledger, fingerprint
from services.simulator.evaluation.speed import large_scenario
from services.simulator.evaluation.studies import STUDIES, jobs_of
from services.simulator.evaluation.tables import Bar, Row, Section, at_least, between, document, markdown
from services.simulator.seeds_file import read_seeds

PROJECT = Path(__file__).parents[2]
CARD = PROJECT / "scenarios" / "model_card.json"


def flag(cause: str = "m1", defect_class: str = "class_0", alarm: int = 70, onset: int = 60) -> FlagSeen:
    posterior = {"m1": 0.6, "m2": 0.2, "none": 0.2}
    return FlagSeen(cause, defect_class, MACHINE, alarm, onset, onset - 2, onset + 3, posterior)


def run(*flags: FlagSeen, coils: int = 71) -> RunOutcome:
    truth = [TrueFault("m1", "m1", 1, "class_0", 60)]
    return RunOutcome("step_r5/known", 1, coils, 0, list(flags), truth)


def value(section: Section, measure: str) -> float:
    return next(row.figure.value for row in section.rows if row.measure == measure)


def test_a_knowing_monitor_is_told_the_true_rates_as_they_are_registered() -> None:
    scenario = protocol_scenario()
    state = analysis_of(scenario, KNOWN).monitor.state
    share = registered_share(scenario)
    assert 0.94 < share < 0.99
    np.testing.assert_allclose(state.rate, share * 1e-3 / 0.5)
    np.testing.assert_allclose(state.hits / state.trials, np.stack([eye.sensitivity for eye in scenario.eyes]))
    assert analysis_of(scenario, LEARNED).monitor.state.trials.sum() == 0


def test_usual_calls_are_what_the_simulator_makes() -> None:
    scenario = replace(protocol_scenario(), strip=Strip(coils=400))
    table = simulate_coils(
        SimulatedLine(scenario, 900_000), 0, 400, Output(clean_rows=False, frame_ids=False)
    ).table
    seen = np.bincount(table.camera, minlength=6) / (400 * 200)
    np.testing.assert_allclose(seen, usual_calls(scenario), rtol=0.05)


def test_coils_come_whole_and_in_order() -> None:
    scenario = replace(protocol_scenario(), strip=Strip(coils=45))
    line = SimulatedLine(scenario, 900_001)
    coils = list(coils_of(line, scenario.classes, 10, 43))
    assert [coil.number for coil in coils] == list(range(10, 43))
    assert {len(coil.rows) for coil in coils} == {1200}
    assert all(coil.rows.coils[int(coil.rows.coil[0])] == coil.name for coil in coils)


def test_the_cards_confusion_meets_every_count_of_the_card() -> None:
    confusion = card_confusion(CARD)
    figures = json.loads(CARD.read_text())["figures"]["coil_grouped_hold_out"]
    classes = [each for each in figures["per_class"].values() if each["n"]]
    total = np.array([each["n"] for each in classes])
    np.testing.assert_allclose(np.diag(confusion) * total, [each["recall"]["hits"] for each in classes])
    np.testing.assert_allclose(total @ confusion, [each["precision"]["n"] for each in classes], rtol=1e-3)
    assert (1 - confusion.sum(axis=1)) @ total == pytest.approx(figures["called_no_defect"], rel=1e-3)


def test_wrong_labels_meet_both_their_margins() -> None:
    table = fitted(np.array([4.0, 2.0, 6.0]), np.array([3.0, 5.0, 2.0, 2.0]))
    np.testing.assert_allclose(table.sum(axis=1), [4, 2, 6], rtol=1e-6)
    np.testing.assert_allclose(table.sum(axis=0), [3, 5, 2, 2], rtol=1e-6)
    assert not np.diag(table[:, :3]).any()


def test_a_card_without_figures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="has no figures of held-out coils"):
        card_confusion(tmp_path / "card.json")


def test_what_was_done_is_not_done_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.jsonl"
    Ledger(path).add("a", [run(flag()).document()])
    with path.open("a") as file:
        file.write('{"job": "b", "outco')
    again = Ledger(path)
    assert list(again.done) == ["a"]
    assert again.done["a"] == [run(flag())]


def test_the_fingerprint_changes_with_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    before = fingerprint([tmp_path])
    (tmp_path / "a.py").write_text("x = 2\n")
    assert fingerprint([tmp_path]) != before


def test_every_study_has_the_seeds_that_it_asks_for() -> None:
    seeds = read_seeds(PROJECT / "scenarios" / "seeds.yaml")
    assert [study.name for study in STUDIES if len(seeds[study.seeds_of]) < study.runs] == []


def test_a_part_of_the_jobs_says_a_little_of_everything() -> None:
    jobs = jobs_of(PROJECT / "scenarios", CARD, quick=False)
    assert {job.study for job in jobs[: len(jobs) // 10]} == {study.name for study in STUDIES}
    assert len({job.key for job in jobs}) == len(jobs)


def test_flags_before_the_onset_are_counted_and_left_out() -> None:
    runs = [run(flag()), run(flag(alarm=40), coils=41), run(coils=260)]
    section = faults_table.steps("x", runs, 5, judged=True)
    assert value(section, "mean delay, coils") == pytest.approx((11 + 200) / 2)
    assert value(section, "flag before the onset, left out") == pytest.approx(1 / 3)
    assert value(section, "given up without a flag") == pytest.approx(1 / 2)


def test_only_the_right_machine_is_right() -> None:
    runs = [run(flag()), run(flag(defect_class="class_1")), run(flag(cause="m2")), run(flag(cause="camera:cam-1"))]
    section = faults_table.steps("x", runs, 5, judged=False)
    assert value(section, "top-1 machine group") == 0.5
    assert value(section, "top-1 machine group and class") == 0.25
    assert value(section, "mean posterior of the true cause") == pytest.approx(0.6)
    assert value(section, "mean posterior of the true cause, given a fault") == pytest.approx(0.75)
    assert value(section, "Brier score of the causes, given a fault") == pytest.approx(2 * 0.25**2)


def test_the_onset_is_scored_where_the_machine_is_right() -> None:
    runs = [run(flag(onset=61)), run(flag(onset=66)), run(flag(cause="m2", onset=0))]
    section = faults_table.steps("x", runs, 5, judged=True)
    assert value(section, "median error of the onset, coils") == pytest.approx(3.5)
    assert value(section, "onset inside its 95 % interval") == pytest.approx(1 / 2)


def test_episodes_count_hits_misses_and_false_flags() -> None:
    wrong = [flag(cause="m3", alarm=80), flag(cause="m4", alarm=90), flag(cause="m2", alarm=200)]
    twice = [flag(), flag(alarm=75), *wrong]
    section = episode_table.two_faults([run(*twice), run()])
    assert value(section, "recall of faults") == 0.5
    assert value(section, "precision of flags") == pytest.approx(1 / 3)
    assert value(section, "both found") == 0.5


@pytest.mark.parametrize(
    ("bar", "reached", "missed"),
    [(between(400, 700), 400, 701), (at_least(0.9), 0.9, 0.89), (Bar(None, 2), 2, 2.1)],
)
def test_bars_are_met_at_their_edge(bar: Bar, reached: float, missed: float) -> None:
    assert bar.met_by(reached)
    assert not bar.met_by(missed)


def test_tables_tell_missed_bars_and_hold_plain_values() -> None:
    section = faults_table.false_alarms("calm", [replace(run(), truth=[], coils=900)])
    assert isinstance(section.rows[0], Row)
    told = document([section], {"runs": 1})
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["sections"][0]["rows"][0]["met"] is False
    assert "| calm | mean coils between false flags | ∞ (244 to ∞) | 400 to 700 | **no** |" in markdown(
        [section], {}
    )


def test_the_large_line_has_a_hundred_cameras_behind_thirty_machines() -> None:
    scenario = large_scenario(30, 100)
    line = SimulatedLine(replace(scenario, strip=replace(scenario.strip, coils=1)), 1)
    assert (len(scenario.line.machines), len(scenario.line.cameras)) == (30, 100)
    assert len({camera.machine_id for camera in scenario.line.cameras}) == 30
    assert line.scenario.baseline.sum() == pytest.approx(protocol_scenario().baseline.sum())


def test_the_command_says_what_it_needs() -> None:
    with pytest.raises(ConfigurationError, match="needs --scenario and --output, or --evaluate"):
        simulate(scenario=PROJECT / "scenarios" / "baseline.yaml")
