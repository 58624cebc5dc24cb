"""The one way in which the dashboard changes anything: functions of the database, called as the planner's role."""

import logging
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg import errors

from dashboard import access, loaders
from dashboard.database import DataUnavailable, Trouble
from services.contracts.errors import ConfigurationError, MillsightError
from services.contracts.user_file import Role

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5
_NAME: Final = "millsight-dashboard"
_STEP: LiteralString = """
select millsight.work_order_step(%(order)s, %(step)s, %(who)s, %(comment)s, %(feedback)s, %(cause)s, %(to)s)
"""


class Refused(MillsightError):
    """The database refuses the step; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody wants done to a work order; see `millsight work-orders` for the steps."""

    order: str
    step: str
    comment: str | None = None
    feedback: str | None = None
    cause: str | None = None
    to: str | None = None


def take_step(step: Step) -> str:
    """Move a work order on in the name of whoever is logged in, and return its new state.

    Raises:
        NotAllowed: The person is no operator.
        Refused: The step is out of order, or lacks something.
        DataUnavailable: The database does not answer.
        ConfigurationError: The dashboard has no planner's URL.
    """
    who = access.require(Role.OPERATOR)
    values = {
        "order": step.order, "step": step.step, "who": who.name, "comment": step.comment or None,
        "feedback": step.feedback, "cause": step.cause or None, "to": step.to or None,
    }  # fmt: skip
    try:
        with psycopg.connect(
            _url(), connect_timeout=_TIMEOUT_S, application_name="millsight-dashboard"
        ) as planner:
            row = planner.execute(_STEP, values).fetchone()
    except errors.InvalidParameterValue as refusal:
        raise Refused(refusal.diag.message_primary or "the step is refused") from refusal
    except errors.InsufficientPrivilege as error:
        raise DataUnavailable(Trouble.REFUSED) from error
    except psycopg.OperationalError as error:
        raise DataUnavailable(Trouble.GONE) from error
    logger.info("work order %s: %s by %s", step.order, step.step, who.name)
    return "" if row is None else str(row[0])


def _url() -> str:
    file = loaders.settings().access.planner_url_file
    if file is None:
        raise ConfigurationError("DASHBOARD_ACCESS__PLANNER_URL_FILE is not set, so nothing can be changed here.")
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file {file} cannot be read, so nothing can be changed here.") from error
