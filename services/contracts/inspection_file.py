"""Reads and writes an export of inspections: one row per inspected frame and camera, `no_defect` included.

Columns, in any order: `frame_id, camera_id, coil_id, captured_at, strip_position_m, defect_class, confidence`, and
where known `spot_x, spot_y` and `p_<class>`. CSV, gzipped CSV or Parquet, told apart by the file's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from services.contracts.errors import ConfigurationError
from services.contracts.inspection_checks import lines_of_cameras, refuse_backwards, rows_to_keep
from services.contracts.inspection_columns import ExportColumns, is_csv
from services.domain.classes import NO_DEFECT
from services.domain.registration.table import UNKNOWN, Codes, Floats, InspectionTable
from services.domain.topology import Topology

COLUMNS: Final = (
    "frame_id", "camera_id", "coil_id", "captured_at", "strip_position_m", "defect_class", "confidence"
)  # fmt: skip
SPOT_COLUMNS: Final = ("spot_x", "spot_y")
PROBABILITY_PREFIX: Final = "p_"

_US_PER_S: Final = 1e6


@dataclass(frozen=True, slots=True)
class InspectionExport:
    """An export as it was read: the rows of each line, and how many rows were there twice, word for word."""

    tables: Mapping[str, InspectionTable]
    duplicates_dropped: int


def read_export(path: Path, topology: Topology) -> InspectionExport:
    """Read an export and sort its rows by line, in order of the line file.

    Raises:
        ConfigurationError: The file is no such export; one sentence that names file, line and field.
    """
    columns = ExportColumns(path, COLUMNS, SPOT_COLUMNS, PROBABILITY_PREFIX)
    table = _table(columns)
    line_of = lines_of_cameras(columns, table, topology)
    kept = rows_to_keep(columns, table)
    refuse_backwards(columns, table)
    whole = table if kept.all() else table.take(kept)
    line_of = line_of if kept.all() else line_of[kept]
    tables = {}
    for number, line in enumerate(topology.lines):
        rows = line_of == number
        if rows.any():
            tables[line.id] = whole if rows.all() else _own_names(whole.take(rows))
    return InspectionExport(tables, int((~kept).sum()))


def read_inspections_by_line(path: Path, topology: Topology) -> Mapping[str, InspectionTable]:
    """Return the rows of each line that the file holds; see `read_export`."""
    return read_export(path, topology).tables


def read_inspections(path: Path, topology: Topology, line_id: str | None = None) -> InspectionTable:
    """Return the rows of one line; see `read_export`.

    Args:
        path: The export.
        topology: The line file.
        line_id: Which line; None: the only one that the file holds.

    Raises:
        ConfigurationError: As `read_export`; or the file has no rows of the line, or rows of several.
    """
    tables = read_export(path, topology).tables
    if line_id is not None:
        if line_id not in tables:
            raise ConfigurationError(
                f"inspections {path}: no rows of line {line_id!r}, only of {', '.join(tables)}"
            )
        return tables[line_id]
    if len(tables) > 1:
        raise ConfigurationError(f"inspections {path}: rows of lines {', '.join(tables)}: say which line is meant")
    return next(iter(tables.values()))


def write_inspections(path: Path, table: InspectionTable) -> None:
    """Write rows in their order, as CSV, gzipped CSV or Parquet: same rows, same bytes. Times to a microsecond.

    Raises:
        ConfigurationError: The name is neither CSV nor Parquet, or the file cannot be written.
    """
    as_csv = is_csv(path)
    columns: dict[str, pa.Array] = {
        "frame_id": pa.array(table.frame_id, pa.string()),
        "camera_id": _named(table.camera, table.cameras, None),
        "coil_id": _named(table.coil, table.coils, None),
        "captured_at": _moments(table.captured_s, as_text=as_csv),
        "strip_position_m": _optional(table.position_m),
        "defect_class": _named(table.label, table.classes, NO_DEFECT),
        "confidence": pa.array(table.confidence),
    }
    if np.isfinite(table.spot).any():
        columns |= {name: _optional(table.spot[:, axis]) for axis, name in enumerate(SPOT_COLUMNS)}
    try:
        if as_csv:
            _write_csv(path, pa.table(columns))
        else:
            pyarrow.parquet.write_table(pa.table(columns), path)
    except OSError as error:
        raise ConfigurationError(f"inspections {path} cannot be written: {error.strerror or error}") from error


def _write_csv(path: Path, table: pa.Table) -> None:
    """Without quotes where no value needs them."""
    plain = not any(
        pc.any(pc.match_substring_regex(column.cast(pa.string()), '[",\r\n]')).as_py()
        for column in table.columns
        if not pa.types.is_floating(column.type)
    )
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="none" if plain else "needed")
    compression = "gzip" if path.name.lower().endswith(".gz") else None
    with pa.output_stream(str(path), compression=compression) as file:
        file.write((",".join(table.column_names) + "\n").encode())
        pyarrow.csv.write_csv(table, file, options)


def _named(codes: Codes, names: tuple[str, ...], unknown: str | None) -> pa.Array:
    words = pa.array([*names, unknown], pa.string())
    indices = pa.array(np.where(codes == UNKNOWN, len(names), codes).astype(np.int32))
    return words.take(indices)


def _optional(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _moments(seconds: Floats, *, as_text: bool) -> pa.Array:
    moments = pa.array(np.round(seconds * _US_PER_S).astype(np.int64)).cast(pa.timestamp("us"))
    if not as_text:
        return moments.cast(pa.timestamp("us", "UTC"))
    return pc.binary_join_element_wise(pc.replace_substring(moments.cast(pa.string()), " ", "T"), "Z", "")


def _table(columns: ExportColumns) -> InspectionTable:
    camera, cameras = _codes(columns.texts("camera_id", required=True))
    coil, coils = _codes(columns.texts("coil_id", required=False))
    label, classes = _codes(columns.texts("defect_class", required=True))
    for name in columns.names:
        if name.startswith(PROBABILITY_PREFIX):
            columns.numbers(name, required=False, low=0, high=1)
    table = InspectionTable(
        cameras=cameras,
        coils=coils,
        classes=classes,
        frame_id=columns.texts("frame_id", required=True).to_numpy(zero_copy_only=False),
        camera=camera,
        coil=coil,
        captured_s=columns.moments("captured_at"),
        position_m=columns.numbers("strip_position_m", required=False),
        label=label,
        confidence=columns.numbers("confidence", required=True, low=0, high=1),
        spot=_spots(columns),
    )
    found = tuple(name for name in classes if name != NO_DEFECT)
    return table if found == classes else table.recoded(cameras, coils, found)


def _spots(columns: ExportColumns) -> Floats:
    given = [name for name in SPOT_COLUMNS if name in columns.names]
    if len(given) == 1:
        columns.refuse(0, given[0], f"stands alone: give {' and '.join(SPOT_COLUMNS)}, or none of them")
    if not given:
        return np.full((len(columns), len(SPOT_COLUMNS)), np.nan)
    return np.column_stack([columns.numbers(name, required=False, low=0, high=1) for name in SPOT_COLUMNS])


def _codes(texts: pa.Array) -> tuple[Codes, tuple[str, ...]]:
    """Codes into the names in use, sorted; `UNKNOWN` for null."""
    encoded = texts.dictionary_encode()
    words: list[str] = encoded.dictionary.to_pylist()
    names = tuple(sorted(words))
    rank = {name: place for place, name in enumerate(names)}
    places = np.array([rank[word] for word in words] + [UNKNOWN], dtype=np.int32)
    return places[encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)], names


def _own_names(table: InspectionTable) -> InspectionTable:
    """Leave out the names that no row uses."""
    return table.recoded(
        [table.cameras[code] for code in np.unique(table.camera)],
        [table.coils[code] for code in np.unique(table.coil) if code != UNKNOWN],
        [table.classes[code] for code in np.unique(table.label) if code != UNKNOWN],
    )
