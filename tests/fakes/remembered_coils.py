"""A monitor that remembers coils which nobody simulated: every stream normal, unless told otherwise."""

from dataclasses import dataclass

import numpy as np

from services.domain.monitoring import causes
from services.domain.monitoring.frame import CAMERA_RATIO_GRID, RATIO_GRID, MonitorFrame
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from tests.fakes.simulated_coils import STEEL, a_line, pack_named

NORMAL, METRES, FALSE = 0.2, 100.0, 0.1
"""Defects, metres and false calls that are normal on a coil."""


def a_frame(pack: str = "generic") -> MonitorFrame:
    return monitor_frame(a_line(), STEEL, pack_named(pack))


@dataclass
class Past:
    """A monitor that remembers coils on which every stream showed what is normal, as if counts were not whole."""

    coils: int = 100

    def __post_init__(self) -> None:
        state = MonitorState.new(a_frame())
        state.coils = self.coils
        state.baseline_count[:] = 1e6
        state.baseline_m[:] = 1e6 * METRES / NORMAL
        self.state = state
        for number in range(max(0, self.coils - HISTORY_COILS), self.coils):
            place = number % HISTORY_COILS
            state.ring_m[place] = METRES
            state.ring_camera_expected[place] = FALSE / len(STEEL)
            state.ring_times[place] = (60.0 * number, 100.0 * number)
            state.ring_coils[place] = f"coil-{number}"
            for group in range(3):
                for label in range(len(STEEL)):
                    self.show(group, label, number, NORMAL)
            for camera in range(3):
                self.invent(camera, number, FALSE)

    def show(self, group: int, label: int, number: int, count: float) -> "Past":
        """Let a stream show a number of defects on a coil, attributed without doubt."""
        place = number % HISTORY_COILS
        self.state.ring_count[place, group, label] = count
        self.state.ring_gain[place, :, group, label] = count * np.log(RATIO_GRID)
        return self

    def invent(self, camera: int, number: int, calls: float, label: int | None = None) -> "Past":
        """Let a camera invent defects on a coil, of one label or of all alike; nothing was there without doubt."""
        place = number % HISTORY_COILS
        self.state.ring_calls[place, camera] = calls
        by_label = np.full(len(STEEL), calls / len(STEEL)) if label is None else calls * np.eye(len(STEEL))[label]
        self.state.ring_camera[place, :, camera] = np.log(CAMERA_RATIO_GRID)[:, None] * by_label
        return self

    def attribute(self, *, explained: object = False, flagged: object = False) -> causes.Attribution:
        return causes.attribute(
            self.state,
            a_frame(),
            np.broadcast_to(np.asarray(explained, dtype=np.bool_), (3, len(STEEL))),
            np.broadcast_to(np.asarray(flagged, dtype=np.bool_), (3,)),
        )


def a_failing(group: int, label: int, since: int, *, coils: int = 100, ratio: float = 5.0) -> Past:
    past = Past(coils)
    for number in range(since, coils):
        past.show(group, label, number, NORMAL * ratio)
    return past
