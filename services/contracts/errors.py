"""Every error a room may raise on purpose, one sentence each; anything else is a bug and ends the process."""

from enum import StrEnum


class RejectReason(StrEnum):
    """Why a message can never become an inspection."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not_an_image"
    CORRUPT_IMAGE = "corrupt_image"
    TRUNCATED_IMAGE = "truncated_image"
    TOO_LARGE = "too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    UNSUPPORTED_IMAGE = "unsupported_image"
    UNKNOWN_SCHEMA = "unknown_schema"
    MALFORMED_MESSAGE = "malformed_message"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    CAMERA_MISMATCH = "camera_mismatch"
    UNAVAILABLE_REFERENCE = "unavailable_reference"


class MillsightError(Exception):
    """Root of all errors raised on purpose."""


class ConfigurationError(MillsightError):
    """A user's mistake: settings, files or arguments; its text is the one sentence shown to the user."""


class TransientError(MillsightError):
    """Infrastructure did not answer; hold the work, back off and try again. Never dead-letter, never skip."""


class MessageGone(MillsightError):
    """A message is no longer where it lay."""


class DeliveryFailed(TransientError):
    """The broker, or a receiver of alerts, did not take a message in time; it stays where it was."""


class CommitFailed(TransientError):
    """The broker did not take the consumer's offsets; what they cover is stored and will be read once more."""


class InferenceUnavailable(TransientError):
    """The inference server could not look at the images: not to be mistaken for 'nothing found'."""


class StorageUnavailable(TransientError):
    """The database did not take or give rows in time."""


class RejectedMessage(MillsightError):
    """The message itself is bad and will be bad for ever: dead-letter it with its reason and go on."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        """Keep the machine-readable reason beside the sentence."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class DeadLetterLimitExceeded(MillsightError):
    """Too large a share of messages is rejected: stop, since a bad roll-out must not drain the line."""
