"""Points in time as people type them."""

from datetime import UTC, datetime


def moment(text: str, option: str) -> datetime:
    """Read ISO 8601, as in 2026-03-01 or 2026-03-01T06:00+01:00; without a zone it is UTC.

    Raises:
        ConfigurationError: It is no point in time.
    """
    from services.contracts.errors import ConfigurationError

    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{option} {text!r} is no point in time: write it as in 2026-03-01T06:00+01:00"
        ) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
