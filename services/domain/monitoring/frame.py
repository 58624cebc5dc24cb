"""What a monitor is set up for: the line as cameras divide it, its classes, the promised false-alarm budget."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.registration.coil import LandmarkRule
from services.domain.registration.layout import LineLayout
from services.domain.topology import MonitoringPlan

Floats = npt.NDArray[np.float64]

DESIGN_RATIO: Final = 4.0
"""The rate ratio that the machine charts are tuned to; three- to ten-fold rates are found nearly as soon."""
WAITING_GAIN: Final = 2.3
"""Alarms in control per flag in control: the causes of the others are unclear, and they fall back while the
monitor waits for another coil (`alarms`). Measured on simulated lines, seeds from 900,300 to 902,149."""
STEEP_RATIO: Final = 100.0
"""The rate ratio that a second chart of each stream is tuned to: for streams that hardly ever show anything, where
four times as much is still next to nothing, most of all among false calls."""
CAMERA_RATIO: Final = 20.0
"""The ratio of false calls that the camera charts are tuned to."""
BLIND_RATIO: Final = 0.25
"""The share of its usual sightings that the chart for failing eyesight is tuned to."""
CAMERA_RATIO_GRID: Final = (5.0, 20.0, 80.0, 320.0, 1000.0)
"""Ratios of false calls over which attribution averages: from a little dirt to dirt on every frame."""
RATIO_GRID: Final = (2.0, 3.5, 6.0, 12.0, 25.0, 60.0)
"""Rate ratios over which attribution averages, since the true one is unknown."""


@dataclass(frozen=True, slots=True)
class MonitorFrame:
    """G groups, C classes, J cameras, and what is promised.

    Attributes:
        layout: The line.
        classes: Names of the defect classes, C.
        watched: (C,) classes that may flag a machine; a weld never does.
        landmarks: Which classes mark a coil change.
        prior_rate: (G, C) defects per metre that are assumed before anything is learnt.
        cause_weight: (G, C) how readily a group is blamed for a class, relative to others; from the material pack.
        plan: Learning time and false-alarm budget.
    """

    layout: LineLayout
    classes: tuple[str, ...]
    watched: npt.NDArray[np.bool_]
    landmarks: LandmarkRule
    prior_rate: Floats
    cause_weight: Floats
    plan: MonitoringPlan

    @property
    def shape(self) -> tuple[int, int, int]:
        """G, C and J."""
        return len(self.layout.groups), len(self.classes), len(self.layout.cameras)

    @property
    def streams(self) -> int:
        """Number of charts that can raise an alarm: machine groups x watched classes, and cameras twice."""
        groups, _, cameras = self.shape
        return int(groups * self.watched.sum()) + 2 * cameras
