"""The e-mail channel against a real SMTP server: with and without TLS, with passwords, and misbehaving."""

import email
import email.policy
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from services.adapters.notifications.email import EmailChannel
from services.adapters.notifications.settings import EmailReceiver
from services.contracts.alert_messages import AlertMessage, render_message
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.domain.alerts import Message
from tests.fakes.alerts import MovableClock, alert
from tests.fakes.certificates import Certificate, make_certificate

PASSWORD = "correct-horse-battery"
HEADERS = {"Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"} | {
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}


class Mailbox:
    """Keeps mails; refuses addresses that begin with `nobody`."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.users: list[str] = []
        self.encrypted: list[bool] = []

    async def handle_RCPT(  # noqa: N802 - the server's name for the hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server's name for the hook
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, kind: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        if data.password.decode() != PASSWORD:
            return AuthResult(success=False, handled=False)
        self.users.append(data.login.decode())
        return AuthResult(success=True)


def read(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def message() -> AlertMessage:
    return rendered("Rolled pits at the skin pass mill")


def rendered(subject: str, text: str = "Grüße") -> AlertMessage:
    return render_message(Message("mail", (alert(1, subject=subject, text=text),), is_digest=False, attempts=0))


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "mail.secret"
    file.write_text(PASSWORD + "\n")
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


def receiver(port: int, **fields: Any) -> EmailReceiver:
    values: dict[str, Any] = {
        "name": "mail",
        "kind": "email",
        "host": "127.0.0.1",
        "port": port,
        "security": "plain",
        "sender": "millsight@plant.example",
        "to": ("shift@plant.example",),
        "timeout_s": 10,
        **fields,
    }
    return EmailReceiver.model_validate(values)


def send(port: int, message: AlertMessage, **fields: Any) -> None:
    EmailChannel(receiver(port, **fields), MovableClock()).send(message)


def test_a_mail_says_what_the_message_says(message: AlertMessage) -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port:
        send(port, message, to=("shift@plant.example", "boss@plant.example"))
    mail = read(mailbox.envelopes[0])
    assert mail["Subject"] == "[plan this shift] Rolled pits at the skin pass mill"
    assert (mail["From"], mail["To"]) == ("millsight@plant.example", "shift@plant.example, boss@plant.example")
    assert mail["Date"] == "Mon, 02 Mar 2026 06:00:00 +0000"
    assert mail["Message-ID"] == f"<{message.message_id}@plant.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().replace("\r\n", "\n") == message.text
    assert "Grüße" in message.text
    assert mailbox.envelopes[0].rcpt_tos == ["shift@plant.example", "boss@plant.example"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # the server cannot know of outer TLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_user_and_password_travel_encrypted(
    security: str, message: AlertMessage, secret_file: Path, certificate: Certificate
) -> None:
    mailbox = Mailbox()
    context = certificate.server_context()
    options = (
        {"tls_context": context, "require_starttls": True} if security == "starttls" else {"ssl_context": context}
    )
    with serving(
        mailbox,
        authenticator=mailbox.authenticate,
        auth_required=True,
        auth_require_tls=security == "starttls",
        **options,
    ) as port:
        send(
            port,
            message,
            security=security,
            username="millsight",
            secret_file=secret_file,
            ca_file=certificate.certificate_file,
        )
    assert (mailbox.users, mailbox.encrypted, len(mailbox.envelopes)) == (["millsight"], [True], 1)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_is_refused(
    security: str, message: AlertMessage, certificate: Certificate
) -> None:
    mailbox = Mailbox()
    context = certificate.server_context()
    options = {"tls_context": context} if security == "starttls" else {"ssl_context": context}
    with serving(mailbox, **options) as port, pytest.raises(DeliveryFailed, match="certificate verify failed"):
        send(port, message, security=security)
    assert mailbox.envelopes == []


def test_a_server_without_starttls_gets_nothing(message: AlertMessage) -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port, pytest.raises(DeliveryFailed, match="STARTTLS extension not supported"):
        send(port, message, security="starttls")
    assert mailbox.envelopes == []


def test_a_wrong_password_is_said_without_the_password(
    message: AlertMessage, secret_file: Path, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "services")
    secret_file.write_text("wrong-horse")
    mailbox = Mailbox()
    options = {
        "authenticator": mailbox.authenticate,
        "auth_required": True,
        "tls_context": certificate.server_context(),
    }
    with serving(mailbox, **options) as port, pytest.raises(DeliveryFailed) as failure:
        send(
            port,
            message,
            security="starttls",
            username="millsight",
            secret_file=secret_file,
            ca_file=certificate.certificate_file,
        )
    assert str(failure.value) == "receiver 'mail': the mail server refused user name or password"
    assert "wrong-horse" not in "".join(traceback.format_exception(failure.value)) + caplog.text
    assert mailbox.envelopes == []


def test_refused_addresses_fail_only_when_all_are_refused(
    message: AlertMessage, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port:
        send(port, message, to=("nobody@plant.example", "shift@plant.example"))
        with pytest.raises(DeliveryFailed, match="refused all addresses"):
            send(port, message, to=("nobody@plant.example",))
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [["shift@plant.example"]]
    assert [record.message for record in caplog.records if record.name.startswith("services")] == [
        "the mail server refused some addresses"
    ]


@pytest.mark.parametrize(
    "evil",
    [
        "x\r\nBcc: thief@evil.example",
        "x\nBcc: thief@evil.example",
        "x\rBcc: thief@evil.example",
        "x\u2028Bcc: t@e.x",
    ],
    ids=["crlf", "lf", "cr", "line-separator"],
)
def test_a_subject_from_the_database_cannot_add_a_header_or_an_address(evil: str) -> None:
    mailbox = Mailbox()
    message = rendered(evil, text=f"{evil}\r\n.\r\nMAIL FROM:<thief@evil.example>")
    with serving(mailbox) as port:
        send(port, message)
        send(port, AlertMessage("1" * 32, evil, evil, b"{}"))
    assert len(mailbox.envelopes) == 2
    for envelope in mailbox.envelopes:
        assert envelope.rcpt_tos == ["shift@plant.example"]
        mail = read(envelope)
        assert mail["Subject"].replace("\u2028", " ").split("Bcc:")[0].rstrip().endswith("x")
        assert set(mail) == HEADERS


@contextmanager
def misbehaving(greeting: bytes, every_s: float) -> Iterator[int]:
    """A server that sends the greeting byte by byte, and then nothing."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            for byte in greeting:
                if over.wait(every_s):
                    return
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
            over.wait(20)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listener.close()


@pytest.mark.parametrize(
    ("greeting", "every_s"),
    [
        pytest.param(b"", 0.0, id="hangs before the greeting"),
        pytest.param(b"220 hello\r\n", 0.0, id="hangs after the greeting"),
        pytest.param(b"220-hello\r\n" * 99, 0.05, id="a byte at a time"),
    ],
)
def test_a_server_that_hangs_is_left_in_time(greeting: bytes, every_s: float, message: AlertMessage) -> None:
    began_s = time.monotonic()
    with misbehaving(greeting, every_s) as port, pytest.raises(DeliveryFailed) as failure:
        send(port, message, timeout_s=0.5)
    assert str(failure.value) == "receiver 'mail': the mail server did not finish within 0.5 s"
    assert time.monotonic() - began_s < 3.0


def test_a_server_that_is_busy_or_away_is_a_failure(message: AlertMessage) -> None:
    with misbehaving(b"421 too busy\r\n", 0.0) as port, pytest.raises(DeliveryFailed, match="answered 421"):
        send(port, message, timeout_s=5)
    with pytest.raises(DeliveryFailed, match=r"receiver 'mail': .*refused"):
        send(free_port(), message)


def test_a_password_that_smtp_cannot_carry_is_a_configuration_error(secret_file: Path) -> None:
    secret_file.write_text("pässword")
    with pytest.raises(ConfigurationError, match="must be ASCII") as error:
        EmailChannel(receiver(25, username="millsight", secret_file=secret_file))
    assert "pässword" not in str(error.value)
