"""Takes out what a camera says when it is known to be wrong: it then neither accuses nor clears anybody."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import NOT_LOOKED
from services.domain.registration.coil import RegisteredCoil

Mask = npt.NDArray[np.bool_]


def without_cameras(coil: RegisteredCoil, ignored: Mask) -> RegisteredCoil:
    """Return the coil as if some cameras had not looked; defects that only they reported are gone.

    Args:
        coil: As registered.
        ignored: (J,) cameras to leave out.
    """
    if not ignored.any():
        return coil
    labels = coil.labels.copy()
    labels[:, ignored] = NOT_LOOKED
    rows = coil.rows.copy()
    rows[:, ignored] = -1
    looked = coil.looked.copy()
    looked[:, ignored] = False
    blind = replace(
        coil,
        labels=labels,
        rows=rows,
        looked=looked,
        frames=np.where(ignored, 0, coil.frames),
        inspected_m=np.where(ignored, 0.0, coil.inspected_m),
    )
    return _only(blind)


def without_sightings(coil: RegisteredCoil, camera: int, wrong: Mask) -> RegisteredCoil:
    """Return the coil without some sightings of one camera; defects that only they reported are gone.

    Args:
        coil: As registered.
        camera: Index.
        wrong: (D,) defects whose sighting by this camera is a blemish on its lens.
    """
    if not wrong.any():
        return coil
    labels = coil.labels.copy()
    labels[wrong, camera] = NOT_LOOKED
    rows = coil.rows.copy()
    rows[wrong, camera] = -1
    return _only(replace(coil, labels=labels, rows=rows))


def _only(coil: RegisteredCoil) -> RegisteredCoil:
    """Drop defects that no camera reports any more."""
    kept: Mask = np.asarray((coil.labels >= 0).any(axis=1), dtype=np.bool_)
    labels = coil.labels[kept]
    landmark = coil.landmark[kept]
    return replace(
        coil,
        labels=labels,
        rows=coil.rows[kept],
        asked=coil.asked[kept],
        place_m=coil.place_m[kept],
        half_m=coil.half_m[kept],
        landmark=landmark,
        sightings=((labels >= 0) & ~landmark[:, None]).sum(axis=0).astype(np.int64),
    )
