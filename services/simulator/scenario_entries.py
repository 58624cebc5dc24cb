"""The shape of a scenario file: what may stand in it, with the evaluation protocol as the default."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from services.contracts.yaml_file import Entry, Id, Text
from services.domain.simulation.faults import CameraFaultKind, FaultShape
from services.domain.simulation.protocol import (
    PROTOCOL_BASELINE,
    PROTOCOL_MATERIAL,
    PROTOCOL_SENSITIVITY,
    PROTOCOL_SURVIVAL,
)
from services.domain.topology import DEFAULT_MODEL


def _odds(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{value:g} is not between 0 and 1")
    return value


Share = Annotated[float, AfterValidator(_odds)]
Rate = Annotated[float, Field(ge=0, le=100)]
Coil = Annotated[int, Field(ge=0, le=10_000_000)]


class RollEntry(Entry):
    """A roll as the line file knows it."""

    id: Id
    diameter_mm: float = Field(gt=0, le=5000)
    forward_slip: float | None = Field(default=None, ge=-0.1, le=0.3)
    forward_slip_tolerance: float = Field(default=0.02, ge=0, le=0.2)


class MachineEntry(Entry):
    """A machine as the line file knows it."""

    id: Id
    kind: Id = "machine"
    position_m: float = Field(ge=0)
    elongation: float = Field(default=0.0, ge=-0.05, le=1.5)
    rolls: tuple[RollEntry, ...] = ()


class CameraEntry(Entry):
    """A camera, and how it really sees."""

    id: Id
    behind: Id
    position_m: float = Field(ge=0)
    sensitivity: Share = 0.85
    sensitivity_by_class: dict[Id, Share] = Field(default_factory=dict)
    false_positives_per_frame: Annotated[float, Field(ge=0, le=0.9)] = 5e-4
    coverage: Share = 1.0
    block_frames: int = Field(default=20, ge=1)
    clock_skew_s: float = Field(default=0.0, ge=-3600, le=3600)


class LineEntry(Entry):
    """The line."""

    id: Id = "sim-1"
    speed_m_s: float = Field(default=3.0, gt=0, le=50)
    material: Id = PROTOCOL_MATERIAL
    model: Id = DEFAULT_MODEL
    machines: tuple[MachineEntry, ...] = Field(
        default=tuple(
            MachineEntry(id=f"m{number}", position_m=10.0 * number)
            for number in range(1, len(PROTOCOL_SENSITIVITY) + 1)
        ),
        min_length=1,
    )
    cameras: tuple[CameraEntry, ...] = Field(
        default=tuple(
            CameraEntry(id=f"cam-{number}", behind=f"m{number}", position_m=10.0 * number + 5, sensitivity=share)
            for number, share in enumerate(PROTOCOL_SENSITIVITY, 1)
        ),
        min_length=1,
    )


class StripEntry(Entry):
    """Coils and frames."""

    coils: int = Field(default=160, ge=1, le=10_000_000)
    frames_per_coil: int = Field(default=200, ge=1, le=1_000_000)
    frame_pitch_m: float = Field(default=0.5, gt=0, le=1000)
    frame_grid: Literal["aligned", "random_phase"] = "aligned"
    start: AwareDatetime = datetime.fromisoformat("2026-01-05T06:00:00+00:00")


class TrackingEntry(Entry):
    """What the export says of places."""

    positions: bool = True
    positions_from: Literal["strip", "coil"] = "strip"
    coil_ids: bool = True
    jitter_m: float = Field(default=0.0, ge=0, le=100)


class BaselineEntry(Entry):
    """Defects per frame of sound machines: for all, for a class, for a machine, or for a class of a machine."""

    per_frame: Rate = PROTOCOL_BASELINE
    by_class: dict[Id, Rate] = Field(default_factory=dict)
    by_machine: dict[Id, Rate | dict[Id, Rate]] = Field(default_factory=dict)


class SurvivalEntry(Entry):
    """Probability that an older defect is still visible behind a machine."""

    per_stage: Share = PROTOCOL_SURVIVAL
    by_class: dict[Id, Share] = Field(default_factory=dict)
    by_machine: dict[Id, Share | dict[Id, Share]] = Field(default_factory=dict)


class ConfusionEntry(Entry):
    """How classes are mixed up: the shares of right labels, a matrix, or a CSV; nothing: the protocol's."""

    diagonal: Share | tuple[Share, ...] | None = None
    matrix: tuple[tuple[Share, ...], ...] | None = None
    csv: Path | None = None


class FaultEntry(Entry):
    """A machine that fails."""

    machine: Id
    defect_class: Id = Field(alias="class")
    factor: float = Field(default=5.0, ge=0, le=10_000)
    rate_per_km: float | None = Field(default=None, ge=0)
    shape: FaultShape = FaultShape.STEP
    onset_coil: Coil = 60
    until_coil: Coil | None = None
    ramp_coils: int = Field(default=50, ge=1)
    duty: float = Field(default=0.3, gt=0, le=1)
    burst_coils: int = Field(default=3, ge=1)


class RollMarkEntry(Entry):
    """A roll that leaves a mark every turn."""

    machine: Id
    roll: Id
    defect_class: Id = Field(alias="class")
    forward_slip: float = Field(default=0.0, ge=-0.1, le=0.3)
    lane: Share = 0.5
    detection: Share = 0.5
    onset_coil: Coil = 60
    until_coil: Coil | None = None
    jitter_m: float = Field(default=0.005, ge=0, le=1)


class CameraFaultEntry(Entry):
    """A camera that fails."""

    camera: Id
    kind: CameraFaultKind
    onset_coil: Coil = 60
    until_coil: Coil | None = None
    factor: float | None = Field(default=None, ge=0, le=10_000)
    share: float = Field(default=0.3, ge=0, le=0.99)
    defect_class: Id | None = Field(default=None, alias="class")
    spot: tuple[Share, Share] = (0.7, 0.4)


class SurplusEntry(Entry):
    """A weld where none belongs."""

    coil: Coil
    at_m: float = Field(ge=0)


class WeldsEntry(Entry):
    """A weld at every joint, with a notch and a tracking hole behind it."""

    machine: Id
    detection: Share = 0.98
    notch_m: float = Field(default=0.6, ge=0, le=100)
    hole_m: float = Field(default=1.2, ge=0, le=100)
    missing: tuple[Coil, ...] = ()
    surplus: tuple[SurplusEntry, ...] = ()


class OverdispersionEntry(Entry):
    """Gamma variation of rates from coil to coil."""

    shape: float = Field(default=2.0, gt=0)
    common: bool = True


class ScenarioEntry(Entry):
    """A whole scenario file; an empty one is the protocol in control."""

    about: Text | None = None
    classes: Literal["generic", "steel"] | tuple[Id, ...] = "generic"
    line: LineEntry = LineEntry()
    strip: StripEntry = StripEntry()
    tracking: TrackingEntry = TrackingEntry()
    baseline: BaselineEntry = BaselineEntry()
    survival: SurvivalEntry = SurvivalEntry()
    confusion: ConfusionEntry = ConfusionEntry()
    overdispersion: OverdispersionEntry | None = None
    faults: tuple[FaultEntry, ...] = ()
    cells: Literal["all"] | None = None
    roll_marks: tuple[RollMarkEntry, ...] = ()
    camera_faults: tuple[CameraFaultEntry, ...] = ()
    welds: WeldsEntry | None = None
