"""The process monitor of one line: its set-up, what it remembers, and what is flagged."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.domain.monitoring import streams
from services.domain.monitoring.evidence_log import EvidenceLog
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.open_faults import (
    CameraFault,
    OpenFault,
    excused_labels,
    explained,
    raised_rates,
)
from services.domain.monitoring.reading import OpenStreams
from services.domain.monitoring.state import MonitorState

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True)
class LineMonitor:
    """Watches one line; `engine.take_coil` moves it forward.

    Attributes:
        frame: The set-up.
        state: What it remembers.
        log: The latest defects.
        faults: Open machine faults; `camera_faults` open camera faults.
        sharpness: (J,) usual sharpness of each camera's pictures, NaN where unknown.
    """

    frame: MonitorFrame
    state: MonitorState
    log: EvidenceLog = field(default_factory=EvidenceLog)
    faults: list[OpenFault] = field(default_factory=list)
    camera_faults: list[CameraFault] = field(default_factory=list)
    sharpness: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        """Begin without any knowledge of sharpness."""
        if not len(self.sharpness):
            self.sharpness = np.full(len(self.frame.layout.cameras), np.nan)

    @property
    def known(self) -> OpenStreams:
        """What open faults explain."""
        return OpenStreams(
            raised_rates(self.faults, self.frame),
            explained(self.faults, self.frame) | self.unjudged,
            excused_labels(self.faults, self.frame),
            self.flagged,
        )

    @property
    def flagged(self) -> Mask:
        """(J,) cameras with an open fault."""
        return np.isin(np.arange(len(self.frame.layout.cameras)), list(self.flagged_cameras))

    @property
    def unjudged(self) -> Mask:
        """(G, C) streams that only inventing cameras see: nothing can be said of these groups meanwhile."""
        inventing = {each.camera for each in self.camera_faults if each.kind == "invents"}
        cameras = len(self.frame.layout.cameras)
        mask = self.no_charts()
        mask[[set(range(first, cameras)) <= inventing for first in self.frame.layout.first_camera.tolist()]] = True
        return mask

    @property
    def flagged_cameras(self) -> frozenset[int]:
        """Cameras with an open fault."""
        return frozenset(each.camera for each in self.camera_faults)

    def no_charts(self) -> Mask:
        """Return (G, C) an empty choice of charts."""
        groups, classes, _ = self.frame.shape
        return np.zeros((groups, classes), dtype=np.bool_)

    def restart(self, charts: Mask) -> None:
        """Start machine charts anew, and forget what attribution would still hold against these streams."""
        streams.restart(self.state, charts)
        self.state.ring_gain[:, :, charts] = 0.0
        self.state.ring_m[:, charts] = 0.0

    def restart_chart(self, group: int, defect_class: int) -> None:
        """Start one machine chart anew."""
        charts = self.no_charts()
        charts[group, defect_class] = True
        self.restart(charts)

    def restart_cameras(self, cameras: Mask) -> None:
        """Start camera charts anew, and forget what attribution would still hold against these cameras."""
        self.state.camera_chart[cameras] = 0.0
        self.state.blind_chart[cameras] = 0.0
        self.state.ring_camera[:, :, cameras] = 0.0
        self.state.ring_camera_expected[:, cameras] = 0.0
        self.state.ring_calls[:, cameras] = 0.0

    def only_camera(self, camera: int) -> Mask:
        """Return (J,) a choice of one camera."""
        return np.asarray(np.arange(len(self.frame.layout.cameras)) == camera, dtype=np.bool_)

    def repaired(self, groups: frozenset[int]) -> None:
        """Take note that machine groups were worked on: their charts start anew, their faults are closed."""
        self.faults = [each for each in self.faults if each.group not in groups]
        charts = self.no_charts()
        charts[list(groups)] = True
        self.restart(charts)

    def accepted(self, fault: OpenFault) -> None:
        """Take note that a flag was rejected: the rate it shows is normal from now on."""
        self.faults = [each for each in self.faults if each is not fault]
        place = (fault.group, fault.defect_class)
        self.state.baseline_count[place] = max(fault.count, 0.5)
        self.state.baseline_m[place] = max(fault.metres, 1e-9)
        self.restart_chart(*place)
