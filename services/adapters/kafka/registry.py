"""Frames in the Confluent wire format: a zero byte, a schema id of four bytes, the Avro body.

The subject is the record's full name (RecordNameStrategy), since every camera has a topic of its own and all of
them carry the same record.
"""

import threading
from typing import Final

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.common._httpx_compat import httpx  # whichever of two it chose
from confluent_kafka.schema_registry.error import SchemaRegistryError

from services.contracts.codec import FRAME_CODEC, SINGLE_OBJECT_MARKER, AvroSchema
from services.contracts.errors import ConfigurationError, DeliveryFailed, RejectedMessage, RejectReason
from services.contracts.messages import Frame

FRAME_SUBJECT: Final = "millsight.Frame"
_MAGIC: Final = b"\x00"
_PREFIX_BYTES: Final = 5
_NOT_FOUND: Final = 404
_TIMEOUT_S: Final = 5


class RegistryFrameCodec:
    """Writes the Confluent wire format; reads it and, during a change-over, single objects too.

    Thread-safe. A schema is fetched once and kept. The writer's schema comes from the registry, never from a
    message, and must be a version of our own record.
    """

    def __init__(self, url: str) -> None:
        """Prepare the client; nothing is asked yet.

        Raises:
            ConfigurationError: The URL is none.
        """
        try:
            self._client = SchemaRegistryClient({"url": url, "timeout": _TIMEOUT_S, "max.retries": 0})
        except ValueError as error:
            raise ConfigurationError(f"the schema registry's URL {url!r} cannot be used: {error}") from error
        self._writers: dict[int, AvroSchema] = {}
        self._header: bytes | None = None
        self._lock = threading.Lock()

    def encode(self, frame: Frame) -> bytes:
        """Return the frame as a message, registering our schema the first time.

        Raises:
            DeliveryFailed: The registry did not answer or refuses the schema.
        """
        with self._lock:
            if self._header is None:
                schema = Schema(FRAME_CODEC.schema.text, "AVRO")
                try:
                    schema_id = self._client.register_schema(FRAME_SUBJECT, schema)
                except (SchemaRegistryError, httpx.HTTPError, OSError) as error:
                    raise DeliveryFailed(f"the schema registry does not take our schema: {error}") from error
                self._header = _MAGIC + schema_id.to_bytes(4, "big")
        return FRAME_CODEC.encode_body(frame, self._header)

    def decode(self, data: bytes) -> Frame:
        """Return the frame in a message.

        Raises:
            RejectedMessage: The registry does not know the schema, it is not ours, or the body is malformed.
            DeliveryFailed: The registry did not answer.
        """
        if data.startswith(SINGLE_OBJECT_MARKER):
            return FRAME_CODEC.decode(data)
        if not data.startswith(_MAGIC) or len(data) < _PREFIX_BYTES:
            raise RejectedMessage(RejectReason.MALFORMED_MESSAGE, "the message has no schema id")
        return FRAME_CODEC.decode_body(data, _PREFIX_BYTES, self._writer(int.from_bytes(data[1:5], "big")))

    def _writer(self, schema_id: int) -> AvroSchema:
        with self._lock:
            if schema_id not in self._writers:
                self._writers[schema_id] = self._fetch(schema_id)
            return self._writers[schema_id]

    def _fetch(self, schema_id: int) -> AvroSchema:
        try:
            answer = self._client.get_schema(schema_id)
            schema = AvroSchema.of(answer.schema_str or "")
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                raise _unknown(f"the registry has no schema {schema_id}") from error
            raise DeliveryFailed(f"the schema registry does not answer: {error}") from error
        except (httpx.HTTPError, OSError) as error:
            raise DeliveryFailed(f"the schema registry does not answer: {error}") from error
        except ValueError as error:
            raise _unknown(f"schema {schema_id} is no Avro schema") from error
        if not isinstance(schema.parsed, dict) or schema.parsed.get("name") != FRAME_SUBJECT:
            raise _unknown(f"schema {schema_id} is not {FRAME_SUBJECT}")
        return schema


def _unknown(detail: str) -> RejectedMessage:
    return RejectedMessage(RejectReason.UNKNOWN_SCHEMA, detail)
