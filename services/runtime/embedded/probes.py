"""Questions put to servers on the wire, with nothing but sockets: is anyone there, and ready?

Each returns None when the server is ready, else what is wrong in words. None of them logs in or changes anything.
"""

import socket
import struct
from http.client import HTTPConnection, HTTPException
from typing import Final

import grpc

_TIMEOUT_S: Final = 1.0
_HTTP_OK: Final = 200
_KAFKA_METADATA: Final = 3
_TRITON_READY: Final = b"\x08\x01"
"""ModelReadyResponse{ready: true} on the wire."""


def kafka_problem(host: str, port: int) -> str | None:
    """Ask for the cluster's metadata (version 1, no topics): ready once a controller is known."""
    client_id = b"millsight-probe"
    body = struct.pack(">hhih", _KAFKA_METADATA, 1, 1, len(client_id)) + client_id + struct.pack(">i", 0)
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            (length,) = struct.unpack(">i", _receive(connection, 4))
            answer = _receive(connection, min(length, 65536))
    except OSError as error:
        return f"the broker does not answer on {host}:{port}: {_words(error)}"
    return None if _controller_id(answer) >= 0 else "the broker has no controller yet"


def _controller_id(metadata: bytes) -> int:
    (brokers,) = struct.unpack_from(">i", metadata, 4)
    offset = 8
    for _ in range(brokers):
        (host_length,) = struct.unpack_from(">h", metadata, offset + 4)
        offset += 6 + host_length + 4
        (rack_length,) = struct.unpack_from(">h", metadata, offset)
        offset += 2 + max(0, rack_length)
    return int(struct.unpack_from(">i", metadata, offset)[0]) if brokers else -1


def postgres_problem(host: str, port: int) -> str | None:
    """Open a session as far as the server's first answer: a request to log in means it serves."""
    parameters = b"user\0millsight_probe\0database\0postgres\0\0"
    startup = struct.pack(">ii", len(parameters) + 8, 196608) + parameters
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as connection:
            connection.sendall(startup)
            kind = _receive(connection, 1)
            (length,) = struct.unpack(">i", _receive(connection, 4))
            text = _receive(connection, min(length - 4, 4096))
    except OSError as error:
        return f"the database does not answer on {host}:{port}: {_words(error)}"
    if kind == b"R":
        return None
    fields = [field[1:].decode(errors="replace") for field in text.split(b"\0") if field[:1] == b"M"]
    return f"the database does not serve yet: {fields[0] if fields else 'unknown answer'}"


def triton_problem(host: str, port: int, model_name: str) -> str | None:
    """Ask over gRPC whether the model is ready."""
    request = b"\x0a" + bytes([len(model_name)]) + model_name.encode()
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        ask = channel.unary_unary("/inference.GRPCInferenceService/ModelReady")
        try:
            answer = ask(request, timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            return f"Triton does not answer on {host}:{port}: {_grpc_words(error)}"
    return None if answer == _TRITON_READY else f"the model {model_name} is not ready"


def http_problem(host: str, port: int, path: str) -> str | None:
    """Ask for a health page; anything but 200 is a problem, told in the page's own words."""
    connection = HTTPConnection(host, port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read(2048).decode(errors="replace").strip()
    except (OSError, HTTPException) as error:
        return f"no answer on http://{host}:{port}{path}: {_words(error)}"
    finally:
        connection.close()
    return None if response.status == _HTTP_OK else text or f"http status {response.status}"


def _receive(connection: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise ConnectionResetError("the connection was closed")
        received += part
    return received


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__


def _grpc_words(error: grpc.RpcError) -> str:
    return error.code().name.lower().replace("_", " ") if isinstance(error, grpc.Call) else str(error)
