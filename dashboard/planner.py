"""The one way in which the dashboard changes anything: functions of the database, called as the planner's role."""

from collections.abc import Mapping
from typing import Final, LiteralString

import psycopg
from psycopg import errors

from dashboard import loaders
from dashboard.database import DataUnavailable, Trouble
from services.contracts.errors import ConfigurationError, MillsightError

_TIMEOUT_S: Final = 5
_NAME: Final = "millsight-dashboard"


class Refused(MillsightError):
    """The database refuses what somebody wants done; the sentence says why."""


def call(statement: LiteralString, values: Mapping[str, object]) -> object:
    """Run a function of the database in a transaction of its own and return what it returns.

    Raises:
        Refused: What is asked for is out of order, or lacks something.
        DataUnavailable: The database does not answer.
        ConfigurationError: The dashboard has no planner's URL.
    """
    try:
        with psycopg.connect(_url(), connect_timeout=_TIMEOUT_S, application_name=_NAME) as planner:
            row = planner.execute(statement, values).fetchone()
    except errors.InvalidParameterValue as refusal:
        raise Refused(refusal.diag.message_primary or "it is refused") from refusal
    except errors.InsufficientPrivilege as error:
        raise DataUnavailable(Trouble.REFUSED) from error
    except psycopg.OperationalError as error:
        raise DataUnavailable(Trouble.GONE) from error
    return None if row is None else row[0]


def _url() -> str:
    file = loaders.settings().access.planner_url_file
    if file is None:
        raise ConfigurationError("DASHBOARD_ACCESS__PLANNER_URL_FILE is not set, so nothing can be changed here.")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file {file} cannot be read, so nothing can be changed here.") from error
