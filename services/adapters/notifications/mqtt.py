"""Alerts by MQTT 3.1.1: the JSON document to a topic with QoS 1; sent when the broker has acknowledged it."""

import ssl
from threading import Event
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from services.adapters.notifications.secret_file import read_secret, tls_context
from services.adapters.notifications.settings import MqttReceiver
from services.contracts.alert_messages import AlertChannel, AlertMessage, one_line
from services.contracts.errors import ConfigurationError, DeliveryFailed
from services.runtime.deadline import Deadline

if TYPE_CHECKING:
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode


class MqttChannel(AlertChannel):
    """Publishes to one topic; a connection lasts for one message."""

    def __init__(self, receiver: MqttReceiver) -> None:
        """Check the extra and the files.

        Raises:
            ConfigurationError: The extra `mqtt` is not installed, or a file cannot be read.
        """
        self._receiver = receiver
        self._tls = tls_context(receiver.name, receiver.ca_file) if receiver.tls else None
        self._client()

    @override
    def send(self, message: AlertMessage) -> None:
        problem = self._publish(message)
        if problem is not None:
            raise DeliveryFailed(f"receiver {self._receiver.name!r}: {problem}")

    def _publish(self, message: AlertMessage) -> str | None:
        """Publish, and return what went wrong, or None.

        An exception would keep the library's client alive with its traceback, and with it open sockets.
        """
        deadline, session = Deadline.after(self._receiver.timeout_s), _Session(self._client())
        try:
            session.open(self._receiver, deadline)
            session.publish(self._receiver.topic, message.body, deadline)
        except TimeoutError:
            return f"the broker did not answer within {self._receiver.timeout_s:g} s"
        except ssl.SSLError as error:
            return one_line(str(error))
        except OSError as error:
            return f"the broker cannot be reached: {one_line(error.strerror or str(error))}"
        except _Refused as error:
            return f"the broker refused: {error}"
        finally:
            session.close()
        return None

    def _client(self) -> "Client":
        receiver = self._receiver
        try:
            from paho.mqtt.client import Client, MQTTv311
            from paho.mqtt.enums import CallbackAPIVersion
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"receiver {receiver.name!r} is of kind mqtt: install the extra with pip install 'millsight[mqtt]'"
            ) from error
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"millsight-{receiver.name}",
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        if receiver.username is not None and receiver.secret_file is not None:
            client.username_pw_set(receiver.username, read_secret(receiver.name, receiver.secret_file))
        if self._tls is not None:
            client.tls_set_context(self._tls)
        return client


class _Refused(Exception):
    """The broker answered, but did not take it."""


class _Session:
    """One connection, from CONNECT to DISCONNECT; used once."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._answered = Event()
        self._refusal: str | None = None
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect

    def open(self, receiver: MqttReceiver, deadline: Deadline) -> None:
        """Connect. Raises `OSError`, `TimeoutError`, `_Refused`."""
        self._client.connect_timeout = deadline.remaining_s or 0.001
        port = receiver.port or (8883 if receiver.tls else 1883)
        self._client.connect(receiver.host, port, keepalive=max(1, round(receiver.timeout_s)))
        self._client.loop_start()
        if not self._answered.wait(deadline.remaining_s):
            raise TimeoutError
        self._check()

    def publish(self, topic: str, payload: bytes, deadline: Deadline) -> None:
        """Publish and wait for the acknowledgement. Raises `TimeoutError`, `_Refused`."""
        receipt = self._client.publish(topic, payload, qos=1)
        try:
            while not receipt.is_published():
                self._check()
                if deadline.expired:
                    raise TimeoutError
                receipt.wait_for_publish(0.1)
        except RuntimeError as error:  # what the library raises when the connection was lost meanwhile
            raise _Refused(one_line(str(error))) from None

    def close(self) -> None:
        """Say goodbye; the connection's thread ends, and the client closes its sockets as it goes."""
        self._client.disconnect()
        self._client.loop_stop()
        del self._client

    def _check(self) -> None:
        if self._refusal is not None:
            raise _Refused(self._refusal)

    def _on_connect(
        self,
        _client: "Client",
        _userdata: Any,  # noqa: ANN401 - the library's own signature
        _flags: "ConnectFlags",
        reason: "ReasonCode",
        _properties: "Properties | None",
    ) -> None:
        if reason.is_failure:
            self._refusal = one_line(str(reason))
        self._answered.set()

    def _on_disconnect(
        self,
        _client: "Client",
        _userdata: Any,  # noqa: ANN401 - the library's own signature
        _flags: "DisconnectFlags",
        reason: "ReasonCode",
        _properties: "Properties | None",
    ) -> None:
        if self._refusal is None:
            self._refusal = f"it closed the connection ({one_line(str(reason))})"
        self._answered.set()
