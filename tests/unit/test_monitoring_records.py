"""Facts for the database: they say what the coil's outcome says, and computing again gives the same."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from services.domain.monitoring.analysis import CoilReport
from services.domain.monitoring.facts import COIL_CHANGE, FALSE_ALARM, CoilRecord, RegisteredDefect
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.grades import judge_coil
from services.domain.monitoring.records import coil_record, defects_of
from services.domain.registration.table import UNKNOWN
from services.domain.simulation.scenario import Scenario
from services.domain.topology import MonitoringPlan
from tests.fakes.simulated_coils import (
    coils_of,
    fresh_analysis,
    joined,
    pack_named,
    rows_of,
    run_of,
    scenario_named,
    shuffled,
)

COILS = 9


@cache
def a_steel_line() -> Scenario:
    """Welds at every joint, learnt in five coils, one camera that looks at 40 % of the strip."""
    scenario = scenario_named("welds")
    eyes = list(scenario.eyes)
    eyes[3] = replace(eyes[3], coverage=0.4)
    line = replace(scenario.line, monitoring=MonitoringPlan(learning_coils=5))
    return replace(scenario, eyes=tuple(eyes), line=line, baseline=scenario.baseline * 3)


@cache
def judged() -> tuple[MonitorFrame, list[tuple[CoilReport, CoilRecord, tuple[RegisteredDefect, ...]]]]:
    analysis = fresh_analysis(a_steel_line())
    found = []
    for name, rows in coils_of(rows_of(a_steel_line(), 900_900, COILS)):
        report = analysis.take(name, rows)
        frame = analysis.monitor.frame
        record = coil_record(report, frame, analysis.monitor.state, "steel_strip")
        found.append((report, record, defects_of(report, frame)))
    return analysis.monitor.frame, found


def test_coils_are_numbered_and_learnt_first() -> None:
    _, coils = judged()
    records = [record for _, record, _ in coils]
    assert [record.number for record in records] == list(range(COILS))
    assert [record.state for record in records] == ["learning"] * 5 + ["monitored"] * (COILS - 5)
    assert [record.coil_id for record in records] == [f"coil-{number:06d}" for number in range(COILS)]
    assert all(before.started_at < after.started_at for before, after in pairwise(records))
    assert all(record.length_m == pytest.approx(100.0, abs=1.0) for record in records)


def test_every_sighting_of_the_rows_is_in_exactly_one_defect() -> None:
    table = rows_of(a_steel_line(), 900_900, COILS)
    _, coils = judged()
    for code, (_, _, defects) in enumerate(coils):
        rows = (table.coil == code) & (table.label != UNKNOWN)
        frames = [sighting.frame_id for defect in defects for sighting in defect.sightings]
        assert sorted(frames) == sorted(table.frame_id[rows].tolist())


def test_posteriors_are_probabilities() -> None:
    _, coils = judged()
    for _, _, defects in coils:
        for defect in defects:
            assert sum(defect.class_posterior.values()) == pytest.approx(1.0, abs=0.06)
            assert sum(defect.cause_posterior.values()) == pytest.approx(1.0, abs=0.06)
            assert all(
                0 < share <= 1 + 1e-9
                for share in (*defect.class_posterior.values(), *defect.cause_posterior.values())
            )


def test_landmarks_have_no_machine_as_their_cause() -> None:
    frame, coils = judged()
    groups = {group.group_id for group in frame.layout.groups}
    marks = [defect for _, _, defects in coils for defect in defects if defect.landmark]
    others = [defect for _, _, defects in coils for defect in defects if not defect.landmark]
    assert len(marks) >= 2 * COILS
    assert all(defect.cause_posterior == {COIL_CHANGE: 1.0} for defect in marks)
    assert all(set(defect.cause_posterior) <= groups | {FALSE_ALARM} for defect in others)


def test_cameras_that_saw_missed_or_did_not_look_are_told_apart() -> None:
    frame, coils = judged()
    absent = 0
    for report, _, defects in coils:
        for defect, labels in zip(defects, report.outcome.coil.labels, strict=True):
            saw = {sighting.camera_id for sighting in defect.sightings}
            assert [label >= 0 for label in labels] == [name in saw for name in frame.layout.cameras]
            assert [label == -1 for label in labels] == [name in defect.looked for name in frame.layout.cameras]
            absent += "cam-4" not in saw and "cam-4" not in defect.looked
    assert absent > 20  # cam-4 looks at 40 % of the strip


def test_the_points_of_a_coil_are_the_charts_and_counts_of_its_outcome() -> None:
    frame, coils = judged()
    report, record, _ = coils[-1]
    standing = report.outcome.standing
    points = {(point.group_id, point.defect_class): point for point in record.points}
    watched = [name for name, is_watched in zip(frame.classes, frame.watched, strict=True) if is_watched]
    assert len(points) == len(frame.layout.groups) * len(watched)
    assert "welding_line" not in watched
    for (group_id, name), point in points.items():
        place = ([group.group_id for group in frame.layout.groups].index(group_id), frame.classes.index(name))
        assert point.statistic == standing.charts[place]
        assert point.first_seen == standing.reading.evidence.count[place]
        assert point.exposure_m == standing.reading.evidence.metres[place]
        assert point.expected > 0
    counted = sum(point.first_seen for point in record.points)
    assert counted == pytest.approx(float((1 - standing.reading.detection.false).sum()), rel=0.25)


def test_exposures_say_what_each_camera_did() -> None:
    table = rows_of(a_steel_line(), 900_900, COILS)
    frame, coils = judged()
    for code, (_, record, defects) in enumerate(coils):
        assert [exposure.camera_id for exposure in record.exposures] == list(frame.layout.cameras)
        for index, exposure in enumerate(record.exposures):
            rows = (table.coil == code) & (table.camera == index)
            assert exposure.frames == rows.sum()
            assert exposure.inspected_m == pytest.approx(0.5 * rows.sum(), abs=2.5)
            seen = sum(
                sighting.camera_id == exposure.camera_id
                for defect in defects
                if not defect.landmark
                for sighting in defect.sightings
            )
            assert exposure.sightings == seen
            doubtful = sum(
                [sighting.camera_id for sighting in defect.sightings] == [exposure.camera_id]
                and defect.cause_posterior.get(FALSE_ALARM, 0.0) >= 0.5
                for defect in defects
            )
            assert exposure.confirmed == exposure.sightings - doubtful
    last = coils[-1][1].exposures
    assert last[0].sensitivity is None  # nobody stands before the first camera
    assert last[1].sensitivity is not None
    assert 0.5 < last[1].sensitivity < 1


def test_computing_a_coil_again_from_rows_in_another_order_gives_the_same_facts() -> None:
    analysis = fresh_analysis(a_steel_line())
    _, coils = judged()
    for (name, rows), (_, record, defects) in zip(
        coils_of(rows_of(a_steel_line(), 900_900, COILS)), coils, strict=True
    ):
        report = analysis.take(name, shuffled(rows))
        assert coil_record(report, analysis.monitor.frame, analysis.monitor.state, "steel_strip") == record
        assert defects_of(report, analysis.monitor.frame) == defects


def test_ids_of_defects_differ_and_name_their_first_sighting() -> None:
    _, coils = judged()
    defects = [defect for _, _, of_coil in coils for defect in of_coil]
    assert len({defect.defect_id for defect in defects}) == len(defects)
    assert all(defect.first_camera == defect.sightings[0].camera_id for defect in defects)


def test_feeding_coils_one_by_one_is_feeding_the_table() -> None:
    scenario = a_steel_line()
    table = rows_of(scenario, 900_900, COILS)
    whole = run_of(shuffled(table), fresh_analysis(scenario))
    _, coils = judged()
    assert [report.outcome.name for report in whole.reports] == [record.coil_id for _, record, _ in coils]
    for report, (one, _, _) in zip(whole.reports, coils, strict=True):
        np.testing.assert_array_equal(report.outcome.standing.charts, one.outcome.standing.charts)
        assert report.flags == one.flags


def test_rows_of_two_exports_joined_are_one_run() -> None:
    scenario = a_steel_line()
    parts = [rows for _, rows in coils_of(rows_of(scenario, 900_900, COILS))]
    whole = run_of(joined(parts[::-1]), fresh_analysis(scenario))
    assert [report.outcome.name for report in whole.reports] == [record.coil_id for _, record, _ in judged()[1]]


def test_grades_and_losses_follow_from_the_defects() -> None:
    frame, coils = judged()
    pack = pack_named("steel_strip")
    names = [grade.name for grade in pack.rules.grades]
    for report, record, _ in coils:
        assert record.grade in names
        assert record.grade_reason
        again = judge_coil(report.outcome, frame, pack)
        assert (again.grade, again.price, again.loss) == (record.grade, record.price, record.quality_loss)
        causes = {group.group_id for group in frame.layout.groups} | {"unattributed", FALSE_ALARM}
        assert set(record.quality_loss) <= causes
        assert all(metres >= 0 for metres in record.quality_loss_m.values())
        if record.price is not None:
            assert record.currency
    assert any(record.quality_loss_m for _, record, _ in coils)


def test_a_coil_that_nobody_looked_at_gets_no_grade() -> None:
    frame, coils = judged()
    outcome = coils[-1][0].outcome
    unseen = replace(outcome, coil=replace(outcome.coil, looked=np.zeros_like(outcome.coil.looked)))
    assert judge_coil(unseen, frame, pack_named("steel_strip")).grade is None
