"""Waiting times between attempts: exponential, bounded, with jitter."""

from collections.abc import Iterator
from random import Random
from typing import Final

_SCATTER: Final = Random()  # noqa: S311 - scatters waiting times, guards nothing


def backoff_delays_s(first_s: float, longest_s: float, random: Random | None = None) -> Iterator[float]:
    """Yield delays in seconds for ever: doubled each time up to `longest_s`, each scattered over 50 to 100 %.

    Scattering keeps many workers from knocking at the same moment (full jitter: AWS Architecture Blog, 2015).
    `random` is for tests that know the delays.
    """
    chance = random or _SCATTER
    delay_s = first_s
    while True:
        yield delay_s * (0.5 + 0.5 * chance.random())
        delay_s = min(longest_s, delay_s * 2)
