"""Furniture that all pages share: live parts that explain themselves without data."""

from collections.abc import Callable
from datetime import datetime, tzinfo

import streamlit as st

from dashboard import charts, loaders
from dashboard.database import DataUnavailable
from dashboard.overview import Cell
from dashboard.words import ago, clock, duration, plain, say, zone
from services.contracts.errors import ConfigurationError


def live(render: Callable[[], None]) -> None:
    """Draw a part of a page now and again every few seconds, without touching the rest of the page."""

    @st.fragment(run_every=_refresh_s())
    def part() -> None:
        _explained(render)

    part()


def once(render: Callable[[], None]) -> None:
    """Draw a part of a page that only changes when the viewer asks; without data, ask again every few seconds."""
    if _explained(render):
        return
    ticks: list[None] = []

    @st.fragment(run_every=_refresh_s())
    def ask_again() -> None:
        ticks.append(None)
        if len(ticks) > 1:
            st.rerun()

    ask_again()


def _refresh_s() -> float | None:
    try:
        return loaders.settings().live.refresh_s
    except ConfigurationError:
        return None


def _explained(render: Callable[[], None]) -> bool:
    """Draw, or say in a sentence why there is nothing to draw and what to do; return whether it was drawn."""
    try:
        render()
    except DataUnavailable as missing:
        st.error(say(missing.trouble.value), icon=":material/database_off:")
        st.caption(say("trouble.retry", every=duration(_refresh_s())))
        return False
    except ConfigurationError as mistake:
        st.error(say("trouble.settings", mistake=mistake), icon=":material/settings_alert:")
    return True


def ink() -> charts.Ink:
    """Return text colours that fit the viewer's light or dark theme."""
    return charts.DARK if st.context.theme.type == "dark" else charts.LIGHT


def viewer_zone() -> tzinfo:
    """Return the time zone of the viewer's browser."""
    return zone(st.context.timezone)


def freshness(newest: datetime | None, now: datetime, stale_after_s: float) -> None:
    """Say how old the newest frame is; frames that are not of now are called so, in a box nobody overlooks."""
    where = viewer_zone()
    if newest is None:
        st.info(say("fresh.empty"), icon=":material/hourglass_empty:")
        return
    age = (now - newest).total_seconds()
    if age > stale_after_s:
        sentence = say("fresh.stale", age=duration(age), moment=clock(newest, where, now))
        st.error(sentence, icon=":material/history:")
    elif age < -stale_after_s:
        st.warning(say("fresh.ahead", lead=duration(-age)), icon=":material/schedule:")
    with st.container(horizontal=True, vertical_alignment="center", key="fresh"):
        if abs(age) <= stale_after_s:
            st.badge(say("fresh.live"), icon=":material/sensors:", color="green")
        zone_name = clock_zone_name(where, now)
        st.caption(say("fresh.as_of", moment=clock(now, where, now), zone=zone_name, age=ago(age)))


def table(rows: list[dict[str, Cell]], key: str, wide: frozenset[str] = frozenset()) -> None:
    """Show rows as a table in which numbers sort as numbers; shares are shown as percentages.

    Args:
        rows: Column names to values.
        key: Of the element.
        wide: Columns whose longest words are longer than their first ones: they are given room.
    """
    shares = {plain("table.rate")}
    rates = {plain("table.frames"), plain("table.defects")}
    columns = {}
    for name in rows[0] if rows else ():
        if name in shares:
            columns[name] = st.column_config.NumberColumn(format="%.1f %%")
        elif name in rates:
            columns[name] = st.column_config.NumberColumn(format="%.1f")
        elif name in wide:
            columns[name] = st.column_config.TextColumn(width="medium")
        elif any(isinstance(row[name], int) for row in rows):
            columns[name] = st.column_config.NumberColumn(format="localized")
    shown = [{name: _shown(value, is_share=name in shares) for name, value in row.items()} for row in rows]
    st.dataframe(shown, hide_index=True, key=key, column_config=columns, placeholder="–")


def _shown(value: Cell, *, is_share: bool) -> Cell:
    return value * 100 if is_share and isinstance(value, float) else value


def clock_zone_name(where: tzinfo, now: datetime) -> str:
    """Return the short name of the viewer's time zone, such as CET."""
    return now.astimezone(where).tzname() or "UTC"
