"""Who looks at the page and what they may do; every action asks again on the server before it changes anything."""

from dataclasses import dataclass
from enum import IntEnum

from services.contracts.errors import MillsightError


class Role(IntEnum):
    """What a person may do; each role may do what the lower ones may."""

    VIEWER = 1
    OPERATOR = 2
    ENGINEER = 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who looks at the dashboard."""

    name: str
    role: Role


class NotAllowed(MillsightError):
    """The person may not do this; the sentence says which role it takes."""


def person() -> Person:
    """Return who looks at the page; without a login everybody is a viewer."""
    return Person("", Role.VIEWER)


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
        raise NotAllowed(f"this needs the role {role.name.lower()}")
    return found
