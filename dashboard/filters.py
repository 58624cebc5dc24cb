"""What the viewer chooses: kept in the page's address, so that it can be linked, and carried to the next page."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import TypeVar

import streamlit as st

from dashboard.words import say

WINDOW_MINUTES = (5, 15, 60)

ValueT = TypeVar("ValueT")


def window_minutes() -> int:
    """Let the viewer choose over how many minutes figures are taken."""
    names = {str(minutes): say("window.minutes", minutes=minutes) for minutes in WINDOW_MINUTES}
    return int(choose("minutes", say("window.label"), names, "15", help_text=say("window.help")))


def choose(key: str, label: str, names: Mapping[str, str], usual: str, help_text: str | None = None) -> str:
    """Let the viewer choose one of `names` (value to words); the address says `key=value`, nothing when usual."""
    _remember(key, usual, lambda text: text if text in names else None)
    chosen = st.segmented_control(
        label, list(names), required=True, format_func=names.__getitem__, key=key, help=help_text
    )
    value = usual if chosen is None else chosen
    _put_in_address(key, value, usual)
    return value


def pick(key: str, label: str, names: Mapping[str, str], usual: str | None = None) -> str:
    """Let the viewer pick one of many `names` (value to words).

    The address says which; without it, the page before, else `usual`, else the first.
    """
    names = told_apart(names)
    usual = usual if usual in names else next(iter(names))
    if st.session_state.get(key) not in names:
        st.session_state.pop(key, None)
    _remember(key, usual, lambda text: text if text in names else None)
    if st.session_state[key] not in names:
        st.session_state[key] = usual
    chosen = st.selectbox(label, list(names), format_func=names.__getitem__, key=key)
    _put_in_address(key, chosen, "")
    return chosen


def told_apart(names: Mapping[str, str]) -> Mapping[str, str]:
    """Number the words that stand for several values: the browser answers with the words, not with the value."""
    seen: Counter[str] = Counter()
    found = {}
    for value, words in names.items():
        seen[words] += 1
        found[value] = words if seen[words] == 1 else f"{words} ({seen[words]})"
    return found


def switch(key: str, label: str, help_text: str) -> bool:
    """Let the viewer switch something on; the address says `key=1` then."""
    _remember(key, usual=False, parse=lambda text: text == "1")
    on = st.toggle(label, key=key, help=help_text)
    _put_in_address(key, "1" if on else "", "")
    return on


def period(usual: tuple[datetime, datetime], where: tzinfo) -> tuple[datetime, datetime]:
    """Let the viewer choose a start and an end on the viewer's clock; the address holds them in UTC."""
    moments = []
    for column, key, moment in zip(st.columns(2), ("from", "to"), usual, strict=True):
        _remember(key, _wall(moment, where), lambda text: _parse_moment(text, where))
        given = column.datetime_input(say(f"period.{key}"), key=key)
        chosen = given.replace(tzinfo=where)
        _put_in_address(key, f"{chosen.astimezone(UTC):%Y-%m-%dT%H:%MZ}", "")
        moments.append(chosen)
    return moments[0], moments[1]


def _wall(moment: datetime, where: tzinfo) -> datetime:
    return moment.astimezone(where).replace(tzinfo=None, second=0, microsecond=0)


def _parse_moment(text: str, where: tzinfo) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text)
        return _wall(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC), where)
    except (ValueError, OverflowError):
        return None


def _remember(key: str, usual: ValueT, parse: Callable[[str], ValueT | None]) -> None:
    """Give a new widget the value of the address, else of the page before, else the usual one."""
    if key in st.session_state:
        return
    in_address = st.query_params.get(key)
    value = parse(in_address) if in_address is not None else st.session_state.get(f"last {key}")
    st.session_state[key] = usual if value is None else value


def _put_in_address(key: str, value: str, usual: str) -> None:
    st.session_state[f"last {key}"] = st.session_state[key]
    if value != usual:
        st.query_params[key] = value
    elif key in st.query_params:
        del st.query_params[key]


def drop_from_address(keys: Sequence[str]) -> None:
    """Take choices that no longer apply out of the address."""
    for key in keys:
        if key in st.query_params:
            del st.query_params[key]
