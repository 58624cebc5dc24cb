"""Review queue: frames that a person should look at, confirmed or corrected with one press."""

from uuid import UUID

import streamlit as st

from dashboard import access, acting, filters, layout, loaders, review_loaders, writing
from dashboard.pictures import picture
from dashboard.report import csv_of
from dashboard.review_rows import FramePicture, QueuedFrame, QueueSnapshot
from dashboard.review_view import (
    QUEUE_COLUMNS,
    WHYS,
    answer_of,
    answer_table,
    choices,
    figures,
    likeliest,
    next_frame,
    queue_table,
    reasons,
)
from dashboard.words import class_word, clean, clock, confidence, plain, say
from services.contracts.user_file import Role
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.runtime.clock import utc_now

_LOOKED_AT = "frame that is looked at"
_LATER = "frames put off"
_SAID = "said of the last answer"
_KEEP_LATER = 1000


def _page() -> None:
    why = filters.choose("why", say("review.why"), _why_names(), "", say("help.review.why"))
    with st.container(horizontal=True):
        machine = filters.pick("machine", say("review.machine"), _machine_names())
        defect_class = filters.pick("class", say("review.class"), _class_names())
    layout.live(lambda: _figures(why, machine, defect_class))
    found = review_loaders.queue(why, machine, defect_class)
    _say_what_happened()
    _frame(found)
    _tables(found)


def _figures(why: str, machine: str, defect_class: str) -> None:
    found = review_loaders.queue(why, machine, defect_class)
    with st.container(horizontal=True, key="figures"):
        for name, figure in figures(found).items():
            st.metric(say(f"metric.{name}"), figure, help=say(f"help.{name}"), border=True, height="stretch")


def _why_names() -> dict[str, str]:
    return {name: say(f"review.why.{name or 'all'}") for name in WHYS}


def _machine_names() -> dict[str, str]:
    machines = {each.machine_id: clean(each.name) for each in loaders.line(filters.WINDOW_MINUTES[0]).machines}
    return {"": plain("review.machine.all"), **machines}


def _class_names() -> dict[str, str]:
    return {"": plain("review.class.all"), **{name: class_word(name) for name in SURFACE_LABELS}}


def _say_what_happened() -> None:
    said = st.session_state.pop(_SAID, None)
    if said is not None:
        st.toast(said, icon=":material/task_alt:")


def _frame(found: QueueSnapshot) -> None:
    later: set[UUID] = st.session_state.setdefault(_LATER, set())
    frame = next_frame(found.frames, st.session_state.get(_LOOKED_AT), later)
    if frame is None:
        st.info(say("review.later_all" if found.frames else "review.empty"), icon=":material/task_alt:")
        if found.frames and st.button(say("review.later_again")):
            later.clear()
            st.rerun()
        return
    st.session_state[_LOOKED_AT] = frame.frame_id
    kept = review_loaders.picture_of(frame)
    st.subheader(say("review.title"))
    left, right = st.columns([3, 2])
    with left:
        _picture(frame, kept)
    with right:
        _about(frame, kept)
        _answers(frame, kept)


def _picture(frame: QueuedFrame, kept: FramePicture | None) -> None:
    tinted = st.toggle(say("review.tint"), value=True, key="tint", help=say("help.review.tint"))
    shown = picture(kept.image, kept.evidence if tinted else None) if kept and kept.image else None
    if shown is None:
        st.warning(say("review.picture_gone"), icon=":material/image_not_supported:")
    else:
        st.image(shown, width="stretch", alt=plain("review.alt", camera=frame.camera_id))


def _about(frame: QueuedFrame, kept: FramePicture | None) -> None:
    said = class_word(frame.defect_class)
    also = likeliest(kept) if kept else ""
    st.markdown(say("review.said", defect=said, confidence=confidence(frame.confidence), likeliest=also))
    moment = clock(frame.captured_at, layout.viewer_zone(), utc_now())
    coil = frame.coil_id or "–"
    st.caption(say("review.where", camera=frame.camera_id, machine=frame.machine_id, coil=coil, moment=moment))
    st.caption(say("review.because", reasons=", ".join(reasons(frame))))


def _answers(frame: QueuedFrame, kept: FramePicture | None) -> None:
    if st.button(say("review.later"), shortcut="L", key="later"):
        _put_off(frame)
    if not access.may(Role.OPERATOR):
        st.caption(say("review.log_in"))
        return
    if kept is None or kept.image is None:
        return
    said = class_word(frame.defect_class)
    if st.button(say("review.confirm", defect=said), type="primary", shortcut="Enter", key="confirm"):
        _answer(frame, frame.defect_class)
    if st.button(say("review.unclear"), shortcut="U", key="unclear"):
        _answer(frame, None)
    st.markdown(say("review.or"))
    with st.container(horizontal=True):
        for name, key in choices(frame, kept):
            word = plain("class.no_defect") if name == NO_DEFECT else clean(class_word(name))
            if name != frame.defect_class and st.button(word, shortcut=key or None, key=f"is {name}"):
                _answer(frame, name)
    st.caption(say("review.keys"))


def _put_off(frame: QueuedFrame) -> None:
    later: set[UUID] = st.session_state[_LATER]
    if len(later) >= _KEEP_LATER:
        later.clear()
    later.add(frame.frame_id)
    st.session_state.pop(_LOOKED_AT, None)
    st.rerun()


def _answer(frame: QueuedFrame, defect_class: str | None) -> None:
    with acting.explained("review.refused"):
        writing.give_answer(answer_of(frame, defect_class))
        st.session_state.pop(_LOOKED_AT, None)
        review_loaders.forget()
        st.session_state[_SAID] = (
            say("review.kept_unclear", camera=frame.camera_id)
            if defect_class is None
            else say("review.kept", camera=frame.camera_id, defect=class_word(defect_class))
        )
        st.rerun()


def _tables(found: QueueSnapshot) -> None:
    if found.frames:
        with st.expander(say("review.waiting")):
            layout.table(queue_table(found.frames), key="waiting")
            st.download_button(
                plain("review.download"), csv_of(QUEUE_COLUMNS, found.frames), file_name="review-queue.csv",
                mime="text/csv", icon=":material/download:", on_click="ignore", key="download waiting",
            )  # fmt: skip
    st.subheader(say("review.answers"))
    if found.answers:
        layout.table(answer_table(found.answers), key="answers")
    else:
        st.caption(say("review.no_answers"))
    st.caption(say("review.dataset"))


layout.once(_page)
