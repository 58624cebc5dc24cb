"""Writes inspections into a file for `millsight analyse` and for people's own tools, in constant memory."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from services.adapters.postgres.connecting import Connection, connect, translated
from services.contracts.errors import ConfigurationError
from services.contracts.inspection_columns import is_csv

_CHUNK_ROWS: Final = 20_000
_FIRST_ROWS: Final = 1000
_FIXED: Final = pa.schema(
    [
        ("frame_id", pa.string()),
        ("camera_id", pa.string()),
        ("coil_id", pa.string()),
        ("captured_at", pa.timestamp("us", "UTC")),
        ("strip_position_m", pa.float64()),
        ("defect_class", pa.string()),
        ("confidence", pa.float32()),
        ("spot_x", pa.float32()),
        ("spot_y", pa.float32()),
    ]
)
# Of a frame that several model versions judged the newest stays, as where the process monitor reads.
_SELECT: Final = """
SELECT frame_id::text, camera_id, coil_id, captured_at, strip_position_m, defect_class, confidence, spot_x, spot_y,
       probabilities
FROM millsight.inspections i
WHERE captured_at >= %(start)s AND captured_at < %(end)s AND (%(line)s::text IS NULL OR line_id = %(line)s)
  AND NOT EXISTS (
    SELECT FROM millsight.inspections newer
    WHERE newer.frame_id = i.frame_id AND newer.captured_at = i.captured_at
      AND (length(newer.model_version), newer.model_version) > (length(i.model_version), i.model_version))
"""
_LABELS: Final = "SELECT DISTINCT label FROM millsight.model_versions, unnest(labels) AS label"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """Which inspections: captured from `start` until before `end`, of one line or of all."""

    start: datetime
    end: datetime
    line_id: str | None = None


class _Writer(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...


def export_inspections(url: str, request: ExportRequest, path: Path) -> int:
    """Write inspections as CSV, gzipped CSV or Parquet by the file's name; return the number of rows.

    The file appears when it is complete; one that was there is replaced then.

    Raises:
        ConfigurationError: The file cannot be written, its name has another ending, or the span is empty.
        StorageUnavailable: The database does not answer, or broke off; no file is left behind.
    """
    is_csv(path)
    if request.start >= request.end:
        raise ConfigurationError(
            f"the export must end after it starts: {request.start.isoformat()} to {request.end.isoformat()}"
        )
    part = path.with_name(f".{path.name}.part")
    try:
        with (
            closing(connect(url, application_name="millsight export", autocommit=False)) as connection,
            translated(),
        ):
            rows = _write(connection, request, path, part)
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(f"the export {path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return rows


def _write(connection: Connection, request: ExportRequest, path: Path, part: Path) -> int:
    connection.execute("SET LOCAL statement_timeout = '10min'")
    labels = {str(row[0]) for row in connection.execute(_LABELS)}
    parameters = {"start": request.start, "end": request.end, "line": request.line_id}
    with connection.cursor(name="export", binary=True) as cursor:
        cursor.itersize = _CHUNK_ROWS
        cursor.execute(_SELECT.encode(), parameters)
        rows = cursor.fetchmany(_FIRST_ROWS)
        for row in rows:
            labels.update(_probabilities(row))
        names = sorted(labels)
        schema = pa.schema([*_FIXED, *((f"p_{name}", pa.float32()) for name in names)])
        count = 0
        with _writer(path, part, schema) as writer:
            while rows:
                writer.write(_batch(rows, names, schema))
                count += len(rows)
                rows = cursor.fetchmany(_CHUNK_ROWS)
    return count


@contextmanager
def _writer(path: Path, part: Path, schema: pa.Schema) -> Iterator[_Writer]:
    if not is_csv(path):
        with pyarrow.parquet.ParquetWriter(part, schema, compression="zstd") as parquet:
            yield parquet
        return
    with pa.output_stream(part, compression="gzip" if path.name.lower().endswith(".gz") else None) as file:
        file.write((",".join(map(_quoted, schema.names)) + "\n").encode())
        yield _CsvWriter(file)


class _CsvWriter:
    """Appends batches to an open file, times as ISO text in UTC."""

    def __init__(self, file: pa.NativeFile) -> None:
        self._file = file
        self._options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")

    def write(self, batch: pa.RecordBatch) -> None:
        index = batch.schema.get_field_index("captured_at")
        text = pc.strftime(batch.column(index), format="%Y-%m-%dT%H:%M:%SZ")
        columns = [text if n == index else column for n, column in enumerate(batch.columns)]
        pyarrow.csv.write_csv(pa.table(columns, names=batch.schema.names), self._file, self._options)


def _batch(rows: Sequence[tuple[object, ...]], names: Sequence[str], schema: pa.Schema) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True))
    known = set(names)
    found = [_probabilities(row) for row in rows]
    for row, probabilities in zip(rows, found, strict=True):
        if not known.issuperset(probabilities):
            strange = sorted(set(probabilities) - known)
            raise ConfigurationError(
                f"frame {row[0]} has a class {strange[0]!r} that no recorded model version has: run"
                " `millsight db models`"
            )
    shares = [[probabilities.get(name) for probabilities in found] for name in names]
    data = [*columns[: len(_FIXED)], *shares]
    arrays = [pa.array(values, type=field.type) for values, field in zip(data, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _probabilities(row: tuple[object, ...]) -> dict[str, float]:
    probabilities = row[-1]
    return probabilities if isinstance(probabilities, dict) else {}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"\n\r') else name
