"""What is believed about the cameras of a line: how well they see, what they invent, how they mix classes up."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TYPICAL_SENSITIVITY: Final = 0.85
TYPICAL_FALSE_PER_FRAME: Final = 1e-3
TYPICAL_CONFUSION: Final = 0.8
"""Share of right labels before anything is learnt; the rest is spread over the other classes."""
TYPICAL_SURVIVAL: Final = 0.98
"""Share of defects that are still visible after one more machine."""


@dataclass(frozen=True, slots=True)
class CameraParameters:
    """Nuisance parameters of J cameras in strip order and C defect classes.

    Attributes:
        sensitivity: (J, C) probability that a frame with a visible defect of the class is called a defect.
        false_per_frame: (J,) probability that a frame of clean strip is called a defect.
        false_labels: (J, C) classes that false calls carry; rows sum to 1.
        confusion: (C, C) probability of each label (column) given the true class (row); rows sum to 1.
        survival: (J, C) probability that a defect is still visible at camera j, given that it was visible right
            before the machines between camera j - 1 and camera j. The entry of the machine that makes it counts
            as survived.
    """

    sensitivity: Floats
    false_per_frame: Floats
    false_labels: Floats
    confusion: Floats
    survival: Floats

    @classmethod
    def typical(cls, stages: npt.NDArray[np.int64], classes: int) -> Self:
        """Return what is assumed before anything is learnt.

        Args:
            stages: (J,) machines between camera j - 1 and camera j.
            classes: Number of defect classes, C.
        """
        cameras = len(stages)
        off = (1 - TYPICAL_CONFUSION) / max(classes - 1, 1)
        confusion = np.full((classes, classes), off)
        np.fill_diagonal(confusion, TYPICAL_CONFUSION if classes > 1 else 1.0)
        return cls(
            sensitivity=np.full((cameras, classes), TYPICAL_SENSITIVITY),
            false_per_frame=np.full(cameras, TYPICAL_FALSE_PER_FRAME),
            false_labels=np.full((cameras, classes), 1.0 / classes),
            confusion=confusion,
            survival=np.repeat(TYPICAL_SURVIVAL ** stages[:, None].astype(np.float64), classes, axis=1),
        )
