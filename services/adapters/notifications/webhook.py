"""Alerts by webhook: one POST of the JSON document, signed; 2xx is success and nothing else is."""

import asyncio
import hashlib
import hmac
from typing import Final

import httpx
from typing_extensions import override

from services.adapters.notifications.secret_file import read_secret, tls_context
from services.adapters.notifications.settings import WebhookReceiver, check_web_address
from services.contracts.alert_messages import AlertChannel, AlertMessage, one_line
from services.contracts.errors import ConfigurationError, DeliveryFailed

SIGNATURE_HEADER: Final = "X-Millsight-Signature"
"""`sha256=` and the hex HMAC-SHA256 of the body under the shared secret."""

MESSAGE_HEADER: Final = "X-Millsight-Message"
"""The message's id, the same when it is sent again."""


class WebhookChannel(AlertChannel):
    """Posts to one address.

    The bare transport is used: no redirects, no cookies, no proxies or passwords from the environment, no request
    in any log. The answer's body is not read.
    """

    def __init__(self, receiver: WebhookReceiver) -> None:
        """Check the files.

        Raises:
            ConfigurationError: A file cannot be read, or holds no address.
        """
        self._receiver = receiver
        self._tls = tls_context(receiver.name, receiver.ca_file)
        self._address()
        self._signature(b"")

    @override
    def send(self, message: AlertMessage) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Millsight",
            MESSAGE_HEADER: message.message_id,
            **self._signature(message.body),
        }
        status = asyncio.run(
            self._post(httpx.Request("POST", self._address(), headers=headers, content=message.body))
        )
        if httpx.codes.is_redirect(status):
            raise DeliveryFailed(f"receiver {self._receiver.name!r} answered {status}: redirects are not followed")
        if not httpx.codes.is_success(status):
            raise DeliveryFailed(f"receiver {self._receiver.name!r} answered {status}")

    async def _post(self, request: httpx.Request) -> int:
        """Return the status of the answer; the time limit covers everything from the look-up of the name on."""
        name = self._receiver.name
        try:
            async with (
                asyncio.timeout(self._receiver.timeout_s),
                httpx.AsyncHTTPTransport(verify=self._tls) as transport,
            ):
                response = await transport.handle_async_request(request)
                await response.aclose()
        except TimeoutError:
            limit_s = self._receiver.timeout_s
            raise DeliveryFailed(f"receiver {name!r} did not answer within {limit_s:g} s") from None
        except httpx.ConnectError as error:
            raise DeliveryFailed(f"receiver {name!r} cannot be reached: {one_line(str(error))}") from None
        except httpx.TransportError as error:
            raise DeliveryFailed(f"receiver {name!r} broke off: {type(error).__name__}") from None
        return response.status_code

    def _address(self) -> httpx.URL:
        receiver = self._receiver
        address = receiver.url if receiver.url_file is None else read_secret(receiver.name, receiver.url_file)
        try:
            check_web_address(address or "", allow_plain=receiver.allow_plain)
            return httpx.URL(address or "")
        except (ValueError, httpx.InvalidURL) as error:
            field = "url" if receiver.url_file is None else f"url_file {receiver.url_file}"
            raise ConfigurationError(f"receiver {receiver.name!r}, {field}: {error}") from None

    def _signature(self, body: bytes) -> dict[str, str]:
        if self._receiver.secret_file is None:
            return {}
        secret = read_secret(self._receiver.name, self._receiver.secret_file)
        return {SIGNATURE_HEADER: f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}
