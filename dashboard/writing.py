"""What the dashboard changes in the name of whoever is logged in: steps of work orders, answers about frames."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from dashboard import access, planner
from services.contracts.user_file import Role

logger = logging.getLogger(__name__)

_STEP: LiteralString = """
select millsight.work_order_step(%(order)s, %(step)s, %(who)s, %(comment)s, %(feedback)s, %(cause)s, %(to)s)
"""
_ANSWER: LiteralString = """
select millsight.review_frame(%(frame)s, %(captured)s, %(model)s, %(version)s, %(answer)s, %(who)s)
"""


_SECOND_LOOK: LiteralString = "select millsight.ask_second_look(%(frame)s, %(who)s)"


@dataclass(frozen=True, slots=True)
class Step:
    """What somebody wants done to a work order; see `millsight work-orders` for the steps."""

    order: str
    step: str
    comment: str | None = None
    feedback: str | None = None
    cause: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody sees in a frame: a class of the model that judged it; None when it cannot be told."""

    frame_id: UUID
    captured_at: datetime
    model_name: str
    model_version: str
    defect_class: str | None


def take_step(step: Step) -> str:
    """Move a work order on and return its new state.

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
    state = planner.call(_STEP, values)
    logger.info("work order %s: %s by %s", step.order, step.step, who.name)
    return str(state)


def give_answer(answer: Answer) -> None:
    """Keep what the person sees in a frame, and the frame's picture with it.

    Raises:
        NotAllowed: The person is no operator.
        Refused: The frame or its picture is gone, or its model has no such class.
        DataUnavailable: The database does not answer.
        ConfigurationError: The dashboard has no planner's URL.
    """
    who = access.require(Role.OPERATOR)
    values = {
        "frame": answer.frame_id, "captured": answer.captured_at, "model": answer.model_name,
        "version": answer.model_version, "answer": answer.defect_class, "who": who.name,
    }  # fmt: skip
    planner.call(_ANSWER, values)
    logger.info("frame %s: %s sees %s", answer.frame_id, who.name, answer.defect_class or "nothing certain")


def ask_second_look(frame_id: UUID) -> None:
    """Have the classifier send a refused message to its topic again.

    Raises:
        NotAllowed: The person is no engineer.
        Refused: The message is gone, or waits already.
        DataUnavailable: The database does not answer.
        ConfigurationError: The dashboard has no planner's URL.
    """
    who = access.require(Role.ENGINEER)
    planner.call(_SECOND_LOOK, {"frame": frame_id, "who": who.name})
    logger.info("refused message %s: %s has it sent again", frame_id, who.name)
