"""Moves a line's monitor forward by one coil."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.monitoring.alarms import clear_cameras, clear_faults, raise_cameras, raise_faults
from services.domain.monitoring.cameras import CameraCheck, check_cameras, without_blemishes
from services.domain.monitoring.fold import Standing, fold
from services.domain.monitoring.masking import without_cameras
from services.domain.monitoring.monitor import LineMonitor
from services.domain.monitoring.open_faults import CameraFault, OpenFault
from services.domain.registration.coil import RegisteredCoil

_SHARPNESS_COILS: Final = 100.0


@dataclass(frozen=True, slots=True)
class CoilOutcome:
    """What became of one coil.

    Attributes:
        name: Of the coil.
        coil: As registered, without what cameras in trouble said.
        standing: Charts and readings.
        check: What is wrong with the cameras.
        raised: Machine faults that were raised on this coil; `cleared` those that are over.
        cameras_raised: Camera faults raised on this coil; `cameras_cleared` those that are over.
    """

    name: str
    coil: RegisteredCoil
    standing: Standing
    check: CameraCheck
    raised: tuple[OpenFault, ...]
    cleared: tuple[OpenFault, ...]
    cameras_raised: tuple[CameraFault, ...]
    cameras_cleared: tuple[CameraFault, ...]


def take_coil(monitor: LineMonitor, name: str, coil: RegisteredCoil) -> CoilOutcome:
    """Take the next coil of the line.

    Args:
        monitor: Is changed.
        name: Of the coil.
        coil: As registered; coils come in the order of the line.
    """
    check = check_cameras(coil, monitor.frame, monitor.sharpness)
    _learn_sharpness(monitor, check)
    seen, usual = coil.sightings.astype(np.float64), _usual_sightings(monitor, coil)
    coil = without_cameras(without_blemishes(coil, check), _ignored(monitor, check))
    standing = fold(monitor.state, monitor.frame, coil, name, monitor.known)
    monitor.log.note(standing.number, coil, standing.reading)
    cleared = clear_faults(monitor, standing)
    cameras_cleared = clear_cameras(monitor, standing, check, seen, usual)
    in_trouble = raise_cameras(monitor, standing, check)
    raised, inventing = ([], []) if standing.learning else raise_faults(monitor, standing)
    return CoilOutcome(
        name=name,
        coil=coil,
        standing=standing,
        check=check,
        raised=tuple(raised),
        cleared=cleared,
        cameras_raised=(*in_trouble, *inventing),
        cameras_cleared=cameras_cleared,
    )


def _ignored(monitor: LineMonitor, check: CameraCheck) -> npt.NDArray[np.bool_]:
    """Return (J,) cameras that show nothing of the strip: they do not count as having looked."""
    ignored = np.zeros(len(monitor.frame.layout.cameras), dtype=np.bool_)
    ignored[list(check.useless | {each.camera for each in monitor.camera_faults if each.kind == "blind"})] = True
    return ignored


def _learn_sharpness(monitor: LineMonitor, check: CameraCheck) -> None:
    """Take cameras' sharpness into what is usual, unless their pictures are in doubt."""
    doubtful = {camera for camera, _ in check.findings}
    for camera, value in enumerate(check.sharpness):
        if camera not in doubtful and np.isfinite(value):
            before = monitor.sharpness[camera]
            weight = 1.0 if np.isnan(before) else 1 / _SHARPNESS_COILS
            monitor.sharpness[camera] = value if weight == 1.0 else (1 - weight) * before + weight * value


def _usual_sightings(monitor: LineMonitor, coil: RegisteredCoil) -> npt.NDArray[np.float64]:
    state = monitor.state
    return np.asarray(state.eyesight / np.maximum(state.eyesight_m, 1e-9) * coil.inspected_m, dtype=np.float64)
