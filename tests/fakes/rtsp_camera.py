"""A small RTSP camera on loopback: JPEG over RTP (RFC 2435), interleaved in the connection (RFC 2326, 10.12)."""

import socket
import struct
import threading
import time
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

_FRAGMENT_BYTES: Final = 1300
_DQT, _SOS = b"\xff\xdb", b"\xff\xda"


class RtspCamera:
    """Streams grey pictures whose brightness counts up; hangs up after `frames_per_connection` of them."""

    def __init__(self, width_px: int = 160, height_px: int = 128, frames_per_connection: int = 1_000_000) -> None:
        self.connections = 0
        self.size = (width_px, height_px)
        self._frames_per_connection = frames_per_connection
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"rtsp://user:secret@127.0.0.1:{self._listener.getsockname()[1]}/strip"

    def close(self) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5.0)

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                try:
                    self._converse(connection)
                except OSError:
                    continue

    def _converse(self, connection: socket.socket) -> None:
        requests = connection.makefile("rb")
        while not self._stop.is_set():
            method = requests.readline().split(b" ", 1)[0].decode()
            headers = {}
            while line := requests.readline().strip():
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            if not method:
                return
            connection.sendall(self._answer(method, headers.get("cseq", "0")))
            if method == "PLAY":
                self.connections += 1
                self._stream(connection)
                return

    def _answer(self, method: str, cseq: str) -> bytes:
        body, extra = "", ""
        match method:
            case "OPTIONS":
                extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
            case "DESCRIBE":
                body = (
                    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=strip\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                    "m=video 0 RTP/AVP 26\r\na=control:track1\r\n"
                )
                extra = "Content-Type: application/sdp\r\n"
            case "SETUP":
                extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n"
            case "PLAY":
                extra = "Session: 1\r\n"
        return f"RTSP/1.0 200 OK\r\nCSeq: {cseq}\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def _stream(self, connection: socket.socket) -> None:
        packet_number = 0
        for number in range(self._frames_per_connection):
            if self._stop.wait(0.02):
                return
            width_px, height_px = self.size
            pixels = np.full((height_px, width_px, 3), 10 + number % 200, np.uint8)
            for last, payload in _rtp_payloads(pixels):
                header = struct.pack(
                    "!BBHII", 0x80, 26 | (0x80 if last else 0), packet_number & 0xFFFF, number * 1800, 7
                )
                packet = header + payload
                connection.sendall(b"$\x00" + struct.pack("!H", len(packet)) + packet)
                packet_number += 1
        time.sleep(0.05)


def _rtp_payloads(pixels: npt.NDArray[np.uint8]) -> list[tuple[bool, bytes]]:
    """Cut a picture into RTP payloads, each with whether it is the picture's last."""
    height_px, width_px = pixels.shape[:2]
    jpeg = bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
    tables = b""
    position = 0
    while (position := jpeg.find(_DQT, position)) >= 0 and position < jpeg.find(_SOS):
        length = int.from_bytes(jpeg[position + 2 : position + 4], "big")
        segment = jpeg[position + 4 : position + 2 + length]
        tables += b"".join(segment[start + 1 : start + 65] for start in range(0, len(segment), 65))
        position += 2
    scan_start = jpeg.find(_SOS)
    scan_start += 2 + int.from_bytes(jpeg[scan_start + 2 : scan_start + 4], "big")
    scan = jpeg[scan_start:-2]
    payloads = []
    for offset in range(0, len(scan), _FRAGMENT_BYTES):
        header = struct.pack("!B3sBBBB", 0, offset.to_bytes(3, "big"), 1, 255, width_px // 8, height_px // 8)
        if offset == 0:
            header += struct.pack("!BBH", 0, 0, len(tables)) + tables
        last = offset + _FRAGMENT_BYTES >= len(scan)
        payloads.append((last, header + scan[offset : offset + _FRAGMENT_BYTES]))
    return payloads
