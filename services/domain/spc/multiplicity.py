"""Many p-values at once: which to believe when one false alarm in so many is allowed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """p-values after correction and the decision at a level, both of the shape (n,) and order of the input."""

    values: Floats
    rejected: npt.NDArray[np.bool_]


def benjamini_hochberg(p_values: npt.ArrayLike, level: float) -> Adjusted:
    """Control the false discovery rate of independent (or positively dependent) tests (1995).

    For a nightly list. Applying it to every coil again and again controls nothing.

    Args:
        p_values: Shape (n,), each between 0 and 1; may be empty.
        level: Share of false discoveries that is accepted, for instance .05.

    Raises:
        ValueError: A p-value or the level is out of range.
    """
    checked = _checked(p_values, level)
    return _decided(_false_discovery(checked, by=False), level)


def benjamini_yekutieli(p_values: npt.ArrayLike, level: float) -> Adjusted:
    """Control the false discovery rate under any dependence (2001); arguments as in `benjamini_hochberg`."""
    checked = _checked(p_values, level)
    return _decided(_false_discovery(checked, by=True), level)


def bonferroni(p_values: npt.ArrayLike, level: float) -> Adjusted:
    """Control the chance of any false discovery; arguments as in `benjamini_hochberg`."""
    checked = _checked(p_values, level)
    return _decided(np.minimum(checked * checked.size, 1.0), level)


def _checked(p_values: npt.ArrayLike, level: float) -> Floats:
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values are a list of numbers between 0 and 1")
    if not 0 < level < 1:
        raise ValueError("the level of a multiple test lies between 0 and 1")
    return values


def _false_discovery(values: Floats, *, by: bool) -> Floats:
    if values.size == 0:
        return values
    return np.asarray(stats.false_discovery_control(values, method="by" if by else "bh"), dtype=np.float64)


def _decided(values: Floats, level: float) -> Adjusted:
    return Adjusted(values, np.asarray(values <= level, dtype=np.bool_))
