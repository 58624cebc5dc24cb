"""Ask Triton over gRPC whether a model is ready: exit code 0 when it is, 1 and one line when it is not.

The health check of the inference container. HTTP stays off there (SECURITY.md), the image ships no gRPC client,
and a health check must need nothing that the image does not have: so this speaks the few frames of HTTP/2 that
one call takes, with Python's standard library alone.

    python3 ready.py [MODEL] [HOST:PORT]
"""

import socket
import struct
import sys

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MODEL_READY = "/inference.GRPCInferenceService/ModelReady"
READY_ANSWER = b"\x00\x00\x00\x00\x02\x08\x01"
"""An uncompressed gRPC message of two bytes: field 1, a bool, true."""
TIMEOUT_S = 3.0
STREAM = 1


class NotReady(Exception):
    """The model does not serve; the message says why."""


def main(arguments: list[str]) -> int:
    """Run the check and return the exit code."""
    model = arguments[0] if arguments else "surface_defects"
    address = arguments[1] if len(arguments) > 1 else "127.0.0.1:8001"
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), TIMEOUT_S) as connection:
            connection.sendall(_request(model, address))
            answer = _answer(connection)
    except (OSError, NotReady) as reason:
        sys.stderr.write(f"{model} at {address}: {reason}\n")
        return 1
    if answer != READY_ANSWER:
        sys.stderr.write(f"{model} at {address}: not ready\n")
        return 1
    return 0


def _request(model: str, authority: str) -> bytes:
    """Return the preface, our settings, and one complete unary call."""
    name = model.encode()
    message = bytes([0x0A, len(name)]) + name
    body = b"\x00" + struct.pack(">I", len(message)) + message
    fields = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", MODEL_READY),
        (":authority", authority),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    )
    headers = b"".join(_field(key, value) for key, value in fields)
    return (
        PREFACE
        + _frame(SETTINGS, 0, 0, b"")
        + _frame(HEADERS, END_HEADERS, STREAM, headers)
        + _frame(DATA, END_STREAM, STREAM, body)
    )


def _field(key: str, value: str) -> bytes:
    """Return a header as an HPACK literal without indexing and without Huffman coding (RFC 7541, 6.2.2)."""
    return b"\x00" + bytes([len(key)]) + key.encode() + bytes([len(value)]) + value.encode()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _answer(connection: socket.socket) -> bytes:
    """Return the message bytes of the answer; an error status has none.

    Raises:
        NotReady: The server closed the connection or the stream.
    """
    received = b""
    while True:
        header = _read(connection, 9)
        length = int.from_bytes(header[:3], "big")
        kind, flags = header[3], header[4]
        payload = _read(connection, length)
        if kind == SETTINGS and not flags & ACK:
            connection.sendall(_frame(SETTINGS, ACK, 0, b""))
        elif kind == PING and not flags & ACK:
            connection.sendall(_frame(PING, ACK, 0, payload))
        elif kind in (RST_STREAM, GOAWAY):
            raise NotReady("the server refused the call")
        elif kind == DATA:
            received += payload
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            return received


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise NotReady("the server closed the connection")
        data += piece
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
