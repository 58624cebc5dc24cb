"""The wire: Avro single objects, only of schemas we know, and nothing but a rejection for bad bytes."""

import io
import json
import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pytest

from services.contracts.codec import (
    CAMERA_STATUS_CODEC,
    FRAME_CODEC,
    AvroCodec,
    AvroSchema,
    dead_letter_headers,
    dead_letter_of,
    decode_camera_status,
    decode_frame,
    encode_camera_status,
    encode_frame,
)
from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.messages import CameraStatus, DeadLetter, Frame, FrameReference
from tests.fakes.frames import SESSION, frame

MUTATIONS = 20_000


def reason_of(data: bytes) -> RejectReason:
    with pytest.raises(RejectedMessage) as caught:
        decode_frame(data)
    return caught.value.reason


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(frame(), id="full"),
        pytest.param(
            replace(frame(), line_id=None, coil_id=None, session_id=None, sequence=None, strip_position_m=None),
            id="nothing_optional",
        ),
        pytest.param(replace(frame(), image=FrameReference("file:///frames/1.jpg", 123)), id="reference"),
        pytest.param(replace(frame(), camera_id="Kamera-ä", image=b""), id="unicode_and_empty_image"),
    ],
)
def test_a_frame_comes_back_as_it_went(message: Frame) -> None:
    assert decode_frame(encode_frame(message)) == message


def test_a_camera_status_comes_back_as_it_went() -> None:
    now = datetime.now(UTC)
    status = CameraStatus("cam-1", SESSION, now, "failed", "no signal", 3, 2, 1, 4, 5, now)
    assert decode_camera_status(encode_camera_status(status)) == status


def test_the_header_is_the_marker_and_the_fingerprint_in_little_endian() -> None:
    assert encode_frame(frame())[:10] == b"\xc3\x01" + FRAME_CODEC.schema.fingerprint


def test_fingerprints_are_those_of_the_avro_specification() -> None:
    # Apache Avro, lang/java/.../TestSchemaNormalization: fingerprint of "int" is 0x7275d51a3f395c8f.
    assert AvroSchema.of('"int"').fingerprint == struct.pack("<Q", 0x7275D51A3F395C8F)


def test_the_fingerprints_of_version_1_never_change() -> None:
    assert FRAME_CODEC.schema.fingerprint.hex() == "489bd95960f71cc7"
    assert CAMERA_STATUS_CODEC.schema.fingerprint.hex() == "e6f0d9cf304e534f"


def test_a_naive_time_is_refused_when_writing() -> None:
    with pytest.raises(ValueError, match="time zone"):
        encode_frame(replace(frame(), captured_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - the point of the test


def test_another_messages_schema_is_unknown_here() -> None:
    status = CameraStatus("cam-1", SESSION, datetime.now(UTC), "capturing", None, 0, 0, 0, 0, 0, None)
    assert reason_of(encode_camera_status(status)) is RejectReason.UNKNOWN_SCHEMA


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", RejectReason.UNKNOWN_SCHEMA, id="empty"),
        pytest.param(b"\xc3\x01", RejectReason.UNKNOWN_SCHEMA, id="marker_only"),
        pytest.param(b"\xc3\x01" + bytes(8) + b"x", RejectReason.UNKNOWN_SCHEMA, id="unknown_fingerprint"),
        pytest.param(encode_frame(frame())[:10], RejectReason.MALFORMED_MESSAGE, id="no_body"),
        pytest.param(encode_frame(frame())[:-1], RejectReason.MALFORMED_MESSAGE, id="truncated"),
        pytest.param(encode_frame(frame()) + b"\x00", RejectReason.MALFORMED_MESSAGE, id="trailing_byte"),
    ],
)
def test_bad_bytes_are_rejected_with_their_reason(data: bytes, reason: RejectReason) -> None:
    assert reason_of(data) is reason


@pytest.mark.parametrize("length", [2**62, 2**31, -5, -(2**62)])
def test_a_lying_length_is_rejected_without_allocating(length: int) -> None:
    zigzag = (length << 1) ^ (length >> 63)
    varint = bytearray()
    while zigzag > 0x7F:
        varint.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    data = encode_frame(frame())[:10] + bytes(varint) + bytes([zigzag]) + b"abc"
    tracemalloc.start()
    try:
        assert reason_of(data) is RejectReason.MALFORMED_MESSAGE
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_any_mutation_is_a_frame_or_a_rejection() -> None:
    chance = random.Random(20261123)
    seeds = [
        encode_frame(replace(frame(), image=b"abc")),
        encode_frame(replace(frame(), image=FrameReference("file:///x", 3))),
    ]
    rejected = 0
    for _ in range(MUTATIONS):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(10, len(data))
            match chance.randrange(3):
                case 0:
                    data[at] = chance.randrange(256)
                case 1:
                    data = data[: at + 1]
                case _:
                    data[at:at] = chance.randbytes(chance.randint(1, 9))
        try:
            decode_frame(bytes(data))
        except RejectedMessage as error:
            assert error.reason is RejectReason.MALFORMED_MESSAGE  # noqa: PT017 - counted, not expected each time
            rejected += 1
    assert rejected > MUTATIONS // 2


def changed_schema(change: Callable[[list[dict[str, Any]]], object]) -> AvroSchema:
    document = json.loads(FRAME_CODEC.schema.text)
    change(document["fields"])
    return AvroSchema.of(json.dumps(document))


def as_written_by(writer: AvroSchema, record: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, writer.parsed, record)
    return b"\xc3\x01" + writer.fingerprint + buffer.getvalue()


def record_of(message: Frame) -> dict[str, Any]:
    body = io.BytesIO(encode_frame(message)[10:])
    return dict(fastavro.schemaless_reader(body, FRAME_CODEC.schema.parsed, None))  # type: ignore[arg-type] # a record


def test_a_newer_writer_with_one_more_field_is_read() -> None:
    newer = changed_schema(lambda fields: fields.append({"name": "exposure_us", "type": "int", "default": 0}))
    codec = AvroCodec(FRAME_CODEC.schema, FRAME_CODEC._to_record, FRAME_CODEC._from_record, [newer])
    message = frame()
    assert codec.decode(as_written_by(newer, {**record_of(message), "exposure_us": 7})) == message


def test_an_older_writer_without_an_optional_field_is_read() -> None:
    older = changed_schema(lambda fields: fields.remove(next(f for f in fields if f["name"] == "coil_id")))
    codec = AvroCodec(FRAME_CODEC.schema, FRAME_CODEC._to_record, FRAME_CODEC._from_record, [older])
    record = record_of(frame())
    del record["coil_id"]
    assert codec.decode(as_written_by(older, record)).coil_id is None


LETTER = DeadLetter(
    frame_id=SESSION,
    reason="not_an_image",
    detail="the bytes are neither JPEG nor PNG; Grüße",
    origin_topic="frames.cam-1",
    origin_partition=2,
    origin_offset=3,
    origin_timestamp=datetime.now(UTC),
    rejected_at=datetime.now(UTC),
    app_version="0.1.0",
    key=None,
    payload=b"abc",
)


def test_a_dead_letter_comes_back_from_its_headers() -> None:
    assert dead_letter_of(dict(dead_letter_headers(LETTER)), LETTER.key, LETTER.payload) == LETTER


def test_a_dead_letter_without_its_headers_is_rejected() -> None:
    with pytest.raises(RejectedMessage, match="header"):
        dead_letter_of({"dlq.reason": b"x"}, None, b"")


def test_the_dead_letter_schema_names_every_header(project_root: Path) -> None:
    schema = json.loads((project_root / "proto" / "dead_letter.v1.avsc").read_text())
    named = {field["header"] for field in schema["fields"] if "header" in field}
    assert named == {name for name, _ in dead_letter_headers(LETTER)}
    assert {field["name"] for field in schema["fields"]} == set(DeadLetter.__dataclass_fields__)
