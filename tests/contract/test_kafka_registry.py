"""The Confluent wire format, against a small schema registry over HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override

from services.adapters.kafka.registry import FRAME_SUBJECT, RegistryFrameCodec
from services.contracts.codec import CAMERA_STATUS_CODEC, FRAME_CODEC, encode_frame
from services.contracts.errors import ConfigurationError, DeliveryFailed, RejectedMessage, RejectReason
from tests.fakes.frames import frame


class Registry(ThreadingHTTPServer):
    """Knows our frame's schema as 7 once it is registered, the camera status as 8, and nothing else."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.schemas = {8: CAMERA_STATUS_CODEC.schema.text}
        self.requests: list[str] = []
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(self.path)
        self.server.schemas[7] = body["schema"]
        self.answer(200, {"id": 7, "subject": FRAME_SUBJECT, "version": 1, "schema": body["schema"]})

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        schema = self.server.schemas.get(int(self.path.split("?")[0].rsplit("/", 1)[1]))
        if self.server.broken:
            self.answer(500, {"error_code": 50001, "message": "broken"})
        elif schema is None:
            self.answer(404, {"error_code": 40403, "message": "Schema not found"})
        else:
            self.answer(200, {"schema": schema})

    def answer(self, status: int, document: dict[str, object]) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @override
    def log_request(self, code: object = None, size: object = None) -> None:
        pass


@pytest.fixture
def registry() -> Iterator[Registry]:
    server = Registry()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_frame_travels_with_its_schema_id(registry: Registry) -> None:
    message = frame()
    data = RegistryFrameCodec(registry.url).encode(message)
    assert data[:5] == b"\x00\x00\x00\x00\x07"
    reader = RegistryFrameCodec(registry.url)
    assert reader.decode(data) == message
    assert reader.decode(data) == message
    assert sum(path.startswith("/schemas") for path in registry.requests) == 1
    assert registry.requests[0].startswith(f"/subjects/{FRAME_SUBJECT}/versions")


def test_single_objects_are_read_during_a_change_over(registry: Registry) -> None:
    message = frame()
    assert RegistryFrameCodec(registry.url).decode(encode_frame(message)) == message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"\x00\x00\x00\x00\x63abc", RejectReason.UNKNOWN_SCHEMA, id="unknown_id"),
        pytest.param(b"\x00\x00\x00\x00\x08abc", RejectReason.UNKNOWN_SCHEMA, id="schema_of_another_record"),
        pytest.param(b"\x00\x00", RejectReason.MALFORMED_MESSAGE, id="no_id"),
        pytest.param(b"\x00\x00\x00\x00\x07abc", RejectReason.MALFORMED_MESSAGE, id="bad_body"),
    ],
)
def test_bad_messages_are_rejected(registry: Registry, data: bytes, reason: RejectReason) -> None:
    registry.schemas[7] = FRAME_CODEC.schema.text
    with pytest.raises(RejectedMessage) as caught:
        RegistryFrameCodec(registry.url).decode(data)
    assert caught.value.reason is reason


def test_a_broken_registry_is_asked_again(registry: Registry) -> None:
    registry.schemas[7] = FRAME_CODEC.schema.text
    registry.broken = True
    codec = RegistryFrameCodec(registry.url)
    data = b"\x00\x00\x00\x00\x07" + encode_frame(frame())[10:]
    with pytest.raises(DeliveryFailed):
        codec.decode(data)
    registry.broken = False
    assert codec.decode(data).camera_id == "cam-1"


def test_a_registry_that_is_away_is_transient() -> None:
    with pytest.raises(DeliveryFailed):
        RegistryFrameCodec("http://127.0.0.1:1").decode(b"\x00\x00\x00\x00\x07abc")
    with pytest.raises(DeliveryFailed):
        RegistryFrameCodec("http://127.0.0.1:1").encode(frame())


def test_a_url_that_is_none_is_a_users_mistake() -> None:
    with pytest.raises(ConfigurationError, match="registry"):
        RegistryFrameCodec("registry:8081")
