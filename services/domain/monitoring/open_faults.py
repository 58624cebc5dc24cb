"""Causes that are flagged and not yet over: what the charts must know of them, and when they are over."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.monitoring.beginning import Beginning
from services.domain.monitoring.fold import Standing
from services.domain.monitoring.frame import CAMERA_RATIO, MonitorFrame
from services.domain.monitoring.state import MonitorState

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

CLEAR_NATS: Final = float(np.log(1000.0))
"""Back in control when that is a thousand times as likely as the raised rate."""
_LEAST_RAISED, _MOST_RAISED = 2.0, 5.0
_CAMERA_CLEAR_COILS: Final = 5
_LEAK_SHARE, _ANY_LEAK_SHARE = 0.35, 0.05


@dataclass(slots=True)
class OpenFault:
    """A flagged machine group and class.

    Attributes:
        group: Index of the group; `defect_class` of the class.
        alarm: Number of the coil of the alarm; `onset`, `onset_low`, `onset_high` of the first coil of the excess.
        began: Names of these coils.
        count: Defects since the onset, posterior-weighted; `metres` the detectable metres of them.
        normal: Rate before the onset, defects per detectable metre, known as Gamma(`normal_count`, `normal_m`).
        peak: Highest chart so far; `chart` the latest, nats.
        limit: Threshold at the alarm.
        clear_chart: CUSUM of being back in control, nats.
        posterior: Cause to probability at the alarm.
        period_m: Spacing found in the marks; `rolls` that fit it; `looked_at` marks when it was looked for last.
        loss: Money lost since the alarm; `loss_m` metres of defective strip.
    """

    group: int
    defect_class: int
    alarm: int
    onset: int
    onset_low: int
    onset_high: int
    count: float
    metres: float
    normal_count: float
    normal_m: float
    peak: float
    chart: float
    limit: float
    began: Beginning
    clear_chart: float = 0.0
    posterior: dict[str, float] = field(default_factory=dict)
    period_m: float | None = None
    rolls: list[str] = field(default_factory=list)
    looked_at: int = 0
    loss: float = 0.0
    loss_m: float = 0.0

    @property
    def normal(self) -> float:
        """Rate before the onset, defects per detectable metre."""
        return self.normal_count / self.normal_m

    @property
    def ratio(self) -> float:
        """Rate since the onset over the rate before."""
        return self.count / max(self.metres, 1e-9) / self.normal


@dataclass(slots=True)
class CameraFault:
    """A flagged camera: it invents defects (`kind` 'invents', 'dirty_lens') or fails to see them ('blind').

    Attributes:
        camera: Index.
        alarm: Number of the coil of the alarm; `onset` of the first coil; `began` their names.
        calls: False calls since the onset; `expected` what is usual over the same frames.
        good_coils: Successive coils on which it behaved; `seen_again` whether the latest coil showed the blemish.
        clear_chart: CUSUM of being back to normal, nats.
    """

    camera: int
    kind: str
    alarm: int
    onset: int
    onset_low: int
    onset_high: int
    calls: float
    expected: float
    peak: float
    limit: float
    reason: str
    began: Beginning
    posterior: dict[str, float] = field(default_factory=dict)
    good_coils: int = 0
    clear_chart: float = 0.0
    seen_again: bool = False


def raised_rates(faults: list[OpenFault], frame: MonitorFrame) -> Floats:
    """Return (G, C) the factor on the normal rate of every stream with an open fault, 1 elsewhere."""
    groups, classes, _ = frame.shape
    raised = np.ones((groups, classes))
    for fault in faults:
        raised[fault.group, fault.defect_class] = max(1.0, fault.ratio)
    return raised


def explained(faults: list[OpenFault], frame: MonitorFrame) -> Mask:
    """Return (G, C) whether a stream has an open fault."""
    groups, classes, _ = frame.shape
    mask = np.zeros((groups, classes), dtype=np.bool_)
    for fault in faults:
        mask[fault.group, fault.defect_class] = True
    return mask


def excused_labels(faults: list[OpenFault], frame: MonitorFrame) -> Mask:
    """Return (J, C) labels that say nothing against a camera: an open fault upstream makes them."""
    _, classes, cameras = frame.shape
    mask = np.zeros((cameras, classes), dtype=np.bool_)
    for fault in faults:
        mask[int(frame.layout.first_camera[fault.group]) :, fault.defect_class] = True
    return mask


def is_leak(place: tuple[int, int], rate: float, faults: list[OpenFault]) -> bool:
    """Tell whether a stream's excess may come from an open fault of its class or its group.

    Attribution is only as good as what is known of the cameras for this class, so a second group is blamed for a
    class (and a group for a second class) only when its excess is at least `_LEAK_SHARE` of the fault's own, and
    anything else when it is at least `_ANY_LEAK_SHARE` of it.

    Args:
        place: Group and class.
        rate: Excess of the stream, defects per detectable metre.
        faults: Open faults.
    """
    for fault in faults:
        related = fault.group == place[0] or fault.defect_class == place[1]
        share = _LEAK_SHARE if related else _ANY_LEAK_SHARE
        if rate < share * (fault.ratio - 1) * fault.normal:
            return True
    return False


def follow(fault: OpenFault, state: MonitorState, standing: Standing) -> bool:
    """Take one coil into an open fault; return whether it is over.

    The chart of being back in control adds the log-likelihood ratio of the normal rate to a rate raised 2- to
    5-fold, or to one defect a coil where that is more (the fault's own ratio in between), falls to 0 at worst, and
    decides at `CLEAR_NATS`.
    """
    place = (fault.group, fault.defect_class)
    evidence = standing.reading.evidence
    fault.count += float(evidence.count[place])
    fault.metres += float(evidence.metres[place])
    fault.chart = float(standing.charts[place])
    fault.peak = max(fault.peak, fault.chart)
    usual = fault.normal * float(evidence.metres[place])
    ratio = min(max(fault.ratio, _LEAST_RAISED), max(_MOST_RAISED, 1 / max(usual, 1e-9)))
    odds = evidence.odds[:, fault.group, fault.defect_class]
    step = float(np.log1p((ratio - 1) * odds).sum()) - (ratio - 1) * usual
    fault.clear_chart = max(0.0, fault.clear_chart - step)
    return fault.clear_chart >= CLEAR_NATS and state.coils - 1 > fault.alarm


def follow_camera(fault: CameraFault, standing: Standing, sightings: float, usual: float) -> bool:
    """Take one coil into a camera's fault; return whether it is over.

    A camera that invents is cleared as a machine is: by the likelihood ratio of its usual rate of false calls to
    half the raised one. One that is blind or dirty must behave for some coils: report at least half of what is
    usual there, or nothing that stays at one place of the image.

    Args:
        fault: Is changed.
        standing: After the coil.
        sightings: Frames the camera called a defect.
        usual: What it does on as much strip.
    """
    camera, reading = fault.camera, standing.reading
    if fault.kind == "invents":
        fault.calls += float(reading.camera_calls[camera])
        fault.expected += float(reading.camera_expected[camera])
        ratio = min(max(fault.calls / max(fault.expected, 1e-9) / 2, _LEAST_RAISED), CAMERA_RATIO)
        step = float(reading.camera_calls[camera] * np.log(ratio) - (ratio - 1) * reading.camera_expected[camera])
        fault.clear_chart = max(0.0, fault.clear_chart - step)
        return fault.clear_chart >= CLEAR_NATS
    behaves = sightings >= max(usual / 2, 1.0) if fault.kind == "blind" else not fault.seen_again
    fault.good_coils = fault.good_coils + 1 if behaves else 0
    return fault.good_coils >= _CAMERA_CLEAR_COILS
