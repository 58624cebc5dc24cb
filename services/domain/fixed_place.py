"""Do defects stay at one place of the image while the strip moves? Then they sit on the lens, not on the strip."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

LEAST_SPOTS: Final = 16
"""Fewer spots say nothing: even if all crowd at one place, `chance_of` stays above `HIGHEST_CHANCE`."""
RADIUS: Final = 0.16
"""Half the side of the square that counts as one place, one cell of a 7 x 7 evidence map (0.143) and a little [E].

Measured on blemishes painted at one of eight places on rendered strip, with the delivered model: 0.64 to 1.0 of
the spots of a class lie within it, in the mean 0.89.
"""
LEAST_SHARE: Final = 0.6
"""Share of a class's spots that must lie there; the others may be on the strip [E]."""
HIGHEST_CHANCE: Final = 1e-4
"""Of calling a clean lens dirty, per class and coil: once in a thousand coils with ten classes [E]."""
LANE_SHARE: Final = 0.43
"""Share of the spots of a working camera within `RADIUS` of one row or column.

Evenly spread spots would give 2 x `RADIUS` = 0.32. Evidence maps avoid the border, so they give more: measured on
160 rendered frames of each of nine classes with the delivered model, 0.33 to 0.63 for rows, in the mean 0.43.
"""


def crowd_of(spots: Floats) -> npt.NDArray[np.bool_]:
    """Return (N,) which of N spots, (N, 2) column then row, lie within `RADIUS` of their median on both axes."""
    column, row = np.median(spots, axis=0).tolist()
    return near(spots, (column, row))


def near(spots: Floats, place: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Return (N,) which of N spots lie within `RADIUS` of a place (column, row) on both axes; NaN ones do not."""
    return np.asarray((np.abs(spots - np.asarray(place)) <= RADIUS).all(axis=1))


def chance_of(spots: Floats) -> float:
    """Return how probable it is that so many of N spots (N, 2) crowd at one place although the lens is clean.

    With a clean lens spots crowd for one of two reasons: by chance, and then column and row are free; or since a
    machine marks the strip in a lane, as a damaged roll does, and then the column is fixed and the row free. The
    likelier one counts. Both are binomial tails. The place was chosen after seeing the spots, which makes them too
    small: one spot names the place, the others must be there, and there were N to choose from (union bound).
    """
    crowd = int(crowd_of(spots).sum())
    if not crowd:
        return 1.0
    in_lane = int((np.abs(spots[:, 0] - np.median(spots[:, 0])) <= RADIUS).sum())
    anywhere = stats.binom.sf(crowd - 2, len(spots) - 1, LANE_SHARE**2)
    along_lane = stats.binom.sf(crowd - 2, in_lane - 1, LANE_SHARE)
    return min(1.0, len(spots) * float(max(anywhere, along_lane)))


def is_fixed(spots: Floats) -> bool:
    """Tell whether spots (N, 2) of one class stay at one place of the image."""
    if len(spots) < LEAST_SPOTS or float(crowd_of(spots).mean()) < LEAST_SHARE:
        return False
    return chance_of(spots) < HIGHEST_CHANCE
