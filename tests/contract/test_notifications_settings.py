"""The alert file: what it may say, and that a mistake is answered with receiver and field, never with a value."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from services.adapters.notifications.email import EmailChannel
from services.adapters.notifications.mqtt import MqttChannel
from services.adapters.notifications.opening import open_receivers
from services.adapters.notifications.settings import (
    EmailReceiver,
    MqttReceiver,
    WebhookReceiver,
    is_loopback,
    load_receivers,
)
from services.adapters.notifications.webhook import WebhookChannel
from services.contracts.errors import ConfigurationError
from services.domain.alerts import AlertKind, ReceiverPolicy

HOOK = {"name": "hook", "kind": "webhook", "url": "https://plant.example/x"}
MAIL = {"name": "mail", "kind": "email", "host": "mail.example", "sender": "a@b.example", "to": ["c@d.example"]}
MQTT = {"name": "scada", "kind": "mqtt", "host": "broker.example"}
LOGIN = {"username": "u", "secret_file": "s"}


def write(folder: Path, *receivers: Mapping[str, object]) -> Path:
    file = folder / "alerts.yaml"
    file.write_text(yaml.safe_dump({"receivers": [dict(receiver) for receiver in receivers]}))
    return file


def test_the_example_is_valid_and_opens(project_root: Path, tmp_path: Path) -> None:
    example = project_root / "deploy" / "alerts.example.yaml"
    assert [receiver.kind for receiver in load_receivers(example)] == ["webhook", "email", "email", "mqtt"]
    copy = tmp_path / "alerts.yaml"
    copy.write_text(example.read_text())
    (tmp_path / "secrets").mkdir()
    for name in ("maintenance", "mail", "mqtt"):
        (tmp_path / "secrets" / f"alerts-{name}.secret").write_text("secret")
    opened = open_receivers(copy)
    assert [type(channel) for _, channel in opened] == [WebhookChannel, EmailChannel, EmailChannel, MqttChannel]
    assert opened[2][0] == ReceiverPolicy("manager-digest", cooldown_s=1800, digest_every_s=28800)


def test_the_document_shows_a_valid_file_and_names_every_key_and_kind(project_root: Path, tmp_path: Path) -> None:
    text = (project_root / "docs" / "alerts.md").read_text()
    file = tmp_path / "alerts.yaml"
    file.write_text(re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)[0])
    assert [receiver.kind for receiver in load_receivers(file)] == ["webhook", "email", "mqtt"]
    keys = {name for kind in (WebhookReceiver, EmailReceiver, MqttReceiver) for name in kind.model_fields}
    assert {name for name in keys | set(AlertKind) if f"`{name}`" not in text} == set()


def test_a_policy_says_what_the_file_says(tmp_path: Path) -> None:
    asked = {"min_severity": 3, "kinds": ["flag_raised"], "cooldown_s": 60, "give_up_after_s": 200000}
    [receiver] = load_receivers(write(tmp_path, {**HOOK, **asked}))
    assert receiver.policy() == ReceiverPolicy(
        "hook", frozenset({AlertKind.FLAG_RAISED}), 3, cooldown_s=60, digest_every_s=None, give_up_after_s=200000
    )


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    files = {"secret_file": "s/hook", "ca_file": "/etc/ca.crt"}
    [receiver] = load_receivers(write(tmp_path, {**HOOK, **files}))
    assert receiver.secret_file == tmp_path / "s" / "hook"
    assert receiver.ca_file == Path("/etc/ca.crt")


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        pytest.param({"name": "x"}, "receiver 'x': .*kind", id="no kind"),
        pytest.param({**HOOK, "kind": "sms"}, "receiver 'hook'.*kind", id="unknown kind"),
        pytest.param({"kind": "webhook", "url": "https://a"}, "receiver number 1, name: ", id="no name"),
        pytest.param({**HOOK, "cooldown": 5}, "receiver 'hook', cooldown: Extra", id="unknown key"),
        pytest.param({**HOOK, "min_severity": 5}, "receiver 'hook', min_severity: ", id="severity"),
        pytest.param({**HOOK, "kinds": ["flag_rised"]}, r"receiver 'hook', kinds\.0: ", id="unknown alert kind"),
        pytest.param({**HOOK, "digest_every_s": 5}, "receiver 'hook', digest_every_s: ", id="digest too often"),
        pytest.param({**HOOK, "url": "ftp://plant.example"}, "'hook': .*begin with https", id="scheme"),
        pytest.param({**HOOK, "url": "https:///x"}, "'hook': .*and a host", id="no host"),
        pytest.param({**HOOK, "url": "https://a.example/ x"}, "'hook': .*blanks", id="blank"),
        pytest.param(
            {**HOOK, "url": "http://plant.example/x"}, "'hook': http is for this machine", id="plain http"
        ),
        pytest.param({**HOOK, "url": "https://u:hunter2@a.example"}, "'hook': .*user or password", id="userinfo"),
        pytest.param({**HOOK, "url_file": "u"}, "'hook': give either url or url_file", id="two addresses"),
        pytest.param({"name": "hook", "kind": "webhook"}, "'hook': give either url or url_file", id="no address"),
        pytest.param({**MAIL, "to": []}, "receiver 'mail', to: ", id="nobody"),
        pytest.param({**MAIL, "to": ["a@b\r\nBcc: x@y"]}, r"receiver 'mail', to\.0: ", id="address with line end"),
        pytest.param({**MAIL, "sender": "a b@c"}, "receiver 'mail', sender: ", id="sender"),
        pytest.param({**MAIL, "host": "mail example"}, "receiver 'mail', host: ", id="host"),
        pytest.param({**MAIL, "port": 0}, "receiver 'mail', port: ", id="port"),
        pytest.param({**MAIL, "username": "u"}, "'mail': username and secret_file go together", id="no password"),
        pytest.param({**MAIL, "secret_file": "u"}, "'mail': username and secret_file go together", id="no user"),
        pytest.param({**MAIL, "security": "plain"}, "'mail': security plain is for this machine", id="plain mail"),
        pytest.param(
            {**MAIL, "security": "plain", "allow_plain": True, **LOGIN},
            "'mail': a password does not travel unencrypted",
            id="password over plain mail",
        ),
        pytest.param({**MQTT, "tls": False}, "'scada': tls: false is for this machine", id="plain mqtt"),
        pytest.param({**MQTT, "topic": "plant/#"}, "receiver 'scada', topic: ", id="wildcard"),
        pytest.param({**MQTT, "username": "u"}, "'scada': username and secret_file go together", id="mqtt login"),
    ],
)
def test_a_mistake_names_the_receiver_and_the_field(
    entry: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=sentence) as error:
        load_receivers(write(tmp_path, entry))
    assert str(tmp_path / "alerts.yaml") in str(error.value)
    assert "hunter2" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "entry",
    [
        {**HOOK, "url": "http://127.0.0.1:8080/x"},
        {**HOOK, "url": "http://[::1]/x"},
        {**HOOK, "url": "http://localhost/x"},
        {**HOOK, "url": "http://plant.example/x", "allow_plain": True},
        {**MAIL, "host": "localhost", "security": "plain", **LOGIN},
        {**MAIL, "security": "plain", "allow_plain": True},
        {**MQTT, "tls": False, "allow_plain": True},
    ],
    ids=["loopback", "ipv6", "localhost", "allowed", "mail on loopback", "allowed mail", "allowed mqtt"],
)
def test_plain_connections_are_for_this_machine_or_on_demand(entry: dict[str, object], tmp_path: Path) -> None:
    assert len(load_receivers(write(tmp_path, entry))) == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        pytest.param(None, "cannot be read: No such file", id="missing"),
        pytest.param(b"\xff\xfe", "is not UTF-8", id="binary"),
        pytest.param(b"receivers: [", "is not valid YAML in line 1", id="no YAML"),
        pytest.param(b"", "must begin with receivers:", id="empty"),
        pytest.param(b"receivers: []", "receivers: ", id="no receiver"),
        pytest.param(b"receiver: []", "receivers: Field required", id="misspelt"),
        pytest.param(b"receivers: [a]", r"receivers\.0: ", id="no mapping"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=sentence):
        load_receivers(file)


def test_names_differ(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="receiver 'hook' is listed twice"):
        load_receivers(write(tmp_path, HOOK, HOOK))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("localhost.evil.example", False)],
)
def test_loopback_is_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
