"""Inspected frames as columns: one row per frame and camera, `no_defect` included, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Texts = npt.NDArray[np.object_]

UNKNOWN: Final = -1
"""Code of a coil that no camera named; as a label it means that the camera looked and found nothing."""


@dataclass(frozen=True, slots=True)
class PictureColumns:
    """What the classifier measured of each picture; a row of `InspectionTable` each.

    Attributes:
        brightness: (N,) mean grey level, 0 to 1; NaN where unknown, as in the next two.
        saturated: (N,) share of white pixels, 0 to 1.
        sharpness: (N,) variance of the Laplacian, grey levels squared.
        picture_hash: (N,) equal for equal pictures; 0 where unknown.
    """

    brightness: Floats
    saturated: Floats
    sharpness: Floats
    picture_hash: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Return some rows."""
        return type(self)(*(getattr(self, each.name)[rows] for each in fields(self)))

    def joined(self, other: Self) -> Self:
        """Return the rows of both."""
        pairs = ((getattr(self, each.name), getattr(other, each.name)) for each in fields(self))
        return type(self)(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class InspectionTable:
    """Rows of one line.

    Attributes:
        cameras: Names behind `camera`, any order.
        coils: Names behind `coil`.
        classes: Names behind `label`, without `no_defect`.
        frame_id: (N,) texts; they name evidence and break ties, nothing else.
        camera: (N,) codes into `cameras`.
        coil: (N,) codes into `coils`; `UNKNOWN` where no coil is named.
        captured_s: (N,) capture time, seconds since 1970 UTC.
        position_m: (N,) place of the frame's centre along the strip, metres; NaN where unknown.
        label: (N,) codes into `classes`; `UNKNOWN` for `no_defect`.
        confidence: (N,) probability of the label, 0 to 1.
        spot: (N, 2) where in the image the evidence peaks, column then row, 0 to 1; NaN where unknown.
        pictures: What was measured of the pictures; None where nobody measured.
    """

    cameras: tuple[str, ...]
    coils: tuple[str, ...]
    classes: tuple[str, ...]
    frame_id: Texts
    camera: Codes
    coil: Codes
    captured_s: Floats
    position_m: Floats
    label: Codes
    confidence: Floats
    spot: Floats
    pictures: PictureColumns | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.camera)

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Self:
        """Return some rows, by indices or by mask; names stay."""
        return type(self)(
            self.cameras,
            self.coils,
            self.classes,
            self.frame_id[rows],
            self.camera[rows],
            self.coil[rows],
            self.captured_s[rows],
            self.position_m[rows],
            self.label[rows],
            self.confidence[rows],
            self.spot[rows],
            None if self.pictures is None else self.pictures.take(rows),
        )

    def joined(self, other: Self) -> Self:
        """Return the rows of both; both must share their names (see `recoded`)."""
        pictures = None
        if self.pictures is not None and other.pictures is not None:
            pictures = self.pictures.joined(other.pictures)
        return type(self)(
            self.cameras,
            self.coils,
            self.classes,
            np.concatenate((self.frame_id, other.frame_id)),
            np.concatenate((self.camera, other.camera)),
            np.concatenate((self.coil, other.coil)),
            np.concatenate((self.captured_s, other.captured_s)),
            np.concatenate((self.position_m, other.position_m)),
            np.concatenate((self.label, other.label)),
            np.concatenate((self.confidence, other.confidence)),
            np.concatenate((self.spot, other.spot)),
            pictures,
        )

    def recoded(self, cameras: Sequence[str], coils: Sequence[str], classes: Sequence[str]) -> Self:
        """Return the same rows with codes into other lists of names, which must hold all names in use."""
        return replace(
            self,
            cameras=tuple(cameras),
            coils=tuple(coils),
            classes=tuple(classes),
            camera=_recode(self.camera, self.cameras, cameras),
            coil=_recode(self.coil, self.coils, coils),
            label=_recode(self.label, self.classes, classes),
        )


ROW_COLUMNS: Final = (
    "frame_id", "camera", "coil", "captured_s", "position_m", "label", "confidence", "spot"
)  # fmt: skip
"""Attributes that have one entry per row, `pictures` left out."""


def _recode(codes: Codes, old: Sequence[str], new: Sequence[str]) -> Codes:
    places = {name: place for place, name in enumerate(new)}
    table = np.array([places.get(name, UNKNOWN) for name in old] + [UNKNOWN], dtype=np.int32)
    return np.asarray(table[codes], dtype=np.int32)
