"""Walks through a CSV file with the line numbers of an editor; slow, for headers and error messages."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from services.contracts.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CsvRow:
    """Fields of a row and the lines it stands on, counted from 1: several where a quoted field has a break."""

    first_line: int
    last_line: int
    fields: list[str]


def csv_rows(path: Path) -> Iterator[CsvRow]:
    """Yield every row that is not blank, header included; a name that ends in `.gz` is unpacked.

    Raises:
        ConfigurationError: The file cannot be read, is no UTF-8 text or no CSV.
    """
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            begins = 1
            for fields in reader:
                if fields:
                    yield CsvRow(begins, reader.line_num, fields)
                begins = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: the file is not UTF-8 text") from error
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigurationError(f"{path} cannot be read: {reason}") from error


def _open(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
