"""Columns of an export of inspections (CSV or Parquet); a value that is wrong is named by its line and field."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from services.contracts.csv_rows import csv_rows
from services.contracts.errors import ConfigurationError

Floats = npt.NDArray[np.float64]

CSV_SUFFIXES: Final = (".csv", ".csv.gz")
PARQUET_SUFFIX: Final = ".parquet"

_TEXT: Final = pa.string()
_MOMENT: Final = pa.timestamp("ns", "UTC")
_NS_PER_US: Final = 1000
_US_PER_S: Final = 1e6


def is_csv(path: Path) -> bool:
    """Tell CSV from Parquet by the file's name.

    Raises:
        ConfigurationError: It is neither.
    """
    name = path.name.lower()
    if name.endswith(CSV_SUFFIXES):
        return True
    if name.endswith(PARQUET_SUFFIX):
        return False
    raise ConfigurationError(f"inspections {path}: neither CSV (.csv, .csv.gz) nor Parquet (.parquet) by its name")


class ExportColumns:
    """The columns of one export; every method raises `ConfigurationError` that names file, line and field."""

    def __init__(self, path: Path, required: Sequence[str], optional: Sequence[str], prefix: str) -> None:
        """Read the columns that are asked for; all others are ignored.

        Args:
            path: The file.
            required: Columns that must be there.
            optional: Columns that may be there.
            prefix: Columns whose names begin so are read too.
        """
        self.path = path
        self._csv = is_csv(path)
        names = self._header() if self._csv else self._schema()
        missing = [name for name in required if name not in names]
        if missing:
            hint = "; fields must be separated by commas" if self._csv and len(names) == 1 else ""
            plural = "s" if len(missing) > 1 else ""
            raise ConfigurationError(
                f"inspections {path}, header: column{plural} {', '.join(missing)} missing, found"
                f" {', '.join(names)}{hint}"
            )
        wanted = [name for name in names if name in (*required, *optional) or name.startswith(prefix)]
        twice = sorted({name for name in wanted if wanted.count(name) > 1})
        if twice:
            raise ConfigurationError(f"inspections {path}, header: column {twice[0]} stands there twice")
        self.names = tuple(wanted)
        self._table = self._read_csv(names) if self._csv else self._read_parquet()
        if not len(self):
            raise ConfigurationError(f"inspections {path}: no rows, only a header")

    def __len__(self) -> int:
        """Number of rows."""
        return int(self._table.num_rows)

    def refuse(self, row: int, field: str, problem: str) -> NoReturn:
        """Say what is wrong with the field of a row (counted from 0 without the header)."""
        raise ConfigurationError(f"inspections {self.path}, {self._where(row)}, {field}: {problem}")

    def texts(self, name: str, *, required: bool) -> pa.Array:
        """Return the strings of a column; empty ones are null, and refused where one is required."""
        column = self._column(name)
        if not pa.types.is_string(column.type):
            column = self._cast(column, _TEXT, name, "is no text")
        empty = pc.equal(column, "")
        if pc.any(empty).as_py():
            column = pc.if_else(empty, pa.scalar(None, _TEXT), column)
        if required and column.null_count:
            self.refuse(_first(pc.is_null(column)), name, "is empty")
        return column

    def numbers(self, name: str, *, required: bool, low: float = -np.inf, high: float = np.inf) -> Floats:
        """Return a column as (N,) floats, NaN where empty.

        Args:
            name: The column.
            required: Refuse empty values.
            low: Smallest value that is allowed.
            high: Largest value that is allowed; no bound still refuses infinity.
        """
        column = self._column(name)
        if pa.types.is_string(column.type):
            column = self.texts(name, required=required)
        column = self._cast(column, pa.float64(), name, "is no number")
        values: Floats = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
        empty = np.isnan(values)
        wrong = ~(np.isfinite(values) & (values >= low) & (values <= high)) & ~empty
        if wrong.any():
            row = int(wrong.argmax())
            bound = f"is not between {low:g} and {high:g}" if np.isfinite(high) else "is no place on a strip"
            self.refuse(row, name, f"{values[row]:g} {bound}")
        if required and empty.any():
            self.refuse(int(empty.argmax()), name, "is empty")
        return values

    def moments(self, name: str) -> Floats:
        """Return a column of points in time as (N,) seconds since 1970 UTC."""
        column = self._column(name)
        if pa.types.is_timestamp(column.type):
            if column.null_count:
                self.refuse(_first(pc.is_null(column)), name, "is empty")
            if column.type.tz is None:
                self.refuse(0, name, "has no time zone: write timestamps with one, such as UTC")
        else:
            column = self.texts(name, required=True)
        column = self._cast(column, _MOMENT, name, "is no point in time: write it as in 2026-03-01T06:00:00.250Z")
        nanoseconds = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
        return np.asarray(nanoseconds // _NS_PER_US / _US_PER_S, dtype=np.float64)  # whole microseconds are exact

    def _column(self, name: str) -> pa.Array:
        column = self._table.column(name).combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        return column.cast(_TEXT) if pa.types.is_large_string(column.type) else column

    def _cast(self, column: pa.Array, target: pa.DataType, name: str, problem: str) -> pa.Array:
        if pa.types.is_string(column.type) and not _castable(column, target):
            column = pc.utf8_trim_whitespace(column)
        row = _first_uncastable(column, target)
        if row is not None:
            self._refuse_value(column[row].as_py(), row, target, (name, problem))
        return column.cast(target)

    def _refuse_value(self, value: object, row: int, target: pa.DataType, told: tuple[str, str]) -> NoReturn:
        name, problem = told
        if target == _MOMENT and isinstance(value, str) and _is_naive(value):
            problem = "has no time zone: write it with an offset or Z, as in 2026-03-01T06:00:00.250Z"
        self.refuse(row, name, f"{str(value)[:80]!r} {problem}")

    def _header(self) -> tuple[str, ...]:
        for row in csv_rows(self.path):
            return tuple(field.strip() for field in row.fields)
        raise ConfigurationError(f"inspections {self.path}: the file is empty, it needs a header and rows")

    def _schema(self) -> tuple[str, ...]:
        try:
            with self.path.open("rb") as file:
                return tuple(pyarrow.parquet.read_schema(file).names)
        except OSError as error:
            raise ConfigurationError(f"inspections {self.path} cannot be read: {_reason(error)}") from error
        except pa.ArrowInvalid as error:
            raise ConfigurationError(f"inspections {self.path}: the file is not Parquet") from error

    def _read_csv(self, names: Sequence[str]) -> pa.Table:
        header = next(iter(csv_rows(self.path)))
        try:
            return pyarrow.csv.read_csv(
                self.path,
                read_options=pyarrow.csv.ReadOptions(column_names=list(names), skip_rows=header.last_line),
                parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=list(self.names), column_types=dict.fromkeys(self.names, _TEXT)
                ),
            )
        except (pa.ArrowInvalid, OSError) as error:
            self._refuse_ragged(len(names))
            raise ConfigurationError(f"inspections {self.path} cannot be read as CSV: {_reason(error)}") from error

    def _read_parquet(self) -> pa.Table:
        try:
            return pyarrow.parquet.read_table(self.path, columns=list(self.names))
        except (pa.ArrowException, OSError) as error:
            raise ConfigurationError(
                f"inspections {self.path} cannot be read as Parquet: {_reason(error)}"
            ) from error

    def _refuse_ragged(self, fields: int) -> None:
        for row in csv_rows(self.path):
            if len(row.fields) != fields:
                raise ConfigurationError(
                    f"inspections {self.path}, line {row.first_line}: {len(row.fields)} fields, but the header has"
                    f" {fields}"
                )

    def _where(self, row: int) -> str:
        if not self._csv:
            return f"row {row + 1}"
        for number, found in enumerate(csv_rows(self.path), -1):
            if number == row:
                return f"line {found.first_line}"
        return f"row {row + 1}"


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200]


def _first(mask: pa.Array) -> int:
    return int(np.argmax(mask.to_numpy(zero_copy_only=False)))


def _first_uncastable(column: pa.Array, target: pa.DataType) -> int | None:
    """Return the first value that cannot be cast, by halving; None when all can."""
    if _castable(column, target):
        return None
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _castable(column.slice(low, middle - low), target) else (low, middle)
    return low


def _castable(column: pa.Array, target: pa.DataType) -> bool:
    try:
        column.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def _is_naive(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is None
    except ValueError:
        return False
