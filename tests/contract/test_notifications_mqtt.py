"""The MQTT channel against a real broker (amqtt), over TCP and TLS, with passwords, and against silence."""

import asyncio
import builtins
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from amqtt.broker import Broker
from amqtt.client import MQTTClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from services.adapters.notifications.mqtt import MqttChannel
from services.adapters.notifications.settings import MqttReceiver
from services.contracts.alert_messages import AlertMessage, render_message
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.domain.alerts import Message
from tests.fakes.alerts import alert
from tests.fakes.certificates import make_certificate

PASSWORD = "correct-horse-battery"
ANONYMOUS: Mapping[str, object] = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RunningBroker:
    """A broker in a thread of its own, and a subscriber of everything."""

    def __init__(self, listener: Mapping[str, object], plugins: Mapping[str, object], login: str) -> None:
        self.port = free_port()
        self.received: list[tuple[str, int, bytes]] = []
        self._listener = {"type": "tcp", "bind": f"127.0.0.1:{self.port}", **listener}
        self._inner_port = free_port()
        self._plugins = dict(plugins)
        self._login = login
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._run()))

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(20), "the broker did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)
        self._loop.close()

    async def _run(self) -> None:
        inner = {"type": "tcp", "bind": f"127.0.0.1:{self._inner_port}"}
        config = {"listeners": {"default": inner, "tested": self._listener}, "plugins": self._plugins}
        broker = Broker(config)
        await broker.start()
        listener = MQTTClient(config={"auto_reconnect": False})
        await listener.connect(f"mqtt://{self._login}127.0.0.1:{self._inner_port}/")
        await listener.subscribe([("#", 1)])
        self._ready.set()
        while not self._over.is_set():
            try:
                message = await listener.deliver_message(timeout_duration=0.1)
            except TimeoutError:
                continue
            if message is not None:
                self.received.append((message.topic, message.qos, bytes(message.data)))
        await listener.disconnect()
        await broker.shutdown()

    def wait_for(self, count: int) -> list[tuple[str, int, bytes]]:
        for _ in range(200):
            if len(self.received) >= count:
                break
            time.sleep(0.02)
        return self.received


@contextmanager
def broker(
    listener: Mapping[str, object] | None = None, plugins: Mapping[str, object] = ANONYMOUS, login: str = ""
) -> Iterator[RunningBroker]:
    running = RunningBroker(listener or {}, plugins, login)
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def message() -> AlertMessage:
    return render_message(Message("scada", (alert(1),), is_digest=False, attempts=0))


def receiver(port: int, **fields: object) -> MqttReceiver:
    values = {"name": "scada", "kind": "mqtt", "host": "127.0.0.1", "port": port, "tls": False, "timeout_s": 10}
    return MqttReceiver.model_validate({**values, **fields})


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "scada.secret"
    file.write_text(PASSWORD + "\n")
    return file


def test_a_message_is_published_with_quality_of_service_one(message: AlertMessage) -> None:
    with broker() as running:
        channel = MqttChannel(receiver(running.port, topic="plant/strip-1/alerts"))
        channel.send(message)
        channel.send(message)
        received = running.wait_for(2)
    assert [(topic, quality) for topic, quality, _ in received] == [("plant/strip-1/alerts", 1)] * 2
    assert json.loads(received[0][2])["alerts"][0]["alert_id"] == 1


# paho leaves the socket of a failed handshake to the garbage collector, which warns
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")
def test_tls_is_checked_against_the_authority_of_the_plant(message: AlertMessage, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    files = {"certfile": str(certificate.certificate_file), "keyfile": str(certificate.key_file)}
    with broker({"ssl": True, **files}) as running:
        MqttChannel(receiver(running.port, tls=True, ca_file=certificate.certificate_file)).send(message)
        assert len(running.wait_for(1)) == 1
        with pytest.raises(DeliveryFailed, match="certificate verify failed"):
            MqttChannel(receiver(running.port, tls=True)).send(message)
        assert len(running.received) == 1


def test_a_password_is_used_and_never_told(
    message: AlertMessage, tmp_path: Path, secret_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    users = tmp_path / "users"
    users.write_text(f"millsight:{PasswordHash((Argon2Hasher(),)).hash(PASSWORD)}\n")
    plugins = {"amqtt.plugins.authentication.FileAuthPlugin": {"password_file": str(users)}}
    with broker(plugins=plugins, login=f"millsight:{PASSWORD}@") as running:
        channel = MqttChannel(receiver(running.port, username="millsight", secret_file=secret_file))
        channel.send(message)
        assert len(running.wait_for(1)) == 1
        caplog.clear()
        caplog.set_level(logging.DEBUG, "services")
        secret_file.write_text("wrong-horse")
        with pytest.raises(DeliveryFailed, match=r"the broker refused: (Not authorized|Bad user)") as failure:
            channel.send(message)
        assert "wrong-horse" not in "".join(traceback.format_exception(failure.value)) + caplog.text
        assert len(running.received) == 1


def test_a_broker_that_is_away_is_a_failure(message: AlertMessage) -> None:
    with pytest.raises(DeliveryFailed, match="the broker cannot be reached: Connection refused"):
        MqttChannel(receiver(free_port())).send(message)


CONNACK, NOTHING = b"\x20\x02\x00\x00", b""


@pytest.mark.parametrize(
    "answers", [pytest.param(NOTHING, id="to the greeting"), pytest.param(CONNACK, id="to the message")]
)
def test_a_broker_that_does_not_answer_is_left_in_time(answers: bytes, message: AlertMessage) -> None:
    """Without an acknowledgement of the message it does not count as sent."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answers)
            over.wait(20)

    thread = threading.Thread(target=answer)
    thread.start()
    began_s = time.monotonic()
    try:
        with pytest.raises(DeliveryFailed, match=r"the broker did not answer within 0\.5 s"):
            MqttChannel(receiver(listener.getsockname()[1], timeout_s=0.5)).send(message)
    finally:
        over.set()
        thread.join()
        listener.close()
    assert time.monotonic() - began_s < 5.0


def test_a_broker_that_hangs_up_is_a_failure_at_once(message: AlertMessage) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(CONNACK)
            connection.recv(4096)

    thread = threading.Thread(target=answer)
    thread.start()
    began_s = time.monotonic()
    with pytest.raises(DeliveryFailed, match="receiver 'scada'"):
        MqttChannel(receiver(listener.getsockname()[1], timeout_s=20)).send(message)
    thread.join()
    listener.close()
    assert time.monotonic() - began_s < 5.0


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_paho(name: str, *rest: Any) -> object:
        if name.startswith("paho"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_paho)
    with pytest.raises(ConfigurationError, match=r"pip install 'millsight\[mqtt\]'"):
        MqttChannel(receiver(1883))
