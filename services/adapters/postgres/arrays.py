"""PostgreSQL arrays in the binary format, one per column of a batch.

psycopg picks the type of a list from its values (int2 or int8 by magnitude, text of a list of None), so that a
prepared statement would be planned anew as values change, and dumps element by element. These arrays carry their
type with them and cost one join per column.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar, Final
from uuid import UUID

from psycopg import Connection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from typing_extensions import override

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LENGTH: Final = struct.Struct("!i")
_HEADER: Final = struct.Struct("!iiIii")
_NULL: Final = _LENGTH.pack(-1)
_FLOAT4: Final = struct.Struct("!f").pack
_FLOAT8: Final = struct.Struct("!d").pack


class BinaryArray(bytes):
    """A one-dimensional array, encoded; each subclass is one SQL type."""

    __slots__ = ()
    oid: ClassVar[int]
    element_oid: ClassVar[int]

    @classmethod
    def of(cls, elements: Iterable[bytes | None]) -> "BinaryArray":
        """Encode elements that are in binary format already; None is NULL."""
        parts: list[bytes] = []
        has_null, count = 0, 0
        for element in elements:
            count += 1
            if element is None:
                has_null = 1
                parts.append(_NULL)
            else:
                parts.append(_LENGTH.pack(len(element)))
                parts.append(element)
        return cls(_HEADER.pack(1, has_null, cls.element_oid, count, 1) + b"".join(parts))


class ByteaArray(BinaryArray):
    """bytea[]."""

    oid, element_oid = 1001, 17


class Float4Array(BinaryArray):
    """real[]."""

    oid, element_oid = 1021, 700


class Float8Array(BinaryArray):
    """double precision[]."""

    oid, element_oid = 1022, 701


class Int4Array(BinaryArray):
    """integer[]."""

    oid, element_oid = 1007, 23


class Int8Array(BinaryArray):
    """bigint[]."""

    oid, element_oid = 1016, 20


class JsonbArray(BinaryArray):
    """jsonb[]."""

    oid, element_oid = 3807, 3802


class TextArray(BinaryArray):
    """text[]."""

    oid, element_oid = 1009, 25


class TimestamptzArray(BinaryArray):
    """timestamptz[]."""

    oid, element_oid = 1185, 1184


class UuidArray(BinaryArray):
    """uuid[]."""

    oid, element_oid = 2951, 2950


class _ArrayDumper(Dumper):
    format = Format.BINARY

    @override
    def dump(self, obj: bytes) -> Buffer | None:
        return obj


def register_arrays(connection: Connection[tuple[object, ...]]) -> None:
    """Teach a connection to send the arrays of this module as parameters."""
    for array in BinaryArray.__subclasses__():
        dumper = type(f"{array.__name__}Dumper", (_ArrayDumper,), {"oid": array.oid})
        connection.adapters.register_dumper(array, dumper)


def texts(values: Iterable[str | None]) -> BinaryArray:
    """Encode text[]."""
    return TextArray.of([None if value is None else value.encode() for value in values])


def uuids(values: Iterable[UUID]) -> BinaryArray:
    """Encode uuid[]."""
    return UuidArray.of([value.bytes for value in values])


def timestamps(values: Iterable[datetime]) -> BinaryArray:
    """Encode timestamptz[] from aware datetimes, to the microsecond."""
    return TimestamptzArray.of([_microseconds(value) for value in values])


def integers(values: Iterable[int]) -> BinaryArray:
    """Encode integer[].

    Raises:
        OverflowError: A value needs more than 32 bits.
    """
    return Int4Array.of([value.to_bytes(4, "big", signed=True) for value in values])


def bigints(values: Iterable[int | None]) -> BinaryArray:
    """Encode bigint[].

    Raises:
        OverflowError: A value needs more than 64 bits.
    """
    return Int8Array.of([None if value is None else value.to_bytes(8, "big", signed=True) for value in values])


def reals(values: Iterable[float | None]) -> BinaryArray:
    """Encode real[].

    Raises:
        OverflowError: A value is beyond single precision.
    """
    return Float4Array.of([None if value is None else _FLOAT4(value) for value in values])


def doubles(values: Iterable[float | None]) -> BinaryArray:
    """Encode double precision[]."""
    return Float8Array.of([None if value is None else _FLOAT8(value) for value in values])


def documents(values: Iterable[str | None]) -> BinaryArray:
    """Encode jsonb[] from JSON text."""
    return JsonbArray.of([None if value is None else b"\x01" + value.encode() for value in values])


def blobs(values: Iterable[bytes | None]) -> BinaryArray:
    """Encode bytea[]."""
    return ByteaArray.of(values)


def _microseconds(moment: datetime) -> bytes:
    since = moment - _EPOCH
    total = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return total.to_bytes(8, "big", signed=True)
