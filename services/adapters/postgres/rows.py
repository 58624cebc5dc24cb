"""Turns inspections into statement parameters: one array per column, text made storable first."""

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import isfinite
from typing import Final

from services.adapters.postgres import arrays
from services.domain.inspection import Inspection, RejectedFrame

Parameters = tuple[arrays.BinaryArray, ...]

_ID_LIMIT: Final = 256
_DETAIL_LIMIT: Final = 2000
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"

INSERT_INSPECTIONS: Final = b"""
INSERT INTO millsight.inspections (
    frame_id, line_id, machine_id, camera_id, coil_id, material, captured_at, received_at, strip_position_m,
    sequence, defect_class, confidence, probabilities, model_name, model_version,
    topic, kafka_partition, kafka_offset, cluster_id, width_px, height_px,
    brightness, saturated, sharpness, picture_hash, spot_x, spot_y)
SELECT * FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
INSERT_IMAGES: Final = b"""
INSERT INTO millsight.inspection_images (
    frame_id, model_name, model_version, captured_at, camera_id, defect_class, content_type, image, evidence)
SELECT * FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
INSERT_REJECTED: Final = b"""
INSERT INTO millsight.rejected_frames (
    frame_id, camera_id, reason, detail, rejected_at, payload_bytes,
    topic, kafka_partition, kafka_offset, cluster_id, picture)
SELECT * FROM unnest(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
NOTE_CAMERAS: Final = b"SELECT millsight.note_cameras(%s, %s, %s)"
NOTE_COILS: Final = b"SELECT millsight.note_coils(%s, %s, %s, %s, %s)"


def clean(text: str, limit: int = _ID_LIMIT) -> str:
    """Make text storable: NUL and lone surrogates become U+FFFD, and it is cut to `limit` characters.

    The cut keeps every id far below the largest entry an index takes (about 2,700 bytes).
    """
    text = text[:limit].replace("\0", _REPLACEMENT)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_clean_id = lru_cache(maxsize=2048)(clean)


def _ids(values: Iterable[str | None]) -> arrays.BinaryArray:
    return arrays.texts([None if value is None else _clean_id(value) for value in values])


def inspection_columns(batch: Sequence[Inspection]) -> Parameters:
    """Return the parameters of `INSERT_INSPECTIONS`.

    Raises:
        OverflowError: A number of some row does not fit its column.
        ValueError: A probability of some row is no finite number.
    """
    return (
        arrays.uuids([i.frame_id for i in batch]),
        _ids([i.line_id for i in batch]),
        _ids([i.machine_id for i in batch]),
        _ids([i.camera_id for i in batch]),
        _ids([i.coil_id for i in batch]),
        _ids([i.material for i in batch]),
        arrays.timestamps([i.captured_at for i in batch]),
        arrays.timestamps([i.received_at for i in batch]),
        arrays.doubles([_finite(i.strip_position_m) for i in batch]),
        arrays.bigints([i.sequence for i in batch]),
        _ids([i.verdict.defect_class for i in batch]),
        arrays.reals([_required(i.verdict.confidence) for i in batch]),
        arrays.documents([_probabilities(i) for i in batch]),
        _ids([i.model_name for i in batch]),
        _ids([i.model_version for i in batch]),
        _ids([i.position.topic for i in batch]),
        arrays.integers([i.position.partition for i in batch]),
        arrays.bigints([i.position.offset for i in batch]),
        _ids([i.position.cluster_id for i in batch]),
        arrays.integers([i.width_px for i in batch]),
        arrays.integers([i.height_px for i in batch]),
        arrays.reals([_finite(i.brightness) for i in batch]),
        arrays.reals([_finite(i.saturated) for i in batch]),
        arrays.reals([_finite(i.sharpness) for i in batch]),
        arrays.bigints([i.picture_hash for i in batch]),
        arrays.reals([None if i.spot is None else _finite(i.spot[0]) for i in batch]),
        arrays.reals([None if i.spot is None else _finite(i.spot[1]) for i in batch]),
    )


def image_columns(batch: Sequence[Inspection]) -> Parameters:
    """Return the parameters of `INSERT_IMAGES` for inspections that keep their pixels."""
    return (
        arrays.uuids([i.frame_id for i in batch]),
        _ids([i.model_name for i in batch]),
        _ids([i.model_version for i in batch]),
        arrays.timestamps([i.captured_at for i in batch]),
        _ids([i.camera_id for i in batch]),
        _ids([i.verdict.defect_class for i in batch]),
        arrays.texts([content_type(i.image or b"") for i in batch]),
        arrays.blobs([i.image or b"" for i in batch]),
        arrays.documents([_evidence(i) for i in batch]),
    )


def rejected_columns(rejected: Sequence[RejectedFrame]) -> Parameters:
    """Return the parameters of `INSERT_REJECTED`."""
    return (
        arrays.uuids([r.frame_id for r in rejected]),
        _ids([r.camera_id for r in rejected]),
        _ids([r.reason for r in rejected]),
        arrays.texts([clean(r.detail, _DETAIL_LIMIT) for r in rejected]),
        arrays.timestamps([r.rejected_at for r in rejected]),
        arrays.bigints([r.payload_bytes for r in rejected]),
        _ids([r.position.topic for r in rejected]),
        arrays.integers([r.position.partition for r in rejected]),
        arrays.bigints([r.position.offset for r in rejected]),
        _ids([r.position.cluster_id for r in rejected]),
        arrays.blobs([r.picture for r in rejected]),
    )


def coil_columns(batch: Sequence[Inspection]) -> Parameters:
    """Return the parameters of `NOTE_COILS` for inspections that name their coil: first and last of each coil."""
    ends: dict[tuple[str, str], tuple[Inspection, Inspection]] = {}
    for inspection in batch:
        key = (inspection.line_id, inspection.coil_id or "")
        first, last = ends.get(key, (inspection, inspection))
        ends[key] = (
            min(first, inspection, key=lambda each: each.captured_at),
            max(last, inspection, key=lambda each: each.captured_at),
        )
    chosen = [each for pair in ends.values() for each in pair]
    return (
        _ids([i.line_id for i in chosen]),
        _ids([i.coil_id for i in chosen]),
        _ids([i.material for i in chosen]),
        arrays.timestamps([i.captured_at for i in chosen]),
        arrays.timestamps([i.received_at for i in chosen]),
    )


def camera_columns(batch: Sequence[Inspection]) -> Parameters:
    """Return the parameters of `NOTE_CAMERAS`."""
    return (
        _ids([i.camera_id for i in batch]),
        arrays.timestamps([i.captured_at for i in batch]),
        arrays.timestamps([i.received_at for i in batch]),
    )


def content_type(image: bytes) -> str:
    """Name the encoding of an image by its first bytes."""
    if image.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/png" if image.startswith(b"\x89PNG\r\n\x1a\n") else "application/octet-stream"


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _required(value: float) -> float:
    if not isfinite(value):
        raise ValueError(f"confidence {value} is no finite number")
    return value


def _probabilities(inspection: Inspection) -> str:
    rounded = {_clean_id(name): round(float(p), 6) for name, p in inspection.verdict.probabilities.items()}
    return json.dumps(rounded, allow_nan=False, separators=(",", ":"))


def _evidence(inspection: Inspection) -> str | None:
    grid = inspection.verdict.evidence
    if grid is None:
        return None
    rows = [[round(float(value), 4) for value in row] for row in grid]
    return json.dumps(rows, allow_nan=False, separators=(",", ":"))
