"""From what was seen to the facts that are kept: inspections, rejected frames, dead letters. No I/O."""

from datetime import datetime

from services.classifier.looking import Rejection, SeenFrame
from services.classifier.unwrap import ReadFrame
from services.contracts.identity import frame_id_for_bare
from services.contracts.image_path import salvaged_jpeg, thumbnail_jpeg
from services.contracts.messages import DeadLetter
from services.contracts.picture_facts import spot_of
from services.contracts.topics import camera_id_of
from services.domain.inspection import Inspection, RejectedFrame
from services.domain.topology import UNASSIGNED, Topology


def inspection_of(
    seen: SeenFrame, topology: Topology, received_at: datetime, evidence_max_bytes: int
) -> Inspection:
    """State the inspection of a frame; a camera that no line names is kept as unassigned, never guessed."""
    frame, verdict, facts = seen.read.frame, seen.verdict, seen.facts
    station = topology.station(frame.camera_id)
    return Inspection(
        frame_id=frame.frame_id,
        line_id=UNASSIGNED if station is None else station.line_id,
        machine_id=UNASSIGNED if station is None else station.machine_id,
        camera_id=frame.camera_id,
        coil_id=frame.coil_id,
        material=frame.material if station is None else station.material,
        captured_at=frame.captured_at,
        received_at=received_at,
        strip_position_m=frame.strip_position_m,
        sequence=frame.sequence,
        width_px=seen.read.header.width_px,
        height_px=seen.read.header.height_px,
        verdict=verdict,
        model_name=seen.model_name,
        model_version=seen.model_version,
        position=seen.read.record.position,
        image=_evidence(seen.read, evidence_max_bytes) if verdict.is_defect or verdict.is_unsure else None,
        brightness=facts.brightness,
        saturated=facts.saturated,
        sharpness=facts.sharpness,
        picture_hash=facts.picture_hash,
        spot=spot_of(verdict.evidence),
    )


def rejected_frame_of(rejection: Rejection, rejected_at: datetime) -> RejectedFrame:
    """State that a record was rejected."""
    at = rejection.record.position
    return RejectedFrame(
        frame_id=frame_id_for_bare(at.cluster_id, at.topic, at.partition, at.offset),
        camera_id=camera_id_of(at.topic),
        reason=rejection.reason.value,
        detail=rejection.detail,
        rejected_at=rejected_at,
        payload_bytes=len(rejection.record.value),
        position=at,
        picture=salvaged_jpeg(rejection.record.value),
    )


def dead_letter_of(rejection: Rejection, rejected_at: datetime, app_version: str) -> DeadLetter:
    """Wrap a rejected record's original bytes with the reason and where it lay."""
    at = rejection.record.position
    return DeadLetter(
        frame_id=frame_id_for_bare(at.cluster_id, at.topic, at.partition, at.offset),
        reason=rejection.reason.value,
        detail=rejection.detail,
        origin_topic=at.topic,
        origin_partition=at.partition,
        origin_offset=at.offset,
        origin_timestamp=rejection.record.timestamp,
        rejected_at=rejected_at,
        app_version=app_version,
        key=rejection.record.key,
        payload=rejection.record.value,
    )


def _evidence(read: ReadFrame, max_bytes: int) -> bytes:
    return read.image if len(read.image) <= max_bytes else thumbnail_jpeg(read.image, read.header)
