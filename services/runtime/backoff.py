"""Waiting times between attempts: exponential, bounded, with jitter from a caller's random source."""

from collections.abc import Iterator
from random import Random


def backoff_delays_s(first_s: float, longest_s: float, random: Random) -> Iterator[float]:
    """Yield delays in seconds for ever: doubled each time up to `longest_s`, each scattered over 50 to 100 %.

    Scattering keeps many workers from knocking at the same moment (full jitter: AWS Architecture Blog, 2015).
    """
    delay_s = first_s
    while True:
        yield delay_s * (0.5 + 0.5 * random.random())
        delay_s = min(longest_s, delay_s * 2)
