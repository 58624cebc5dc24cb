"""The webhook channel against a real HTTP server that behaves well, badly, or not at all."""

import hashlib
import hmac
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from services.adapters.notifications.settings import WebhookReceiver
from services.adapters.notifications.webhook import MESSAGE_HEADER, SIGNATURE_HEADER, WebhookChannel
from services.contracts.alert_messages import AlertMessage, render_message
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.domain.alerts import Message
from tests.fakes.alerts import alert
from tests.fakes.certificates import make_certificate

SECRET = "correct-horse-battery"


class Receiver(ThreadingHTTPServer):
    """Answers by path: /200, /500, /302, /drip (a byte now and then), /hang (nothing), /flood (no end)."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client hangs up."""

    def url(self, path: str, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.server_address[1]}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers), body))
        what = self.path.split("/")[1]
        if what == "hang":
            self.server.over.wait(20)
        elif what == "drip":
            while not self.server.over.wait(0.05):
                self.wfile.write(b"H")
        elif what == "flood":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not self.server.over.is_set():
                self.wfile.write(b"x" * 65536)
        else:
            self.send_response(int(what))
            if what == "302":
                self.send_header("Location", self.server.url("/200"))
            self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve(receiver: Receiver) -> Iterator[Receiver]:
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield receiver
    receiver.over.set()
    receiver.shutdown()
    receiver.server_close()
    thread.join()


@pytest.fixture
def server() -> Iterator[Receiver]:
    yield from serve(Receiver())


@pytest.fixture
def message() -> AlertMessage:
    return render_message(Message("hook", (alert(1),), is_digest=False, attempts=0))


def channel(url: str, **fields: Any) -> WebhookChannel:
    return WebhookChannel(WebhookReceiver(name="hook", kind="webhook", url=url, **fields))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "hook.secret"
    file.write_text(SECRET + "\n")
    return file


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_message_is_posted_as_signed_json(
    status: int, server: Receiver, message: AlertMessage, secret_file: Path
) -> None:
    channel(server.url(f"/{status}/a?b=c"), secret_file=secret_file).send(message)
    [(path, headers, body)] = server.requests
    assert path == f"/{status}/a?b=c"
    assert json.loads(body)["alerts"][0]["alert_id"] == 1
    assert headers["Content-Type"] == "application/json"
    assert headers[MESSAGE_HEADER] == message.message_id
    assert headers[SIGNATURE_HEADER] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_without_a_secret_there_is_no_signature(server: Receiver, message: AlertMessage) -> None:
    channel(server.url("/200")).send(message)
    assert SIGNATURE_HEADER not in server.requests[0][1]


def test_a_renewed_secret_is_used_at_once(server: Receiver, message: AlertMessage, secret_file: Path) -> None:
    hook = channel(server.url("/200"), secret_file=secret_file)
    secret_file.write_text("new")
    hook.send(message)
    [(_, headers, body)] = server.requests
    assert headers[SIGNATURE_HEADER] == "sha256=" + hmac.new(b"new", body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/500", "receiver 'hook' answered 500"),
        ("/404", "receiver 'hook' answered 404"),
        ("/302", "receiver 'hook' answered 302: redirects are not followed"),
        ("/drip", "receiver 'hook' did not answer within 0.4 s"),
        ("/hang", "receiver 'hook' did not answer within 0.4 s"),
    ],
)
def test_everything_but_2xx_is_a_failure_within_the_time_limit(
    path: str, sentence: str, server: Receiver, message: AlertMessage
) -> None:
    began_s = time.monotonic()
    with pytest.raises(DeliveryFailed) as failure:
        channel(server.url(path), timeout_s=0.4).send(message)
    assert str(failure.value) == sentence
    assert time.monotonic() - began_s < 3.0
    assert [path for path, _, _ in server.requests] == [path]


def test_an_endless_answer_is_not_read(server: Receiver, message: AlertMessage) -> None:
    channel(server.url("/flood"), timeout_s=5).send(message)


def test_a_host_that_is_not_there_is_a_failure(message: AlertMessage) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryFailed, match="receiver 'hook' cannot be reached"):
            channel(f"http://127.0.0.1:{taken.getsockname()[1]}/x").send(message)


def test_proxies_of_the_environment_are_not_used(
    server: Receiver, message: AlertMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    channel(server.url("/200")).send(message)
    assert len(server.requests) == 1


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[Receiver]:
    receiver = Receiver()
    context = make_certificate(tmp_path).server_context()
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True, do_handshake_on_connect=False)
    yield from serve(receiver)


def test_https_works_with_the_certificate_of_the_plant(
    tls_server: Receiver, message: AlertMessage, tmp_path: Path
) -> None:
    channel(tls_server.url("/200", "https"), ca_file=tmp_path / "localhost.crt").send(message)
    assert len(tls_server.requests) == 1


def test_a_certificate_nobody_vouches_for_is_refused(tls_server: Receiver, message: AlertMessage) -> None:
    with pytest.raises(DeliveryFailed, match="certificate verify failed"):
        channel(tls_server.url("/200", "https")).send(message)
    assert tls_server.requests == []


def test_a_certificate_of_another_host_is_refused(message: AlertMessage, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other.example")
    receiver = Receiver()
    receiver.socket = other.server_context().wrap_socket(
        receiver.socket, server_side=True, do_handshake_on_connect=False
    )
    for serving in serve(receiver):
        with pytest.raises(DeliveryFailed, match="certificate verify failed"):
            channel(serving.url("/200", "https", "localhost"), ca_file=other.certificate_file).send(message)
        assert serving.requests == []


@pytest.mark.parametrize("path", ["/200", "/500", "/302", "/hang"])
def test_neither_secret_nor_address_reaches_an_error_or_a_log(
    path: str,
    server: Receiver,
    message: AlertMessage,
    secret_file: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    address = tmp_path / "hook.url"
    address.write_text(server.url(f"{path}/T0KEN-IN-THE-PATH"))
    receiver = WebhookReceiver(
        name="hook", kind="webhook", url_file=address, secret_file=secret_file, timeout_s=0.4
    )
    said = ""
    try:
        WebhookChannel(receiver).send(message)
    except DeliveryFailed as error:
        said = "".join(traceback.format_exception(error))
    assert (path == "/200") == (said == "")
    assert server.requests[0][0].endswith("T0KEN-IN-THE-PATH")
    for text in (said, caplog.text, repr(caplog.records)):
        assert SECRET not in text
        assert "T0KEN" not in text
        assert "sha256=" not in text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "cannot be read: No such file", id="missing"),
        pytest.param("", "must hold one line", id="empty"),
        pytest.param("a\nb", "must hold one line", id="two lines"),
        pytest.param(b"\xff", "is not UTF-8 text", id="binary"),
    ],
)
def test_a_bad_secret_file_is_a_configuration_error(
    content: str | bytes | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError, match=sentence) as error:
        channel("https://plant.example/x", secret_file=file)
    assert "'hook'" in str(error.value)


def test_an_address_file_is_held_to_the_same_rules(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("http://plant.example/T0KEN")
    with pytest.raises(ConfigurationError, match="http is for this machine only") as error:
        WebhookChannel(WebhookReceiver(name="hook", kind="webhook", url_file=file))
    assert "T0KEN" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "cannot be read"), ("no certificate", "holds no certificate")]
)
def test_a_bad_certificate_file_is_a_configuration_error(
    content: str | None, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "ca.crt"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        channel("https://plant.example/x", ca_file=file)
