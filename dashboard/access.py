"""Who looks at the page and what they may do; every action asks again on the server before it changes anything.

Two ways to log in: the local user file of one machine, or the plant's identity provider (OIDC, `st.login`). Roles
are read again at every question, so that whoever is removed loses their rights at once.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard import loaders
from services.contracts.errors import MillsightError
from services.contracts.user_file import Role, is_password_of, read_users

_LOGGED_IN: Final = "logged in as"
_FREE_TRIES: Final = 5
_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who looks at the dashboard; a name of '' has not logged in."""

    name: str
    role: Role


NOBODY: Final = Person("", Role.VIEWER)


class NotAllowed(MillsightError):
    """The person may not do this; `role` is what it takes."""

    def __init__(self, role: Role) -> None:
        super().__init__(f"this needs the role {role.name.lower()}")
        self.role = role


class Throttle:
    """Makes guessing slow: after five wrong passwords a name waits, twice as long each time. For all sessions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}

    def wait_s(self, name: str, now_s: float) -> float:
        """Return how long the name must wait before the next try counts, 0 when it need not."""
        with self._lock:
            count, since_s = self._wrong.get(name, (0, 0.0))
        if count < _FREE_TRIES:
            return 0.0
        pause_s: float = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** (count - _FREE_TRIES))
        return max(0.0, since_s + pause_s - now_s)

    def wrong(self, name: str, now_s: float) -> None:
        """Remember a wrong try."""
        with self._lock:
            count, _ = self._wrong.get(name, (0, 0.0))
            self._wrong[name] = (count + 1, now_s)

    def right(self, name: str) -> None:
        """Forget the wrong tries of a name."""
        with self._lock:
            self._wrong.pop(name, None)


@st.cache_resource(show_spinner=False)
def _throttle() -> Throttle:
    return Throttle()


def person() -> Person:
    """Return who looks at the page, with the role that they have now; without a login, a viewer.

    Raises:
        ConfigurationError: The user file cannot be read.
    """
    given = loaders.settings().access
    if given.oidc_role_claim and st.user.is_logged_in:
        return _of_provider(given.oidc_role_claim)
    name = st.session_state.get(_LOGGED_IN)
    if name is None or given.users_file is None:
        return NOBODY
    user = read_users(given.users_file).get(str(name))
    return NOBODY if user is None else Person(user.name, Role[user.role.upper()])


def _of_provider(claim: str) -> Person:
    """Return the person that the identity provider vouches for; roles it does not name are a viewer's."""
    said: object = st.user.get(claim)
    names = [str(name).lower() for name in said] if isinstance(said, (list, tuple)) else [str(said).lower()]
    role = max((each for each in Role if each.name.lower() in names), default=Role.VIEWER)
    return Person(str(st.user.get("email") or st.user.get("name") or "?"), role)


def log_in(name: str, password: str) -> float | None:
    """Log in with the local user file.

    Returns:
        None when it worked, else the seconds to wait before the next try counts (0: at once).

    Raises:
        ConfigurationError: The user file cannot be read.
    """
    file, now_s = loaders.settings().access.users_file, time.monotonic()
    wait_s = _throttle().wait_s(name, now_s)
    if wait_s > 0:
        return wait_s
    users = {} if file is None else read_users(file)
    if not is_password_of(users.get(name), password):
        _throttle().wrong(name, now_s)
        return _throttle().wait_s(name, now_s)
    _throttle().right(name)
    st.session_state[_LOGGED_IN] = name
    return None


def log_out() -> None:
    """Forget who looks at this session's pages."""
    st.session_state.pop(_LOGGED_IN, None)


def may(role: Role) -> bool:
    """Tell whether the person may do what needs `role`, to show or hide a button."""
    return person().role >= role


def require(role: Role) -> Person:
    """Return the person, right before something is changed.

    Raises:
        NotAllowed: The person's role is lower than `role`.
    """
    found = person()
    if found.role < role:
        raise NotAllowed(role)
    return found
