"""From the alert file to open channels."""

from pathlib import Path

from services.adapters.notifications.email import EmailChannel
from services.adapters.notifications.mqtt import MqttChannel
from services.adapters.notifications.settings import (
    EmailReceiver,
    MqttReceiver,
    WebhookReceiver,
    load_receivers,
)
from services.adapters.notifications.webhook import WebhookChannel
from services.contracts.alert_messages import AlertChannel
from services.domain.alerts import ReceiverPolicy


def open_receivers(file: Path) -> list[tuple[ReceiverPolicy, AlertChannel]]:
    """Return the policy and the channel of every receiver in an alert file; nothing is sent yet.

    Raises:
        ConfigurationError: The file breaks a rule, a secret cannot be read, or an extra is missing.
    """
    return [(receiver.policy(), _channel(receiver)) for receiver in load_receivers(file)]


def _channel(receiver: WebhookReceiver | EmailReceiver | MqttReceiver) -> AlertChannel:
    if isinstance(receiver, WebhookReceiver):
        return WebhookChannel(receiver)
    if isinstance(receiver, EmailReceiver):
        return EmailChannel(receiver)
    return MqttChannel(receiver)
