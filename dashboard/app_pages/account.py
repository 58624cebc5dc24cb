"""Account: who looks at the dashboard, and logging in and out."""

import streamlit as st

from dashboard import access, language, layout, loaders
from dashboard.words import duration, plain, say
from services.contracts.user_file import read_users


def _page() -> None:
    given = loaders.settings().access
    who = access.person()
    with st.container(horizontal=True, key="figures"):
        role = plain(f"role.{who.role.name.lower()}")
        st.metric(say("metric.account_role"), role, help=say("help.account_role"), border=True)
        people = "–" if given.users_file is None else str(len(read_users(given.users_file)))
        st.metric(say("metric.account_people"), people, help=say("help.account_people"), border=True)
    st.caption(say("account.roles"))
    _language()
    if who.name:
        st.markdown(say("account.somebody", name=who.name, role=role))
        if st.button(say("account.log_out"), icon=":material/logout:"):
            access.log_out()
            if given.oidc_role_claim and st.user.is_logged_in:
                st.logout()
            st.rerun()
        return
    st.markdown(say("account.nobody"))
    if given.oidc_role_claim and st.button(say("account.provider"), icon=":material/domain:"):
        st.login()
    if given.users_file is None:
        st.info(say("account.no_file"), icon=":material/person_add:")
        return
    _form()


def _language() -> None:
    now = language.language()
    codes = list(language.NAMES)
    chosen = st.radio(
        say("account.language"), codes, codes.index(now), format_func=language.NAMES.__getitem__, horizontal=True
    )
    if chosen != now:
        language.choose(chosen)
        st.rerun()


def _form() -> None:
    with st.form("log in", width=360):
        name = st.text_input(say("account.name"), max_chars=200, autocomplete="username")
        password = st.text_input(
            say("account.password"), type="password", max_chars=200, autocomplete="current-password"
        )
        pressed = st.form_submit_button(say("account.log_in"), icon=":material/login:")
    if not pressed:
        return
    wait_s = access.log_in(name, password)
    if wait_s is None:
        st.rerun()
    elif wait_s > 0:
        st.error(say("account.wait", wait=duration(wait_s)))
    else:
        st.error(say("account.wrong"))


layout.once(_page)
