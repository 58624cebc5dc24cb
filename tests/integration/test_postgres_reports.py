"""The maintenance report and the dashboard's views, against numbers worked out by hand or published."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.fixtures_postgres import NOON, Database, Repository, a_reject, an_inspection

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (Wilson score).
        pytest.param(81, 263, 0.2553, 0.3662, id="81_of_263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15_of_148"),
        pytest.param(0, 20, 0.0000, 0.1611, id="0_of_20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1_of_29"),
    ],
)
def test_the_interval_is_the_published_one(
    database: Database, events: int, trials: int, low: float, high: float
) -> None:
    found = database.rows("SELECT wilson_low(%s, %s), wilson_high(%s, %s)", parameters=(events, trials) * 2)
    assert found[0] == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_the_interval_stays_between_0_and_1_and_is_unknown_without_trials(database: Database) -> None:
    query = "SELECT wilson_low(0, 7), wilson_high(7, 7), wilson_low(0, 0), wilson_high(0, 0)"
    assert database.rows(query) == [(0.0, 1.0, None, None)]


def _fill(database: Database, day: datetime = NOON) -> None:
    """Welder: 263 frames, 81 creases and 2 oil spots by two cameras. Washer: 20 clean frames. One too old."""
    welder = [
        an_inspection("crease" if n < 81 else "oil_spot" if n < 83 else "no_defect",
                      day - n * timedelta(seconds=1), camera_id="cam-1" if n % 2 else "cam-1b")
        for n in range(263)
    ]  # fmt: skip
    washer = [
        an_inspection(captured_at=day - n * timedelta(seconds=1), camera_id="cam-2", machine_id="washer-1")
        for n in range(20)
    ]
    old = an_inspection("crease", day - 25 * HOUR, camera_id="cam-3", machine_id="skinpass-1")
    with closing(database.repository()) as repository:
        repository.store([*welder, *washer, old], ())


COLUMNS = (
    "machine_id, defect_class, frames_inspected, defects, defect_rate, rate_low, rate_high, last_seen, cameras"
)


def test_the_report_has_a_row_for_each_machine_and_class_over_the_last_day_of_data(database: Database) -> None:
    _fill(database)
    clean, silent = (0.0, pytest.approx(0.0, abs=5e-5), pytest.approx(0.1611, abs=5e-5), None), (None,) * 4
    assert database.rows(f"SELECT {COLUMNS} FROM sightings_report") == [  # noqa: S608 - a constant of this test
        ("uncoiler-1", None, 0, 0, *silent, []),
        ("welder-1", "crease", 263, 81, pytest.approx(81 / 263), pytest.approx(0.2553, abs=5e-5),
         pytest.approx(0.3662, abs=5e-5), NOON, ["cam-1", "cam-1b"]),
        ("welder-1", "oil_spot", 263, 2, pytest.approx(2 / 263), pytest.approx(0.0020887, abs=5e-6),
         pytest.approx(0.0272983, abs=5e-6), NOON - timedelta(seconds=81), ["cam-1", "cam-1b"]),
        ("washer-1", None, 20, 0, *clean, ["cam-2"]),
        ("skinpass-1", None, 0, 0, *silent, []),
        ("leveller-1", None, 0, 0, *silent, []),
        ("trimmer-1", None, 0, 0, *silent, []),
    ]  # fmt: skip
    window = "SELECT DISTINCT line_id, window_end - window_start, window_end FROM sightings_report"
    assert database.rows(window) == [("strip-1", 24 * HOUR, NOON + timedelta(seconds=1))]


def test_the_report_of_another_window_counts_its_start_and_not_its_end(database: Database) -> None:
    _fill(database)
    query = "SELECT machine_id, frames_inspected, defects FROM sightings_report(%s, %s) WHERE frames_inspected > 0"
    window = (NOON - timedelta(seconds=100), NOON - timedelta(seconds=90))
    assert database.rows(query, parameters=window) == [("welder-1", 10, 0)]
    week = (NOON - 7 * 24 * HOUR, NOON + HOUR)
    assert ("skinpass-1", 1, 1) in database.rows(query, parameters=week)


def test_a_window_that_ends_before_it_starts_is_refused_in_words(database: Database) -> None:
    with pytest.raises(psycopg.DataError, match="must end after it starts"):
        database.rows("SELECT * FROM sightings_report(now(), now() - interval '1 day')")


def test_a_camera_whose_clock_runs_ahead_does_not_move_the_window(
    database: Database, repository: Repository
) -> None:
    _fill(database)
    ahead = NOON + timedelta(days=300)
    repository.store([an_inspection(captured_at=ahead, received_at=NOON, machine_id="washer-1")], ())
    assert database.value("SELECT max(window_end) FROM sightings_report") == NOON + timedelta(seconds=1)


def test_the_newest_frames_are_in_the_report_even_when_they_come_in_a_burst(
    database: Database, repository: Repository
) -> None:
    for n in range(40):
        captured_at = NOON + n * timedelta(milliseconds=130)
        repository.store([an_inspection("crease", captured_at, received_at=NOON + HOUR)], ())
    assert database.value("SELECT sum(defects) FROM sightings_report") == 40


def test_frames_of_unassigned_cameras_are_in_the_report(database: Database, repository: Repository) -> None:
    query = "SELECT machine_name, frames_inspected FROM sightings_report WHERE machine_id = 'unassigned'"
    assert database.rows(query) == []
    assert database.value("SELECT count(*) FROM sightings_report WHERE frames_inspected = 0") == 6
    repository.store([an_inspection(machine_id="unassigned", line_id="unassigned", camera_id="phone")], ())
    assert database.rows(query) == [("Cameras that no line names", 1)]


def test_the_overview_and_the_activity_show_the_last_hour(database: Database, repository: Repository) -> None:
    now = datetime.now(UTC)
    moments = [now - timedelta(seconds=n) for n in (2, 30, 600, 3000, 4000)]
    repository.store([an_inspection("crease" if n < 2 else "no_defect", at) for n, at in enumerate(moments)], [
        a_reject(rejected_at=now), a_reject(rejected_at=now - 2 * HOUR),
    ])  # fmt: skip
    assert database.rows(
        "SELECT cameras, frames_1h, defects_1h, defect_rate, top_defect_class, last_frame_at, last_defect_at"
        " FROM line_overview WHERE machine_id = 'welder-1'"
    ) == [(["cam-1"], 4, 2, 0.5, "crease", moments[0], moments[0])]
    assert database.rows(
        "SELECT frames_1m, frames_1h, defects_1h, rejected_1h, unassigned, age_s < 60, last_captured_at"
        " FROM camera_activity WHERE camera_id = 'cam-1'"
    ) == [(2, 4, 2, 1, False, True, moments[0])]
    silent = "SELECT age_s, frames_1h FROM camera_activity WHERE camera_id = 'cam-2'"
    assert database.rows(silent) == [(None, 0)]
    assert database.rows("SELECT frames_1h, defect_rate FROM line_overview WHERE machine_id = 'washer-1'") == [
        (0, None)
    ]
