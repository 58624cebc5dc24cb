"""Alerts by e-mail: one message to the addresses of a receiver over SMTP."""

import logging
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from threading import Timer
from typing import Final

from typing_extensions import override

from services.adapters.notifications.secret_file import read_secret, tls_context
from services.adapters.notifications.settings import EmailReceiver
from services.contracts.alert_messages import AlertChannel, AlertMessage, one_line
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.runtime.clock import Clock, utc_now

_PORTS: Final = {"starttls": 587, "tls": 465, "plain": 25}

logger = logging.getLogger(__name__)


class EmailChannel(AlertChannel):
    """Writes to the addresses of one receiver.

    The mail counts as sent when the server took it for at least one of them; how many it refused is logged.
    """

    def __init__(self, receiver: EmailReceiver, clock: Clock = utc_now) -> None:
        """Check the files.

        Raises:
            ConfigurationError: A file cannot be read, or user name or password are not ASCII.
        """
        self._receiver = receiver
        self._clock = clock
        self._tls = tls_context(receiver.name, receiver.ca_file)
        self._login()

    @override
    def send(self, message: AlertMessage) -> None:
        mail, login = self._mail(message), self._login()
        with self._explained() as cut_off:
            refused = self._hand_over(cut_off, mail, login)
        if refused:
            logger.warning(
                "the mail server refused some addresses",
                extra={"receiver": self._receiver.name, "refused": refused},
            )

    def _hand_over(self, cut_off: "_CutOff", mail: EmailMessage, login: tuple[str, str] | None) -> int:
        """Send, and return how many addresses were refused while others were taken."""
        receiver = self._receiver
        client = (
            _TlsClient(receiver, cut_off, self._tls) if receiver.security == "tls" else _Client(receiver, cut_off)
        )
        try:
            if receiver.security == "starttls":
                client.starttls(context=self._tls)
            if login is not None:
                client.login(*login)
            refused = client.send_message(mail, receiver.sender, receiver.to)
            with suppress(
                smtplib.SMTPException, OSError
            ):  # the server has taken the mail: a bad farewell is no failure
                client.quit()
            return len(refused)
        finally:
            client.close()

    @contextmanager
    def _explained(self) -> Iterator["_CutOff"]:
        """Bound the time, and turn every failure into one sentence without the server's own words."""
        who = f"receiver {self._receiver.name!r}"
        cut_off = _CutOff(self._receiver.timeout_s)
        try:
            yield cut_off
        except smtplib.SMTPAuthenticationError:
            raise DeliveryFailed(f"{who}: the mail server refused user name or password") from None
        except smtplib.SMTPRecipientsRefused:
            raise DeliveryFailed(f"{who}: the mail server refused all addresses") from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"{who}: the mail server answered {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            if cut_off.happened or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
                limit_s = self._receiver.timeout_s
                raise DeliveryFailed(f"{who}: the mail server did not finish within {limit_s:g} s") from None
            raise DeliveryFailed(f"{who}: {one_line(str(error)) or type(error).__name__}") from None
        finally:
            cut_off.cancel()

    def _mail(self, message: AlertMessage) -> EmailMessage:
        """Write the mail; line ends in the subject would be refused here, and never come this far."""
        receiver = self._receiver
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["Subject"] = one_line(message.subject, most=200)
        mail["From"] = receiver.sender
        mail["To"] = ", ".join(receiver.to)
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = f"<{message.message_id}@{_domain(receiver)}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail

    def _login(self) -> tuple[str, str] | None:
        receiver = self._receiver
        if receiver.username is None or receiver.secret_file is None:
            return None
        password = read_secret(receiver.name, receiver.secret_file)
        if not (receiver.username.isascii() and password.isascii()):
            raise ConfigurationError(
                f"receiver {receiver.name!r}: user name and password of a mailbox must be ASCII"
            )
        return receiver.username, password


class _CutOff:
    """Closes a connection when its time is over, also under a server that answers one byte at a time."""

    def __init__(self, limit_s: float) -> None:
        self.happened = False
        self._client: smtplib.SMTP | None = None
        self._timer = Timer(limit_s, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, client: smtplib.SMTP) -> None:
        self._client = client

    def cancel(self) -> None:
        self._timer.cancel()

    def _fire(self) -> None:
        self.happened = True
        connection = None if self._client is None else self._client.sock
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Client(smtplib.SMTP):
    """A connection that is watched from before it exists; greets with the sender's domain."""

    def __init__(self, receiver: EmailReceiver, cut_off: _CutOff) -> None:
        cut_off.watch(self)
        super().__init__(
            receiver.host,
            receiver.port or _PORTS[receiver.security],
            local_hostname=_domain(receiver),
            timeout=receiver.timeout_s,
        )


class _TlsClient(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, receiver: EmailReceiver, cut_off: _CutOff, tls: ssl.SSLContext) -> None:
        cut_off.watch(self)
        super().__init__(
            receiver.host,
            receiver.port or _PORTS[receiver.security],
            local_hostname=_domain(receiver),
            timeout=receiver.timeout_s,
            context=tls,
        )


def _domain(receiver: EmailReceiver) -> str:
    return receiver.sender.partition("@")[2]
