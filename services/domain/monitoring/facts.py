"""What the process monitor states: registered defects, coil records, flags, camera conditions.

These are the values that the database keeps and that `millsight analyse` prints. Everything in them follows from
the inspections alone: computing a coil again gives the same facts under the same ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

FALSE_ALARM = "none"
"""Key of 'no machine: false alarm' in posteriors over causes."""
COIL_CHANGE = "coil_change"
"""The cause of a landmark."""
CAMERA_PREFIX = "camera:"
"""A cause that is a camera, not a machine, is written `camera:<camera_id>` in posteriors."""


@dataclass(frozen=True, slots=True)
class MachineGroup:
    """Machines that no camera separates: the smallest thing that can be blamed.

    Attributes:
        group_id: Machine ids in strip order joined by '+'; of a single machine its id.
        machine_ids: In strip order.
        first_camera: The first camera behind them; None: no camera looks, so nothing is known of them.
    """

    line_id: str
    group_id: str
    machine_ids: tuple[str, ...]
    first_camera: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """One camera's report of a defect."""

    camera_id: str
    frame_id: str
    label: str
    confidence: float
    captured_at: datetime
    position_m: float


@dataclass(frozen=True, slots=True)
class RegisteredDefect:
    """One physical defect, with everything the cameras said of it.

    Attributes:
        position_m: Its place along the strip, on the scale of the line's first camera; `position_sd_m` how well
            it is known (half the width of what all sightings have in common).
        sightings: In order of the cameras.
        looked: Cameras that looked there and saw nothing, in strip order. A camera in neither list did not look.
        class_posterior: Class to probability, over what it is if it is a defect.
        cause_posterior: Group id to probability, and `FALSE_ALARM`; sums to 1. Of a landmark: `COIL_CHANGE`.
        landmark: A mark of a coil change (weld, tracking hole, notch): an event, never a machine's fault.
    """

    defect_id: UUID
    line_id: str
    coil_id: str
    position_m: float
    position_sd_m: float
    sightings: tuple[Sighting, ...]
    looked: tuple[str, ...]
    class_posterior: Mapping[str, float]
    cause_posterior: Mapping[str, float]
    landmark: bool

    @property
    def first_camera(self) -> str:
        """Where it appeared first."""
        return self.sightings[0].camera_id

    @property
    def defect_class(self) -> str:
        """The most probable class."""
        return max(self.class_posterior, key=lambda name: self.class_posterior[name])


@dataclass(frozen=True, slots=True)
class StreamPoint:
    """One coil of one control chart: a machine group and a defect class.

    Attributes:
        first_seen: Expected number of registered defects that this group left on the coil (posterior weights).
        expected: The same if the group were in its baseline state.
        exposure_m: Metres of strip inspected, weighted with the chance that a defect is reported at all.
        statistic: CUSUM after this coil, nats.
    """

    group_id: str
    defect_class: str
    first_seen: float
    expected: float
    exposure_m: float
    statistic: float


@dataclass(frozen=True, slots=True)
class CameraExposure:
    """What one camera did on one coil.

    Attributes:
        inspected_m: Metres of the coil on its frames, overlaps once.
        sensitivity: Running estimate of its sensitivity; None before anything is known.
        false_per_frame: Running estimate of its false calls.
        sightings: Frames it called a defect.
        confirmed: Of those, the ones that another camera confirmed or that no other camera could confirm.
    """

    camera_id: str
    frames: int
    inspected_m: float
    sightings: int
    confirmed: int
    sensitivity: float | None
    false_per_frame: float | None


@dataclass(frozen=True, slots=True)
class LandmarkEvent:
    """A coil-change mark; `kind` is 'seen', 'missing' or 'surplus' (it should not be there)."""

    kind: str
    defect_class: str
    position_m: float | None
    cameras: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoilRecord:
    """A coil that has passed all cameras, as the monitor judged it.

    Attributes:
        number: Place in the order of the line, from 0.
        length_m: Metres between the first and the last inspected place.
        state: 'learning' while the line's baseline is learnt, else 'monitored'.
        grade: By the material pack's rules; None when the pack has none.
        price: Of the whole coil, in the pack's currency; None without a price list for that day.
        quality_loss: Money lost to the best grade by cause (group id, 'unattributed'); `quality_loss_m` metres.
    """

    line_id: str
    coil_id: str
    number: int
    material: str
    started_at: datetime
    ended_at: datetime
    start_m: float
    length_m: float
    state: str
    exposures: tuple[CameraExposure, ...]
    points: tuple[StreamPoint, ...]
    landmarks: tuple[LandmarkEvent, ...]
    defects: int
    grade: str | None
    grade_reason: str | None
    price: float | None
    currency: str | None
    quality_loss: Mapping[str, float]
    quality_loss_m: Mapping[str, float]


class FlagKind(StrEnum):
    """What a flag points at."""

    MACHINE = "machine"
    """A machine or a group of machines makes more defects than its baseline."""
    CAMERA = "camera"
    """A camera invents defects, or sees fewer than it should: clean or mend the camera."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A degraded state (potential failure) that somebody must look at; one open flag per cause.

    Attributes:
        flag_id: Stable: computed again, the same alarm has the same id.
        group_id: Machine group, or `camera:<camera_id>`.
        defect_class: The class that is too frequent; None for a camera.
        severity: 4 act now, 3 plan this shift, 2 inspect, 1 watch.
        onset_coil: Coil in which it began (posterior median); `onset_low_coil`..`onset_high_coil` is the 95 %
            interval, `onset_position_m` the head of the onset coil.
        alarm_coil: Coil at whose end the statistic passed the threshold.
        statistic: CUSUM at the last coil looked at, nats; `peak` the largest so far.
        defects: Posterior-weighted count since the onset, over `exposure_m`.
        rate_per_km: Since the onset; `baseline_per_km` before; `rate_ratio` with its 95 % interval,
            None for a camera whose false calls are not what is wrong.
        posterior: Cause to probability over groups, `camera:…` and `FALSE_ALARM`.
        runner_up: The second most probable cause and its probability.
        member_posterior: Machine to probability within a group: a prior from the class, no camera tells.
        period_m: Spacing of the defects along the strip, None when they are not periodic.
        matched_rolls: Rolls that fit the period, best first; more than one is an ambiguity.
        trend_per_coil: Log-linear slope since the onset; projections are coils to the limit (P10, P50, P90).
        quality_loss: Money, since the onset; None without prices.
        evidence: Frame ids of the clearest sightings, newest first.
        cleared_coil: Coil at which the process was back in control; None while it is not.
    """

    flag_id: UUID
    line_id: str
    kind: FlagKind
    group_id: str
    machine_ids: tuple[str, ...]
    defect_class: str | None
    severity: int
    onset_coil: str
    onset_low_coil: str
    onset_high_coil: str
    onset_position_m: float | None
    onset_at: datetime
    alarm_coil: str
    alarm_at: datetime
    last_coil: str
    coils_since_onset: int
    detector: str
    statistic: float
    peak: float
    threshold: float
    arl0_coils: float
    defects: float
    exposure_m: float
    rate_per_km: float
    baseline_per_km: float
    rate_ratio: float | None
    ratio_low: float
    ratio_high: float
    posterior: Mapping[str, float]
    runner_up: str | None
    runner_up_probability: float
    member_posterior: Mapping[str, float]
    period_m: float | None
    matched_rolls: tuple[str, ...]
    trend_per_coil: float | None
    projected_coils: tuple[float, float, float] | None
    quality_loss: float | None
    quality_loss_m: float
    advice: str
    reason: str
    evidence: tuple[str, ...]
    cleared_coil: str | None

    @property
    def probability(self) -> float:
        """Posterior of the flagged cause itself."""
        return self.posterior.get(self.group_id, 0.0)
