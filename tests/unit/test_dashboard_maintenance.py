"""What the maintenance page says of rows."""

import csv
import io
from datetime import UTC, timedelta

import pytest

from dashboard.english import ENGLISH
from dashboard.maintenance_view import (
    ORDER_COLUMNS,
    event_table,
    machine_table,
    order_table,
    parts_of,
    required_by,
    sentences,
    state_word,
)
from dashboard.report import csv_of
from tests.fakes.dashboard_rows import NOW, SCRIPT, event, healthy, order

MARKS = "\\\u2060"


def bare(text: str) -> str:
    return "".join(letter for letter in text if letter not in MARKS)


def test_an_open_order_past_its_time_is_called_overdue_in_words() -> None:
    late = order("WO-1", required_by=NOW - timedelta(minutes=5))
    assert required_by(late, UTC, NOW).endswith("overdue")
    assert "overdue" not in required_by(order("WO-1"), UTC, NOW)
    done = order("WO-1", required_by=NOW - timedelta(minutes=5), finished_at=NOW, state="done")
    assert "overdue" not in required_by(done, UTC, NOW)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "new"),
        ({"state": "in_progress"}, "in progress"),
        ({"state": "done", "feedback": "verified"}, "done, repair worked"),
        ({"state": "done", "feedback": "no_change"}, "done, nothing changed"),
        ({"state": "done"}, "done"),
        ({"state": "of_tomorrow"}, "of_tomorrow"),
    ],
)
def test_states_are_words_people_use(changes: dict[str, object], word: str) -> None:
    assert state_word(order("WO-1", **changes)) == word


def test_an_order_says_what_where_since_when_how_sure_and_which_roll() -> None:
    said = bare("\n".join(sentences(order("WO-000007"), UTC, NOW)))
    assert "WO-000007: rolled pit at skinpass-1" in said
    assert "Since coil C-3 at 3\u202f200.0 m" in said
    assert "5.0 times as frequent as normal (95 %: 3.4 to 7.1)" in said
    assert "Probability 96.0 %; the second most probable cause is washer-1 (3.0 %)" in said
    assert "work-roll-top" in said


def test_machines_that_no_camera_separates_are_said_to_be_so() -> None:
    pair = order("WO-1", group_id="a+b", machine_ids=["a", "b"])
    assert "No camera stands between a and b" in bare("\n".join(sentences(pair, UTC, NOW)))
    assert order_table([pair], UTC, NOW)[0][ENGLISH["table.where"]] == "a + b"


def test_a_camera_in_trouble_has_no_rate_and_no_damage_class() -> None:
    camera = order(
        "WO-1", group_id="camera:cam-2", machine_ids=[], damage_code=None, rate_ratio=None, runner_up=None
    )
    row = order_table([camera], UTC, NOW)[0]
    assert (row[ENGLISH["table.where"]], row[ENGLISH["table.times"]]) == ("camera cam-2", "–")
    said = bare("\n".join(sentences(camera, UTC, NOW)))
    assert "camera trouble at camera cam-2" in said
    assert "times as frequent" not in said


def test_text_from_the_database_is_shown_letter_for_letter() -> None:
    assert "<script>" not in "".join(sentences(order("WO-1", runner_up=SCRIPT, cause_code=SCRIPT), UTC, NOW))
    assert bare(parts_of(f"Look. {SCRIPT}")[1]).startswith("<script>")
    assert "<script>" not in parts_of(f"Look. {SCRIPT}")[1]
    assert event_table([event(SCRIPT)], UTC, NOW)[0][ENGLISH["table.who"]] == SCRIPT


def test_a_state_unknown_here_is_shown_as_it_is() -> None:
    states = [row[ENGLISH["table.state"]] for row in machine_table([healthy("a"), healthy("b", state="strange")])]
    assert states == ["ok", "strange"]


def test_the_file_has_the_names_of_the_database_and_runs_nothing_in_a_spreadsheet() -> None:
    text = csv_of(ORDER_COLUMNS, [order("WO-000007", advice="=1+1")]).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["work_order_no"], row["rate_ratio"], row["advice"]) == ("WO-000007", "5.04", "'=1+1")
