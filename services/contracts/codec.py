"""Messages to bytes and back: Avro single-object encoding, and the record headers of dead letters.

A message is the two bytes `C3 01`, the writer schema's 64-bit Rabin fingerprint (little endian), and the Avro
body. Only fingerprints of schemas in `proto/` are read: a message never brings its own schema. Every length in
the body is checked against the bytes that are there before anything is allocated, since the body is read from
memory, and bytes that remain after the body are an error.
"""

import io
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.messages import (
    CameraStatus,
    DeadLetter,
    Frame,
    FrameReference,
    ImageEncoding,
)

MessageT = TypeVar("MessageT")
Record = dict[str, Any]

SINGLE_OBJECT_MARKER: Final = b"\xc3\x01"
_HEADER_BYTES: Final = 10
_DECODING_ERRORS: Final = (
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
)
"""All that fastavro 1.13 may raise on bad bytes; a seeded fuzz test holds the list to account."""


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """A parsed schema with its CRC-64-AVRO fingerprint, 8 bytes, little endian."""

    text: str
    parsed: Any
    fingerprint: bytes

    @classmethod
    def of(cls, text: str) -> "AvroSchema":
        """Parse a schema's JSON text."""
        document = json.loads(text)
        canonical = to_parsing_canonical_form(document)
        digest = bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
        return cls(text, parse_schema(document), digest)


def load_schema(file_name: str) -> AvroSchema:
    """Read a schema of `proto/`, from the checkout or from the installed package."""
    here = Path(__file__).resolve()
    for folder in (here.parents[2] / "proto", here.parent / "proto"):
        if (folder / file_name).is_file():
            return AvroSchema.of((folder / file_name).read_text(encoding="utf-8"))
    raise FileNotFoundError(f"schema {file_name} is neither in the checkout nor in the package")


class AvroCodec(Generic[MessageT]):
    """Writes one kind of message with the newest schema and reads it as written by any allowed schema."""

    def __init__(
        self,
        schema: AvroSchema,
        to_record: Callable[[MessageT], Record],
        from_record: Callable[[Record], MessageT],
        older_or_newer: Iterable[AvroSchema] = (),
    ) -> None:
        """Allow the fingerprints of `schema` and of further writers' schemas that resolve to it."""
        self.schema = schema
        self._to_record = to_record
        self._from_record = from_record
        self._writers = {each.fingerprint: each for each in (schema, *older_or_newer)}
        self._header = SINGLE_OBJECT_MARKER + schema.fingerprint

    def encode(self, message: MessageT) -> bytes:
        """Return the message as a single object."""
        return self.encode_body(message, self._header)

    def decode(self, data: bytes) -> MessageT:
        """Return the message that a single object holds.

        Raises:
            RejectedMessage: Not a single object, written with an unknown schema, or malformed.
        """
        if not data.startswith(SINGLE_OBJECT_MARKER):
            raise RejectedMessage(RejectReason.UNKNOWN_SCHEMA, "the message is no Avro single object")
        writer = self._writers.get(data[2:_HEADER_BYTES])
        if writer is None:
            digest = data[2:_HEADER_BYTES].hex()
            raise RejectedMessage(
                RejectReason.UNKNOWN_SCHEMA,
                f"schema fingerprint {digest} is not one of {self.schema.parsed['name']}",
            )
        return self.decode_body(data, _HEADER_BYTES, writer)

    def encode_body(self, message: MessageT, header: bytes) -> bytes:
        """Return `header` followed by the Avro body (for other framings, such as the Confluent wire format)."""
        buffer = io.BytesIO()
        buffer.write(header)
        schemaless_writer(buffer, self.schema.parsed, self._to_record(message))
        return buffer.getvalue()

    def decode_body(self, data: bytes, start: int, writer: AvroSchema) -> MessageT:
        """Return the message whose Avro body begins at `start` and fills the rest of `data`.

        Raises:
            RejectedMessage: The body is malformed, or bytes remain after it.
        """
        buffer = io.BytesIO(data)
        buffer.seek(start)
        reader = None if writer is self.schema else self.schema.parsed
        try:
            record = schemaless_reader(buffer, writer.parsed, reader)
            if buffer.tell() != len(data):
                raise RejectedMessage(
                    RejectReason.MALFORMED_MESSAGE,
                    f"{len(data) - buffer.tell()} bytes remain after the Avro body",
                )
            return self._from_record(record)  # type: ignore[arg-type] # our schemas are records
        except _DECODING_ERRORS as error:
            raise RejectedMessage(
                RejectReason.MALFORMED_MESSAGE,
                f"the Avro body cannot be read: {type(error).__name__}",
            ) from error


def _frame_to_record(frame: Frame) -> Record:
    image = frame.image
    return {
        "frame_id": frame.frame_id,
        "camera_id": frame.camera_id,
        "line_id": frame.line_id,
        "coil_id": frame.coil_id,
        "material": frame.material,
        "captured_at": _aware(frame.captured_at),
        "session_id": frame.session_id,
        "sequence": frame.sequence,
        "strip_position_m": frame.strip_position_m,
        "width_px": frame.width_px,
        "height_px": frame.height_px,
        "encoding": frame.encoding.value,
        "image": image if isinstance(image, bytes) else {"uri": image.uri, "size_bytes": image.size_bytes},
        "sha256": frame.sha256,
    }


def _frame_from_record(record: Record) -> Frame:
    image = record["image"]
    if not isinstance(image, bytes):
        record["image"] = FrameReference(**image)
    record["encoding"] = ImageEncoding(record["encoding"])
    return Frame(**record)


def _status_to_record(status: CameraStatus) -> Record:
    record = {name: getattr(status, name) for name in CameraStatus.__dataclass_fields__}
    _aware(status.reported_at)
    return record


def _status_from_record(record: Record) -> CameraStatus:
    return CameraStatus(**record)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment on the wire needs a time zone")
    return moment


FRAME_CODEC: Final = AvroCodec(load_schema("frame.v1.avsc"), _frame_to_record, _frame_from_record)
CAMERA_STATUS_CODEC: Final = AvroCodec(
    load_schema("camera_status.v1.avsc"), _status_to_record, _status_from_record
)

encode_frame: Final = FRAME_CODEC.encode
"""Return a `Frame` as bytes."""
decode_frame: Final = FRAME_CODEC.decode
"""Return the `Frame` in bytes; raises `RejectedMessage`."""
encode_camera_status: Final = CAMERA_STATUS_CODEC.encode
"""Return a `CameraStatus` as bytes."""
decode_camera_status: Final = CAMERA_STATUS_CODEC.decode
"""Return the `CameraStatus` in bytes; raises `RejectedMessage`."""


def dead_letter_headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """Return the record headers of a dead letter; its payload and key travel as the record's value and key."""
    texts = {
        "dlq.frame_id": str(letter.frame_id),
        "dlq.reason": letter.reason,
        "dlq.detail": letter.detail,
        "dlq.origin.topic": letter.origin_topic,
        "dlq.origin.partition": str(letter.origin_partition),
        "dlq.origin.offset": str(letter.origin_offset),
        "dlq.origin.timestamp": letter.origin_timestamp.isoformat(),
        "dlq.rejected_at": letter.rejected_at.isoformat(),
        "dlq.app.version": letter.app_version,
    }
    return [(name, text.encode()) for name, text in texts.items()]


def dead_letter_of(headers: Mapping[str, bytes], key: bytes | None, payload: bytes) -> DeadLetter:
    """Return the dead letter that a record of `frames.dlq` holds.

    Raises:
        RejectedMessage: A header is missing or unreadable.
    """
    try:
        text = {name: value.decode() for name, value in headers.items() if name.startswith("dlq.")}
        return DeadLetter(
            frame_id=UUID(text["dlq.frame_id"]),
            reason=text["dlq.reason"],
            detail=text["dlq.detail"],
            origin_topic=text["dlq.origin.topic"],
            origin_partition=int(text["dlq.origin.partition"]),
            origin_offset=int(text["dlq.origin.offset"]),
            origin_timestamp=datetime.fromisoformat(text["dlq.origin.timestamp"]),
            rejected_at=datetime.fromisoformat(text["dlq.rejected_at"]),
            app_version=text["dlq.app.version"],
            key=key,
            payload=payload,
        )
    except (KeyError, ValueError) as error:
        raise RejectedMessage(
            RejectReason.MALFORMED_MESSAGE, f"a dead letter's header is missing or bad: {error}"
        ) from error
