"""Rayleigh's test: do defects sit at one place on the circumference of a roll whose turn is known?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RayleighTest:
    """Mean resultant length (0 uniform, 1 all at one angle), n times its square, and the p-value."""

    mean_resultant: float
    z: float
    p_value: float


def rayleigh_test(angles_rad: npt.ArrayLike) -> RayleighTest:
    """Test angles on a circle for uniformity against one preferred direction.

    The p-value is exp(sqrt(1 + 4 n + 4 (n**2 - R**2)) - (1 + 2 n)), R the resultant (Zar, Biostatistical
    Analysis, equation 27.4). Other programs use Wilkie's series, which differs in the third digit.

    Args:
        angles_rad: Angles, shape (n,), n >= 1. For events on a strip: 2 pi position / period.

    Raises:
        ValueError: No angle, or one that is not finite.
    """
    angles = np.asarray(angles_rad, dtype=np.float64)
    if angles.ndim != 1 or angles.size == 0 or not np.isfinite(angles).all():
        raise ValueError("Rayleigh's test needs at least one angle, and finite ones only")
    number = angles.size
    resultant = float(np.abs(np.exp(1j * angles).sum()))
    root = np.sqrt(1 + 4 * number + 4 * (number**2 - resultant**2))
    return RayleighTest(resultant / number, resultant**2 / number, float(min(1.0, np.exp(root - 1 - 2 * number))))
