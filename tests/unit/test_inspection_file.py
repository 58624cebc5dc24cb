"""The export of inspections: what is written is read back, and what is wrong is named by line and field."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from services.contracts.errors import ConfigurationError
from services.contracts.inspection_file import (
    read_export,
    read_inspections,
    read_inspections_by_line,
    write_inspections,
)
from services.domain.registration.table import ROW_COLUMNS, UNKNOWN, InspectionTable
from services.domain.simulation.protocol import protocol_scenario
from services.domain.simulation.run import simulate_coils
from services.domain.simulation.world import SimulatedLine
from services.domain.topology import CameraStation, Line, Machine, Topology

HEADER = "frame_id,camera_id,coil_id,captured_at,strip_position_m,defect_class,confidence"
ROWS = (
    "f1,cam-1,coil-1,2026-01-05T06:00:00.000Z,0.25,no_defect,0.9",
    "f2,cam-1,coil-1,2026-01-05T06:00:00.250Z,0.75,oil_spot,0.8",
    "f3,cam-2,coil-1,2026-01-05T06:00:01+00:00,0.25,no_defect,0.7",
    "f4,cam-2,coil-1,2026-01-05T07:00:01.5+01:00,0.75,crease,1",
)
FORMATS = ("x.csv", "x.csv.gz", "x.parquet")


def line_of(line_id: str, machine: str, *cameras: str, moment: datetime | None = None) -> Line:
    stations = tuple(CameraStation(camera, line_id, machine, 5.0 + n) for n, camera in enumerate(cameras))
    return Line(line_id, line_id, 2.0, (Machine(machine, machine, "mill", 1.0),), stations, moment)


ONE_LINE = Topology((line_of("strip-1", "m1", "cam-1", "cam-2"),))
TWO_LINES = Topology((line_of("strip-1", "m1", "cam-1", "cam-2"), line_of("strip-2", "n1", "cam-3")))


def csv_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "x.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def assert_same(one: InspectionTable, two: InspectionTable) -> None:
    for name in ROW_COLUMNS:
        if name not in ("camera", "coil", "label"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name), err_msg=name)
    for codes, names in (("camera", "cameras"), ("coil", "coils"), ("label", "classes")):
        words = [
            [(*getattr(table, names), None)[code] for code in getattr(table, codes).tolist()]
            for table in (one, two)
        ]
        assert words[0] == words[1], names


@pytest.fixture
def simulated() -> InspectionTable:
    return simulate_coils(SimulatedLine(protocol_scenario(), 3), 0, 5).table


@pytest.fixture
def simulated_line() -> Topology:
    return Topology((protocol_scenario().line,))


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read_back(
    name: str, tmp_path: Path, simulated: InspectionTable, simulated_line: Topology
) -> None:
    write_inspections(tmp_path / name, simulated)
    assert_same(read_inspections(tmp_path / name, simulated_line), simulated)


@pytest.mark.parametrize("name", FORMATS)
def test_unknown_places_coils_and_spots_come_back_unknown(
    name: str, tmp_path: Path, simulated: InspectionTable, simulated_line: Topology
) -> None:
    bare = replace(
        simulated,
        position_m=np.full(len(simulated), np.nan),
        coil=np.full(len(simulated), UNKNOWN, dtype=np.int32),
        spot=np.full((len(simulated), 2), np.nan),
    )
    write_inspections(tmp_path / name, bare)
    assert_same(read_inspections(tmp_path / name, simulated_line), bare)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_rows_give_the_same_bytes(name: str, tmp_path: Path, simulated: InspectionTable) -> None:
    (tmp_path / "again").mkdir()
    for folder in (tmp_path, tmp_path / "again"):
        write_inspections(folder / name, simulated)
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_names_with_commas_and_quotes_come_back(
    tmp_path: Path, simulated: InspectionTable, simulated_line: Topology
) -> None:
    odd = replace(simulated, coils=('a,"b"', "c\nd", *simulated.coils[2:]))
    write_inspections(tmp_path / "x.csv", odd)
    assert_same(read_inspections(tmp_path / "x.csv", simulated_line), odd)


def test_columns_stand_in_any_order_and_others_are_ignored(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "yes,0.8,oil_spot,0.75,2026-01-05T06:00:00.250Z,coil-1,cam-1,f2,0.1,0.5,0.6",
        header="note,confidence,defect_class,strip_position_m,captured_at,coil_id,camera_id,frame_id,p_oil_spot,"
        "spot_y,spot_x",
    )
    table = read_inspections(path, ONE_LINE)
    assert (table.frame_id[0], table.cameras, table.coils, table.classes) == (
        "f2",
        ("cam-1",),
        ("coil-1",),
        ("oil_spot",),
    )
    assert table.spot.tolist() == [[0.6, 0.5]]
    assert table.captured_s[0] == datetime.fromisoformat("2026-01-05T06:00:00.250+00:00").timestamp()


def test_offsets_of_times_are_honoured(tmp_path: Path) -> None:
    table = read_inspections(csv_file(tmp_path, *ROWS), ONE_LINE)
    assert np.diff(table.captured_s).tolist() == [0.25, 0.75, 0.5]


def test_no_defect_is_no_class(tmp_path: Path) -> None:
    table = read_inspections(csv_file(tmp_path, *ROWS), ONE_LINE)
    assert table.classes == ("crease", "oil_spot")
    assert table.label.tolist() == [UNKNOWN, 1, UNKNOWN, 0]


def test_codes_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    forth = read_inspections(csv_file(tmp_path, *ROWS), ONE_LINE)
    back = read_inspections(csv_file(tmp_path, *reversed(ROWS)), ONE_LINE)
    assert_same(forth, back.take(np.arange(4)[::-1]))
    assert (forth.cameras, forth.coils, forth.classes) == (back.cameras, back.coils, back.classes)


def test_rows_that_stand_there_twice_count_once(tmp_path: Path) -> None:
    export = read_export(csv_file(tmp_path, *ROWS, ROWS[1], ROWS[1]), ONE_LINE)
    assert export.duplicates_dropped == 2
    assert export.tables["strip-1"].frame_id.tolist() == ["f1", "f2", "f3", "f4"]


def test_rows_without_a_position_that_stand_there_twice_count_once_too(tmp_path: Path) -> None:
    bare = ROWS[1].replace("0.75", "")
    assert len(read_inspections(csv_file(tmp_path, bare, bare), ONE_LINE)) == 1


def test_two_cameras_may_use_the_same_frame_id(tmp_path: Path) -> None:
    rows = (ROWS[0], ROWS[2].replace("f3", "f1"))
    assert len(read_inspections(csv_file(tmp_path, *rows), ONE_LINE)) == 2


def test_rows_are_sorted_by_line(tmp_path: Path) -> None:
    other = "g1,cam-3,roll-9,2026-01-05T06:00:00Z,5,inclusion,0.5"
    path = csv_file(tmp_path, ROWS[0], other, *ROWS[1:])
    tables = read_inspections_by_line(path, TWO_LINES)
    assert {name: table.frame_id.tolist() for name, table in tables.items()} == {
        "strip-1": ["f1", "f2", "f3", "f4"],
        "strip-2": ["g1"],
    }
    assert tables["strip-2"].coils == ("roll-9",)
    assert tables["strip-2"].classes == ("inclusion",)
    assert read_inspections(path, TWO_LINES, "strip-2").frame_id.tolist() == ["g1"]
    with pytest.raises(ConfigurationError, match="rows of lines strip-1, strip-2: say which line is meant"):
        read_inspections(path, TWO_LINES)
    with pytest.raises(ConfigurationError, match="no rows of line 'strip-3', only of strip-1, strip-2"):
        read_inspections(path, TWO_LINES, "strip-3")


def test_a_camera_of_an_older_version_of_the_line_is_known(tmp_path: Path) -> None:
    since = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
    topology = Topology.of(
        (line_of("strip-1", "m1", "cam-1", "cam-2"), line_of("strip-1", "m1", "cam-1", moment=since))
    )
    assert read_inspections(csv_file(tmp_path, *ROWS), topology).cameras == ("cam-1", "cam-2")


def test_blank_lines_spaces_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    spaced = ROWS[1].replace("0.75,oil_spot,0.8", " 0.75 ,oil_spot, 0.8")
    path.write_text("\ufeff" + "\r\n".join((HEADER, "", ROWS[0], "", spaced, "")), encoding="utf-8")
    table = read_inspections(path, ONE_LINE)
    assert table.frame_id.tolist() == ["f1", "f2"]
    assert table.position_m.tolist() == [0.25, 0.75]


def test_a_small_step_back_is_an_encoder_that_trembles(tmp_path: Path) -> None:
    rows = [
        f"f{n},cam-1,coil-1,2026-01-05T06:00:{n:02d}Z,{0.5 * n - (0.6 if n == 5 else 0)},no_defect,0.9"
        for n in range(10)
    ]
    assert len(read_inspections(csv_file(tmp_path, *rows), ONE_LINE)) == 10


def test_positions_may_begin_anew_with_each_coil(tmp_path: Path) -> None:
    rows = [f"f{n},cam-1,coil-{n // 5},2026-01-05T06:00:{n:02d}Z,{0.5 * (n % 5)},no_defect,0.9" for n in range(20)]
    assert len(read_inspections(csv_file(tmp_path, *rows), ONE_LINE)) == 20


def changed(row: int, old: str, new: str) -> tuple[str, ...]:
    assert old in ROWS[row]
    return tuple(each.replace(old, new) if number == row else each for number, each in enumerate(ROWS))


BACKWARDS = [
    *(f"f{n},cam-1,coil-7,2026-01-05T06:00:{n:02d}Z,{0.5 * n},no_defect,0.9" for n in range(8)),
    "f8,cam-1,coil-7,2026-01-05T06:00:08Z,1.0,no_defect,0.9",
]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        pytest.param(
            changed(2, "cam-2", "cam-8"),
            "line 4, camera_id: camera 'cam-8' stands in no line file; known are cam-1, cam-2",
            id="unknown_camera",
        ),
        pytest.param(changed(1, "cam-1", ""), "line 3, camera_id: is empty", id="empty_camera"),
        pytest.param(changed(1, "f2", ""), "line 3, frame_id: is empty", id="empty_frame_id"),
        pytest.param(changed(3, "crease", ""), "line 5, defect_class: is empty", id="empty_class"),
        pytest.param(changed(1, "0.75", "0;75"), "line 3, strip_position_m: '0;75' is no number", id="position"),
        pytest.param(
            changed(1, "0.75", "inf"), "line 3, strip_position_m: inf is no place", id="endless_position"
        ),
        pytest.param(changed(2, "0.7", "high"), "line 4, confidence: 'high' is no number", id="confidence_word"),
        pytest.param(changed(3, ",1", ",1.01"), "line 5, confidence: 1.01 is not between 0 and 1", id="above_1"),
        pytest.param(changed(0, "0.9", "-0.1"), "line 2, confidence: -0.1 is not between", id="below_0"),
        pytest.param(changed(0, "0.9", "nan"), "line 2, confidence: is empty", id="confidence_nan"),
        pytest.param(changed(0, "0.9", ""), "line 2, confidence: is empty", id="confidence_empty"),
        pytest.param(
            changed(1, "00.250Z", "00.250"),
            "line 3, captured_at: '2026-01-05T06:00:00.250' has no time zone: write it with an offset or Z",
            id="naive_time",
        ),
        pytest.param(
            changed(1, "2026-01-05T06:00:00.250Z", "yesterday"),
            "line 3, captured_at: 'yesterday' is no point in time: write it as in 2026-03-01T06:00:00.250Z",
            id="no_time",
        ),
        pytest.param(
            changed(1, "2026-01-05", "2026-02-30"), "line 3, captured_at: '2026-02-30T06", id="no_such_day"
        ),
        pytest.param(changed(1, "2026-01-05T06:00:00.250Z", ""), "line 3, captured_at: is empty", id="empty_time"),
        pytest.param(changed(1, ",0.8", ""), "line 3: 6 fields, but the header has 7", id="field_missing"),
        pytest.param(changed(2, ",0.7", ",0.7,4"), "line 4: 8 fields, but the header has 7", id="field_too_many"),
        pytest.param(
            (*ROWS, ROWS[1].replace("oil_spot", "crease")),
            "line 6, frame_id: frame 'f2' of camera 'cam-1' stands in the file before, with other values",
            id="contradicting_duplicate",
        ),
        pytest.param(
            (*changed(1, "0.75", ""), ROWS[1]),
            "line 6, frame_id: frame 'f2' of camera 'cam-1' stands in the file before, with other values",
            id="duplicate_without_its_position",
        ),
        pytest.param(
            BACKWARDS,
            "line 10, strip_position_m: 1 m after 3.5 m: positions of camera 'cam-1' run backwards on coil"
            " 'coil-7'",
            id="backwards",
        ),
        pytest.param((), "no rows, only a header", id="only_a_header"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_field(rows: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    path = csv_file(tmp_path, *rows)
    with pytest.raises(ConfigurationError) as refused:
        read_inspections(path, ONE_LINE)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_positions_that_fall_a_little_with_every_frame_are_refused(tmp_path: Path) -> None:
    falling = [
        f"f{number},cam-1,coil-7,2026-01-05T06:00:{number:02d}Z,{20 - number},no_defect,0.9" for number in range(6)
    ]
    path = csv_file(tmp_path, *falling)
    with pytest.raises(ConfigurationError, match="17 m after 20 m: positions of camera 'cam-1' run backwards"):
        read_inspections(path, ONE_LINE)


def test_a_trembling_encoder_is_not_taken_for_a_strip_that_runs_backwards(tmp_path: Path) -> None:
    places = (10, 11, 10, 12, 11, 13, 14, 13, 15)
    trembling = [
        f"f{number},cam-1,coil-7,2026-01-05T06:00:{number:02d}Z,{place},no_defect,0.9"
        for number, place in enumerate(places)
    ]
    assert len(read_inspections(csv_file(tmp_path, *trembling), ONE_LINE)) == len(places)


def test_the_line_is_the_one_an_editor_shows(tmp_path: Path) -> None:
    broken_over_two_lines = ROWS[0].replace("coil-1", '"coil\n1"')
    path = csv_file(tmp_path, "", broken_over_two_lines, "", ROWS[1].replace("0.8", "8"))
    with pytest.raises(ConfigurationError, match="line 6, confidence: 8 is not between 0 and 1"):
        read_inspections(path, ONE_LINE)


def test_the_line_is_found_in_a_gzipped_file_too(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress("\n".join((HEADER, *changed(2, "0.7", "7"))).encode()))
    with pytest.raises(ConfigurationError, match="line 4, confidence: 7 is not between 0 and 1"):
        read_inspections(path, ONE_LINE)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        pytest.param(
            "frame_id,camera_id,coil,captured_at,strip_position_m,class,confidence",
            "header: columns coil_id, defect_class missing, found frame_id, camera_id, coil, captured_at",
            id="two_missing",
        ),
        pytest.param(HEADER.replace("confidence", "score"), "header: column confidence missing", id="one_missing"),
        pytest.param(HEADER.replace(",", ";"), "fields must be separated by commas", id="semicolons"),
        pytest.param(HEADER + ",camera_id", "header: column camera_id stands there twice", id="twice"),
        pytest.param(HEADER + ",spot_x", "spot_x: stands alone: give spot_x and spot_y", id="half_a_spot"),
        pytest.param(HEADER + ",p_crease", "line 2, p_crease: 3 is not between 0 and 1", id="probability"),
    ],
)
def test_a_wrong_header_is_named(header: str, sentence: str, tmp_path: Path) -> None:
    more = ",3" * (header.count(",") - HEADER.count(","))
    path = csv_file(tmp_path, *(row + more for row in ROWS), header=header)
    with pytest.raises(ConfigurationError) as refused:
        read_inspections(path, ONE_LINE)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        pytest.param("x.csv", b"", "the file is empty", id="empty"),
        pytest.param("x.csv", b"\n\n", "the file is empty", id="blank"),
        pytest.param("x.csv", b"\x89PNG\r\n\x1a\n\xff\xfe", "is not UTF-8 text", id="binary_as_csv"),
        pytest.param("x.csv.gz", b"frame_id,camera_id", "cannot be read", id="not_gzip"),
        pytest.param("x.csv.gz", gzip.compress(b"frame_id,camera_id" * 50)[:-12], "cannot be read", id="cut_gzip"),
        pytest.param("x.parquet", b"frame_id,camera_id\n", "the file is not Parquet", id="csv_as_parquet"),
        pytest.param("x.parquet", b"", "the file is not Parquet", id="empty_parquet"),
        pytest.param("x.xlsx", b"PK", "neither CSV (.csv, .csv.gz) nor Parquet (.parquet)", id="spreadsheet"),
    ],
)
def test_a_file_that_is_no_export_is_refused(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        read_inspections(tmp_path / name, ONE_LINE)
    assert sentence in str(refused.value)
    assert name in str(refused.value)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_inspections(tmp_path / name, ONE_LINE)


def test_text_that_is_not_utf_8_further_down_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("\n".join((HEADER, *changed(1, "oil_spot", "\u00f6l"))).encode("latin-1"))
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        read_inspections(path, ONE_LINE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_cannot_be_written_is_refused(name: str, tmp_path: Path, simulated: InspectionTable) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_inspections(tmp_path / "nowhere" / name, simulated)


def parquet(path: Path, change: Callable[[dict[str, pa.Array]], object]) -> Path:
    columns = {
        "frame_id": pa.array(["f1", "f2"]),
        "camera_id": pa.array(["cam-1", "cam-2"]).dictionary_encode(),
        "coil_id": pa.array(["c", None]),
        "captured_at": pa.array([1_767_592_800_000, 1_767_592_800_250]).cast(pa.timestamp("ms", "Europe/Berlin")),
        "strip_position_m": pa.array([1, 2]),
        "defect_class": pa.array(["crease", "no_defect"], pa.large_string()),
        "confidence": pa.array([0.5, 1.0], pa.float32()),
    }
    change(columns)
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_types_of_other_writers_are_understood(tmp_path: Path) -> None:
    table = read_inspections(parquet(tmp_path / "x.parquet", dict.copy), ONE_LINE)
    assert table.captured_s.tolist() == [1_767_592_800.0, 1_767_592_800.25]
    assert table.position_m.tolist() == [1.0, 2.0]
    assert table.coil.tolist() == [0, UNKNOWN]


@pytest.mark.parametrize(
    ("field", "values", "sentence"),
    [
        pytest.param(
            "captured_at",
            pa.array([1, 2]).cast(pa.timestamp("ms")),
            "row 1, captured_at: has no time zone",
            id="naive_timestamps",
        ),
        pytest.param(
            "captured_at",
            pa.array([1, None]).cast(pa.timestamp("ms", "UTC")),
            "row 2, captured_at: is empty",
            id="null_timestamp",
        ),
        pytest.param("captured_at", pa.array([1, 2]), "captured_at: '1' is no point in time", id="number_as_time"),
        pytest.param("confidence", pa.array([0.5, 2.0]), "row 2, confidence: 2 is not between", id="confidence"),
        pytest.param("confidence", pa.array([[0.5], [1.0]]), "row 1, confidence: '[0.5]' is no number", id="list"),
        pytest.param("camera_id", pa.array(["cam-1", "cam-9"]), "row 2, camera_id: camera 'cam-9'", id="camera"),
    ],
)
def test_a_wrong_value_in_parquet_is_named_by_row(
    field: str, values: pa.Array, sentence: str, tmp_path: Path
) -> None:
    path = parquet(tmp_path / "x.parquet", lambda columns: columns.update({field: values}))
    with pytest.raises(ConfigurationError) as refused:
        read_inspections(path, ONE_LINE)
    assert sentence in str(refused.value)
