"""Facts the classifier states about frames: an inspection, or why a frame could not be inspected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.domain.classes import NO_DEFECT

UNSURE_BELOW: Final = 0.6
"""A verdict of less confidence is one that a person should look at; index inspections_unsure has this number."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model said about one image.

    Attributes:
        probabilities: Class name to probability; sums to 1.
        defect_class: The most probable class, `no_defect` included.
        confidence: Probability of `defect_class`, 0 to 1.
        evidence: Evidence map of `defect_class`, rows of floats over a coarse grid of the image, or None.
    """

    probabilities: Mapping[str, float]
    defect_class: str
    confidence: float
    evidence: tuple[tuple[float, ...], ...] | None = None

    @property
    def is_defect(self) -> bool:
        """Whether the verdict names a defect."""
        return self.defect_class != NO_DEFECT

    @property
    def is_unsure(self) -> bool:
        """Whether a person should look at the frame."""
        return self.confidence < UNSURE_BELOW


@dataclass(frozen=True, slots=True)
class BrokerPosition:
    """Where a message lay in the broker; kept for audit, never used as identity of a spooled frame."""

    cluster_id: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspected frame: a row of table `inspections`.

    `captured_at` is the device's clock, `received_at` the classifier's; both are aware UTC. `strip_position_m`
    is the position along the strip of the frame's centre, None where the camera does not know it.
    `image` holds the JPEG or PNG bytes that are kept as evidence (defects, and frames the model is unsure about),
    None for frames whose pixels are not kept.

    What the picture says about its camera, None where nobody measured it: `brightness` (mean grey, 0 to 1),
    `saturated` (share of white pixels), `sharpness` (variance of the Laplacian, grey levels squared) and
    `picture_hash` (signed, 64 bits; equal pictures have equal hashes). `spot` is where in the image the evidence
    of a defect peaks, column then row, 0 to 1.
    """

    frame_id: UUID
    line_id: str
    machine_id: str
    camera_id: str
    coil_id: str | None
    material: str
    captured_at: datetime
    received_at: datetime
    strip_position_m: float | None
    sequence: int | None
    width_px: int
    height_px: int
    verdict: Verdict
    model_name: str
    model_version: str
    position: BrokerPosition
    image: bytes | None = None
    brightness: float | None = None
    saturated: float | None = None
    sharpness: float | None = None
    picture_hash: int | None = None
    spot: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class RejectedFrame:
    """A message that will never become an inspection: a row of table `rejected_frames` beside its dead letter.

    `frame_id` identifies the dead letter (from the broker position), so that a replay adds no second row.
    `reason` is a value of `services.contracts.errors.RejectReason`, `detail` one clear sentence, `picture` a small
    JPEG of what could be seen of it.
    """

    frame_id: UUID
    camera_id: str
    reason: str
    detail: str
    rejected_at: datetime
    payload_bytes: int
    position: BrokerPosition
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What storing one batch came to; `inserted + duplicates + unstorable` is the number of inspections given.

    `duplicates` were there already (a replay). `unstorable` are inspections whose values the database refuses;
    each of them left a row in `rejected_frames` instead, so that no frame is lost without a trace.
    """

    inserted: int
    duplicates: int
    unstorable: int = 0


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A served model as the records know it: digest of its weights, labels in output order, model card."""

    name: str
    version: str
    sha256: str
    labels: Sequence[str]
    card: Mapping[str, object]
