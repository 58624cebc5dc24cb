import csv
import io
from datetime import UTC

import pytest

from dashboard.report import classes_of, heat_cells, machines_of, ranked, report_csv, report_table
from tests.fakes.dashboard_rows import NOW, SCRIPT, report_row

ROWS = [
    report_row("uncoiler-1", None, 0, 0),
    report_row("welder-1", None, 500, 0),
    report_row("washer-1", "oil_spot", 1000, 30),
    report_row("washer-1", "welding_line", 1000, 50),
    report_row(SCRIPT, "loose_knot", 10, 1),
]


def test_highest_rate_comes_first_and_unseen_machines_come_last() -> None:
    assert [row.machine_id for row in ranked(ROWS)] == [SCRIPT, "washer-1", "washer-1", "welder-1", "uncoiler-1"]


def test_table_tells_not_inspected_from_nothing_found_and_marks_coil_changes() -> None:
    found = {row["Machine"]: row["Defect"] for row in report_table(ROWS, UTC, NOW)}
    assert found["uncoiler-1"] == "not inspected"
    assert found["welder-1"] == "nothing found"
    assert {row["Defect"] for row in report_table(ROWS, UTC, NOW)} >= {
        "welding line (coil change mark)",
        "oil spot",
    }


def test_file_holds_the_databases_columns_and_times_in_utc() -> None:
    text = report_csv(ROWS).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[2]["machine_id"] == "washer-1"
    assert float(rows[2]["defect_rate"]) == pytest.approx(0.03)
    assert rows[2]["last_seen"] == "2026-03-01T11:00:00.000+00:00"
    assert rows[0]["defect_rate"] == ""


def test_file_never_starts_a_cell_like_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(report_csv([report_row("=cmd()", "@x", 10, 1)]).decode("utf-8-sig"))))
    assert "'=cmd()" in rows[1]
    assert "'@x" in rows[1]


def test_heat_map_has_a_cell_for_every_machine_and_class_and_none_for_unseen_ones() -> None:
    cells = {(cell.machine, cell.defect): cell for cell in heat_cells(ROWS)}
    assert len(cells) == len(machines_of(ROWS)) * len(classes_of(ROWS)) == 4 * 11
    assert cells["washer-1", "oil spot"].share == pytest.approx(0.03)
    assert cells["welder-1", "oil spot"].share == 0.0
    assert cells["uncoiler-1", "oil spot"].share is None
    assert (SCRIPT, "loose knot") in cells
