"""Which coil, and in what order: named by the cameras, by neighbours, by welds, or cut into sections."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.domain.registration.coil import LandmarkRule
from services.domain.registration.coils import SECTION_M, coil_order, with_coils
from services.domain.registration.layout import LineLayout
from services.domain.registration.table import UNKNOWN, InspectionTable
from services.domain.topology import Line
from tests.fakes.simulated_coils import NO_LANDMARKS, STEEL_LANDMARKS, Strip, a_line, joined, shuffled


def three_coils(line: Line, *, named: bool = True, **changes: Any) -> InspectionTable:
    """Coils a, b and c of 100 m each, a weld at the head of b and c."""
    tables = []
    for number, name in enumerate("abc"):
        strip = Strip(line, head_m=100.0 * number, coil=name, **changes)
        if number:
            strip.see(100.0 * number + 0.5, "welding_line", "cam-1", "cam-2", "cam-3")
        strip.see(100.0 * number + 40.0, "rolled_pit", "cam-1", "cam-2")
        tables.append(strip.table())
    table = joined(tables)
    return table if named else replace(table, coils=(), coil=np.full(len(table), UNKNOWN, dtype=np.int32))


def names_by_row(table: InspectionTable) -> dict[str, str]:
    return {
        frame: table.coils[code] for frame, code in zip(table.frame_id.tolist(), table.coil.tolist(), strict=True)
    }


def coils_by_name(table: InspectionTable, line: Line) -> dict[str, int]:
    """Names in order of the line, and how many rows each has."""
    return {table.coils[code]: len(rows) for code, rows in coil_order(table, LineLayout.of(line))}


def test_rows_that_all_name_a_coil_are_left_as_they_are() -> None:
    line = a_line()
    table = three_coils(line)
    assert with_coils(table, LineLayout.of(line), STEEL_LANDMARKS) is table


def test_a_camera_that_knows_no_coils_gets_those_of_its_neighbours() -> None:
    line = a_line()
    table = three_coils(line)
    truth = names_by_row(table)
    unnamed = replace(table, coil=np.where(table.camera == 1, UNKNOWN, table.coil).astype(np.int32))
    assert names_by_row(with_coils(unnamed, LineLayout.of(line), STEEL_LANDMARKS)) == truth


def test_single_frames_without_a_coil_get_that_of_the_frames_around() -> None:
    line = a_line()
    table = three_coils(line)
    lost = np.random.default_rng(900_301).random(len(table)) < 0.3
    unnamed = replace(table, coil=np.where(lost, UNKNOWN, table.coil).astype(np.int32))
    found = names_by_row(with_coils(shuffled(unnamed), LineLayout.of(line), NO_LANDMARKS))
    wrong = [frame for frame, name in names_by_row(table).items() if found[frame] != name]
    assert len(wrong) <= 1  # a frame at a border of which nobody else names that half metre


def test_without_any_coil_welds_cut_the_strip() -> None:
    line = a_line()
    table = with_coils(three_coils(line, named=False), LineLayout.of(line), STEEL_LANDMARKS)
    assert coils_by_name(table, line) == {"before the first weld": 300, "weld at 100 m": 300, "weld at 200 m": 300}


def test_welds_cut_the_strip_without_positions_too() -> None:
    line = a_line()
    table = three_coils(line, named=False)
    table = replace(table, position_m=np.full(len(table), np.nan))
    counts = list(coils_by_name(with_coils(table, LineLayout.of(line), STEEL_LANDMARKS), line).values())
    assert counts == [300, 300, 300]


def test_a_weld_that_one_camera_alone_reports_cuts_nothing() -> None:
    line = a_line()
    strip = Strip(line, frames=300, coil=None)
    strip.see(100.5, "welding_line", "cam-1", "cam-2", "cam-3").see(200.5, "welding_line", "cam-2")
    table = with_coils(strip.table(), LineLayout.of(line), STEEL_LANDMARKS)
    assert coils_by_name(table, line) == {"before the first weld": 300, "weld at 100 m": 600}


def test_a_weld_that_less_than_half_of_the_cameras_report_cuts_nothing() -> None:
    """Two of six mistake something for a weld now and then; half of them hardly ever do."""
    line = a_line(range(1, 7), machines=6)
    strip = Strip(line, frames=300, coil=None)
    strip.see(100.5, "welding_line", "cam-1", "cam-2", "cam-4").see(200.5, "welding_line", "cam-3", "cam-5")
    table = with_coils(strip.table(), LineLayout.of(line), STEEL_LANDMARKS)
    assert list(coils_by_name(table, line)) == ["before the first weld", "weld at 100 m"]


def test_of_a_line_with_one_camera_its_own_weld_cuts() -> None:
    line = a_line((2,))
    strip = Strip(line, frames=200, coil=None).see(80.5, "welding_line", "cam-2")
    table = with_coils(strip.table(), LineLayout.of(line), STEEL_LANDMARKS)
    assert coils_by_name(table, line) == {"before the first weld": 80, "weld at 80 m": 120}


@pytest.mark.parametrize("rule", [NO_LANDMARKS, STEEL_LANDMARKS], ids=["no_welds_on_this_material", "none_seen"])
def test_without_welds_the_strip_is_cut_into_sections(rule: LandmarkRule) -> None:
    line = a_line()
    strip = Strip(line, frames=600, coil=None).see(30.0, "rolled_pit", "cam-1", "cam-2")
    table = with_coils(strip.table(), LineLayout.of(line), rule)
    assert SECTION_M == 250.0
    assert coils_by_name(table, line) == {
        "test-line from 0 m": 750,
        "test-line from 250 m": 750,
        "test-line from 500 m": 300,
    }


def test_coils_come_in_the_order_in_which_they_entered_the_line() -> None:
    line = a_line()
    tables = [
        Strip(line, head_m=head, coil=name).table() for name, head in (("z", 0.0), ("a", 100.0), ("m", 200.0))
    ]
    assert list(coils_by_name(shuffled(joined(tables[::-1])), line)) == ["z", "a", "m"]


@pytest.mark.parametrize("skew_s", [-3000.0, 3000.0, 86_400.0])
def test_one_wrong_clock_does_not_change_the_order_of_coils(skew_s: float) -> None:
    line = a_line()
    first = Strip(line, coil="first", skew_s={"cam-2": skew_s}).table()
    second = Strip(line, coil="second", head_m=100.0).table()
    assert list(coils_by_name(joined([second, first]), line)) == ["first", "second"]


def test_a_camera_at_the_exit_does_not_make_its_coil_late() -> None:
    """Coil b was seen at the entry alone, a at the far exit alone, later on the clock; a still entered first."""
    line = a_line((1, 20), machines=20)
    a = Strip(line, coil="a", looks={"cam-1": (1e6, 2e6)}).table()
    b = Strip(line, coil="b", head_m=100.0, looks={"cam-20": (1e6, 2e6)}).table()
    assert a.captured_s.min() > b.captured_s.min()
    assert list(coils_by_name(joined([b, a]), line)) == ["a", "b"]


def test_every_row_is_in_one_coil() -> None:
    line = a_line()
    order = coil_order(shuffled(three_coils(line)), LineLayout.of(line))
    rows = np.concatenate([rows for _, rows in order])
    assert sorted(rows.tolist()) == list(range(900))
