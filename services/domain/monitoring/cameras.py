"""Machine or lens? What each camera's pictures and sightings say about the camera itself."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain import fixed_place
from services.domain.camera_condition import (
    CameraCondition,
    CameraFinding,
    CameraFrames,
    camera_findings,
    silent,
)
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.masking import without_sightings
from services.domain.registration.coil import RegisteredCoil
from services.domain.registration.table import Codes, InspectionTable

Mask = npt.NDArray[np.bool_]

_STUCK_SHARE: Final = 0.8
_STUCK_FRAMES: Final = 20
_BLIND_CONDITIONS: Final = frozenset({CameraCondition.BLACK, CameraCondition.OVER_EXPOSED, CameraCondition.FROZEN})


@dataclass(frozen=True, slots=True)
class CameraCheck:
    """What is wrong with the cameras on one coil.

    Attributes:
        findings: Camera index and finding, in order of the cameras.
        sharpness: (J,) median sharpness of each camera, NaN where unknown.
    """

    findings: tuple[tuple[int, CameraFinding], ...]
    sharpness: npt.NDArray[np.float64]

    @property
    def useless(self) -> frozenset[int]:
        """Cameras whose pictures show nothing of the strip."""
        return frozenset(camera for camera, finding in self.findings if finding.kind in _BLIND_CONDITIONS)

    def of_kind(self, kind: CameraCondition) -> dict[int, CameraFinding]:
        """Return the findings of one kind by camera."""
        return {camera: finding for camera, finding in self.findings if finding.kind is kind}


def check_cameras(
    coil: RegisteredCoil, frame: MonitorFrame, usual_sharpness: npt.NDArray[np.float64]
) -> CameraCheck:
    """Judge every camera by what it delivered on one coil.

    Args:
        coil: As registered.
        frame: The set-up.
        usual_sharpness: (J,) median sharpness of each camera when it worked, NaN where unknown.
    """
    sharpness = np.full(len(frame.layout.cameras), np.nan)
    located = np.isfinite(coil.table.spot[:, 0]) & (coil.table.label >= 0)
    measured = coil.table.pictures is not None or int(located.sum()) >= fixed_place.LEAST_SPOTS
    if not measured:
        found = [(place, each) for place in range(len(sharpness)) for each in _by_sightings(coil, place)]
        return CameraCheck(tuple(found), sharpness)
    index = {name: place for place, name in enumerate(frame.layout.cameras)}
    camera = np.array([index.get(name, -1) for name in coil.table.cameras], dtype=np.int32)[coil.table.camera]
    most = int(coil.frames.max())
    found = []
    for place in range(len(sharpness)):
        rows = np.flatnonzero(camera == place)
        if coil.table.pictures is None and int(located[rows].sum()) < fixed_place.LEAST_SPOTS:
            missing = silent(most, len(rows))
            found += [(place, missing)] if missing else []
            continue
        frames = _frames_of(coil.table, rows)
        if np.isfinite(frames.sharpness).any():
            sharpness[place] = np.nanmedian(frames.sharpness)
        usual = usual_sharpness[place]
        findings = camera_findings(frames, float(usual) if np.isfinite(usual) else None, most)
        found += [(place, finding) for finding in findings]
    return CameraCheck(tuple(found), sharpness)


def without_blemishes(coil: RegisteredCoil, check: CameraCheck) -> RegisteredCoil:
    """Take the sightings that are dirt on a lens out of a coil."""
    for camera, finding in check.of_kind(CameraCondition.DIRTY_LENS).items():
        seen = coil.rows[:, camera] >= 0
        if finding.place is None:
            wrong = seen & ((coil.labels >= 0).sum(axis=1) == 1)
        else:
            wrong = seen & fixed_place.near(coil.table.spot[coil.rows[:, camera]], finding.place)
        coil = without_sightings(coil, camera, wrong)
    return coil


def _by_sightings(coil: RegisteredCoil, camera: int) -> tuple[CameraFinding, ...]:
    """Judge a camera of whose pictures nothing is known."""
    frames = int(coil.frames[camera])
    missing = silent(int(coil.frames.max()), frames)
    if missing is not None:
        return (missing,)
    alone = (coil.labels[:, camera] >= 0) & ((coil.labels >= 0).sum(axis=1) == 1) & ~coil.landmark
    if frames < _STUCK_FRAMES or alone.sum() < _STUCK_SHARE * frames:
        return ()
    codes, counts = np.unique(coil.labels[alone, camera], return_counts=True)
    share = float(counts.max() / frames)
    if share < _STUCK_SHARE:
        return ()
    name = coil.table.classes[int(codes[counts.argmax()])]
    reason = (
        f"{share:.0%} of its frames show {name} and no other camera confirms one: clean the lens and look at the"
        " picture before blaming a machine."
    )
    return (CameraFinding(CameraCondition.DIRTY_LENS, reason, int(counts.max()), share),)


def _frames_of(table: InspectionTable, rows: npt.NDArray[np.intp]) -> CameraFrames:
    label: Codes = table.label[rows]
    pictures = table.pictures
    unknown = np.full(len(rows), np.nan)
    return CameraFrames(
        captured_s=table.captured_s[rows],
        brightness=unknown if pictures is None else pictures.brightness[rows],
        saturated=unknown if pictures is None else pictures.saturated[rows],
        sharpness=unknown if pictures is None else pictures.sharpness[rows],
        picture_hash=np.zeros(len(rows), dtype=np.int64) if pictures is None else pictures.picture_hash[rows],
        label=label,
        spot=table.spot[rows],
        classes=table.classes,
    )
