"""What people do to a work order: buttons for the steps that its state allows, checked again on the server."""

from typing import Final

import streamlit as st

from dashboard import access, acting, loaders, writing
from dashboard.maintenance_rows import OrderRow
from dashboard.words import plain, say
from dashboard.writing import Step
from services.contracts.user_file import Role

_STEPS: Final = {
    "new": ("acknowledge", "assign", "reject", "comment"),
    "acknowledged": ("start", "assign", "reject", "comment"),
    "in_progress": ("done", "assign", "reject", "comment"),
    "done": ("feedback", "comment"),
    "rejected": ("comment",),
}
_JUDGED: Final = frozenset({"done", "feedback"})
_LATER: Final = "later"
_SAID: Final = "said of the last step"


def steps_of(order: OrderRow) -> tuple[str, ...]:
    """Return the steps that the order's state allows."""
    return _STEPS.get(order.state, ())


def actions(order: OrderRow) -> None:
    """Draw what may be done to the order, and do what was pressed."""
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        st.success(said, icon=":material/task_alt:")
    steps = steps_of(order)
    if not steps:
        return
    st.subheader(say("act.heading"))
    if not access.may(Role.OPERATOR):
        st.caption(say("act.log_in"))
        return
    with st.form(f"act {order.work_order_no}"):
        comment = st.text_input(say("act.remark"), max_chars=4000)
        to, cause = _fields(order, steps)
        feedback = _feedback() if _JUDGED.intersection(steps) else None
        with st.container(horizontal=True):
            pressed = [step for step in steps if st.form_submit_button(say(f"act.{step}"), key=f"step {step}")]
    if pressed:
        _take(Step(
            order.work_order_no, pressed[0], comment or None,
            feedback if pressed[0] in _JUDGED else None,
            cause if pressed[0] in ("reject", "done") else None,
            to if pressed[0] == "assign" else None,
        ))  # fmt: skip


def _fields(order: OrderRow, steps: tuple[str, ...]) -> tuple[str, str]:
    """Ask to whom and what the cause is, where a step takes it."""
    to = cause = ""
    if "assign" in steps:
        to = st.text_input(say("act.to"), value=order.assigned_to or "", max_chars=200)
    if "reject" in steps:
        cause = st.text_input(say("act.cause"), value=order.cause_code or "", max_chars=200)
    return to, cause


def _feedback() -> str | None:
    names = {name: plain(f"act.worked.{name}") for name in (_LATER, "verified", "no_change")}
    chosen = st.selectbox(say("act.worked"), list(names), format_func=names.__getitem__)
    return None if chosen == _LATER else chosen


def _take(step: Step) -> None:
    with acting.explained():
        state = writing.take_step(step)
        loaders.forget_work()
        said = "act.written" if step.step == "comment" else "act.done_so"
        st.session_state[_SAID] = say(said, order=step.order, state=plain(f"order.{state}"))
        st.rerun()
