"""Power of a period in event positions: Z^2_n (Buccheri et al. 1983), pooled over coils.

Z^2_n(f) = (2 / N) sum_{k<=n} sum_s |sum_i exp(2 pi i k f x_i)|^2. The phase of a roll is unknown at the start of
every coil, so powers are added over the segments s, not amplitudes. Without a period each harmonic contributes
2 on average (chi-square with two degrees of freedom for one segment).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HARMONICS = 3

_CHUNK = 1 << 20
"""Products of frequencies and events that are held in memory at once."""


def z_squared(segments: Sequence[Floats], frequencies: npt.ArrayLike, harmonics: int = HARMONICS) -> Floats:
    """Return Z^2_n at each frequency, shape (f,), straight from the positions.

    Args:
        segments: Event positions in metres, one array of shape (n_s,) for each coil; 1 event or more in all.
        frequencies: Turns per metre, shape (f,).
        harmonics: n, 1 for Rayleigh's power.

    Raises:
        ValueError: No event at all, or `harmonics` is below 1.
    """
    if harmonics < 1 or sum(each.size for each in segments) == 0:
        raise ValueError("a period needs at least one event and one harmonic")
    grid = np.asarray(frequencies, dtype=np.float64)
    power = np.zeros(grid.size)
    for positions in segments:
        rows = max(1, _CHUNK // max(1, positions.size))
        for start in range(0, grid.size, rows):
            turn = np.exp(2j * np.pi * np.outer(grid[start : start + rows], positions))
            raised = turn.copy()
            for _ in range(harmonics):
                power[start : start + rows] += np.abs(raised.sum(axis=1)) ** 2
                raised *= turn
    return np.asarray(2 * power / sum(each.size for each in segments), dtype=np.float64)
