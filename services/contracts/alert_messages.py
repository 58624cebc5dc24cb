"""Alerts as they leave the house: a subject, plain text and a JSON document; and the channel that takes them.

What stands in the database is not trusted: control characters never reach a subject, and a link leads to http(s).
"""

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from services.domain.alerts import Alert, Cause, Message

SCHEMA: Final = "millsight.alert.v1"
"""Value of `schema` in the JSON document."""

SEVERITY_WORDS: Final = {1: "watch", 2: "inspect", 3: "plan this shift", 4: "act now"}
"""What the severities ask of people."""

_SUBJECT_CHARACTERS: Final = 180
_TEXT_CHARACTERS: Final = 4000
_DETAILS_BYTES: Final = 8192
_WEB_LINK: Final = re.compile(r"https?://[\x21-\x7e]{1,1000}")


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """A message ready to send.

    Attributes:
        message_id: 32 hex digits; the same for the same alerts to the same receiver, so that it can tell repeats.
        subject: One printable line of at most 200 characters.
        text: Plain text, each line ended by a line feed.
        body: The JSON document, ASCII.
    """

    message_id: str
    subject: str
    text: str
    body: bytes


class AlertChannel(Protocol):
    """A way to one receiver; used by one thread."""

    def send(self, message: AlertMessage) -> None:
        """Hand a message over and return when the receiver has taken it; bounded in time.

        Raises:
            DeliveryFailed: It did not take it; the sentence names the receiver and holds no secret.
            ConfigurationError: It cannot work before somebody changes settings or files.
        """
        ...


def render_message(message: Message) -> AlertMessage:
    """Write a message out.

    The subject is the first alert's, with the highest severity in words and how many more travel along; a digest
    of several alerts counts them by severity.
    """
    subject = _subject(message)
    text = _digest_text(message) if message.is_digest else _cause_text(message)
    identity = f"{message.receiver}\n{','.join(map(str, message.alert_ids))}"
    message_id = hashlib.sha256(identity.encode()).hexdigest()[:32]
    document = {
        "schema": SCHEMA,
        "message_id": message_id,
        "receiver": message.receiver,
        "digest": message.is_digest,
        "severity": message.severity,
        "subject": subject,
        "text": text,
        "alerts": [_document(alert) for alert in message.alerts],
    }
    return AlertMessage(message_id, subject, text, json.dumps(document, allow_nan=False).encode("ascii"))


def one_line(text: str, most: int = _SUBJECT_CHARACTERS) -> str:
    """Return text as one printable line: controls, line ends, direction marks and surrogates become spaces."""
    printable = "".join(" " if _is_unprintable(character) else character for character in text[: 4 * most])
    line = " ".join(printable.split())
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."


def place(cause: Cause) -> str:
    """Say where something is, in plant words: `line strip-1, machine skinpass-1`."""
    parts = [f"line {one_line(cause.line_id)}"]
    if cause.camera_id is not None:
        parts.append(f"camera {one_line(cause.camera_id)}")
    elif len(cause.machines) == 1:
        parts.append(f"machine {one_line(cause.machines[0])}")
    elif cause.machines:
        names = " or ".join(one_line(machine) for machine in cause.machines)
        parts.append(f"machine {names} (no camera stands between them)")
    if cause.defect_class is not None:
        parts.append(f"defect {one_line(cause.defect_class)}")
    return ", ".join(parts)


def _subject(message: Message) -> str:
    word = SEVERITY_WORDS[message.severity]
    count = len(message.alerts)
    if message.is_digest and count > 1:
        by_severity = [sum(each.severity == level for each in message.alerts) for level in (4, 3, 2, 1)]
        words = [
            f"{number} {SEVERITY_WORDS[level]}"
            for level, number in zip((4, 3, 2, 1), by_severity, strict=True)
            if number
        ]
        return f"[{word}] {count} alerts: {', '.join(words)}"
    more = f" and {count - 1} more" if count > 1 else ""
    return f"[{word}] {one_line(message.alerts[0].subject, _SUBJECT_CHARACTERS - len(word) - len(more))}{more}"


def _cause_text(message: Message) -> str:
    first, rest = message.alerts[0], message.alerts[1:]
    lines = [*_paragraph(first)]
    if rest:
        oldest = min(alert.created_at for alert in rest)
        lines += ["", f"And {len(rest)} more since {_minute(oldest)}:"]
        lines += [
            f"- {_minute(alert.created_at)}, {SEVERITY_WORDS[alert.severity]}, {_kind(alert)}:"
            f" {one_line(alert.subject)}"
            for alert in rest
        ]
    return "\n".join(lines) + "\n"


def _digest_text(message: Message) -> str:
    paragraphs = ["\n".join(_paragraph(alert)) for alert in message.alerts]
    return "\n\n".join(paragraphs) + "\n"


def _paragraph(alert: Alert) -> list[str]:
    lines = [
        f"{SEVERITY_WORDS[alert.severity].upper()}: {one_line(alert.subject)}",
        f"{_kind(alert)} {_minute(alert.created_at)}, {place(alert.cause)}",
        *_lines(alert.text),
    ]
    link = _link(alert)
    return lines if link is None else [*lines, link]


def _document(alert: Alert) -> dict[str, object]:
    details = _plain(alert.details)
    is_too_long = len(json.dumps(details)) > _DETAILS_BYTES
    return {
        "alert_id": alert.alert_id,
        "created_at": alert.created_at.astimezone(UTC).isoformat(),
        "kind": alert.kind.value,
        "severity": alert.severity,
        "severity_text": SEVERITY_WORDS[alert.severity],
        "line_id": _clean(alert.cause.line_id),
        "machine_ids": [_clean(machine) for machine in alert.cause.machines],
        "camera_id": _plain(alert.cause.camera_id),
        "defect_class": _plain(alert.cause.defect_class),
        "flag_id": alert.flag_id,
        "subject": one_line(alert.subject),
        "text": "\n".join(_lines(alert.text)),
        "link": _link(alert),
        "details": {} if is_too_long else details,
        "details_left_out": is_too_long,
    }


def _plain(value: object) -> object:
    """Return a JSON value: what is not finite becomes null, times ISO text, everything else unknown its text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_clean(str(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return _clean(value.isoformat() if isinstance(value, datetime) else str(value))


def _clean(text: str) -> str:
    """Replace lone surrogates, which no strict JSON reader takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _lines(text: str) -> list[str]:
    """Return the lines of a text without control characters, cut to a bounded length."""
    return [one_line(line, _TEXT_CHARACTERS) for line in text[:_TEXT_CHARACTERS].splitlines()]


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _link(alert: Alert) -> str | None:
    return alert.link if alert.link is not None and _WEB_LINK.fullmatch(alert.link) else None


def _kind(alert: Alert) -> str:
    return alert.kind.value.replace("_", " ")


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
