"""Coil changes are events: which marks were seen, which are missing, which should not be there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import NOT_SEEN
from services.domain.monitoring.facts import LandmarkEvent
from services.domain.monitoring.frame import MonitorFrame
from services.domain.registration.coil import RegisteredCoil

_USUAL_SHARE: Final = 0.8
"""A line on which this share of coils showed a weld is expected to show one at every joint."""
_LEAST_COILS: Final = 5
_MEMORY_COILS: Final = 100.0
_CONFIRMED: Final = 2


@dataclass(slots=True)
class WeldBook:
    """How usual a weld is on this line: decayed counts of coils with one, and of all coils."""

    with_weld: float = 0.0
    coils: float = 0.0

    @property
    def expects_welds(self) -> bool:
        """Whether a coil without a weld is news."""
        return self.coils >= _LEAST_COILS and self.with_weld >= _USUAL_SHARE * self.coils

    def note(self, *, seen: bool) -> None:
        """Take one coil."""
        fade = 1 - 1 / _MEMORY_COILS
        self.with_weld = fade * self.with_weld + seen
        self.coils = fade * self.coils + 1


def landmark_events(coil: RegisteredCoil, frame: MonitorFrame, book: WeldBook) -> tuple[LandmarkEvent, ...]:
    """Return the marks of coil changes on one coil, and take the coil into the book.

    A weld stands at the joint, at either end of the coil. One in between is surplus when most of the cameras that
    looked, and at least two (of a line with one camera: that one), call it a weld. One is missing when no camera
    calls anything at the joints a weld, on a line that usually shows them.

    Args:
        coil: As registered.
        frame: The set-up.
        book: Is changed.
    """
    weld = frame.landmarks.weld
    if weld is None:
        return ()
    events = [_event(coil, frame, int(defect)) for defect in np.flatnonzero(coil.landmark)]
    welds = np.flatnonzero(_is_weld(coil, weld))
    confirmed = [_event(coil, frame, int(defect)) for defect in welds]
    reach = frame.landmarks.beside_m + 2 * float(coil.pitch_m.max())
    called = np.flatnonzero((coil.labels == weld).any(axis=1))
    at_joint = [each for each in called if _to_joint_m(float(coil.place_m[each]), coil) <= reach]
    surplus = [each for each in confirmed if _to_joint_m(each.position_m or 0.0, coil) > reach]
    found = [each for each in events if each not in surplus]
    found += [LandmarkEvent("surplus", each.defect_class, each.position_m, each.cameras) for each in surplus]
    if not at_joint and book.expects_welds:
        cameras = tuple(
            name for name, frames in zip(frame.layout.cameras, coil.frames.tolist(), strict=True) if frames
        )
        found.append(LandmarkEvent("missing", frame.classes[weld], None, cameras))
    book.note(seen=bool(at_joint))
    return tuple(found)


def landmark_sentences(coil: str, events: Sequence[LandmarkEvent]) -> list[str]:
    """Return what people should know of a coil's marks; marks that are where they belong are no news."""
    sentences = []
    for event in events:
        name = event.defect_class.replace("_", " ")
        if event.kind == "missing":
            sentences.append(f"Coil {coil}: no {name} at its joint, although cameras looked.")
        elif event.kind == "surplus":
            sentences.append(f"Coil {coil}: a {name} at {event.position_m:.1f} m, away from its joints.")
    return sentences


def _event(coil: RegisteredCoil, frame: MonitorFrame, defect: int) -> LandmarkEvent:
    labels = coil.labels[defect]
    seen = labels >= 0
    codes, counts = np.unique(labels[seen], return_counts=True)
    weld = frame.landmarks.weld
    best = int(codes[counts.argmax()])
    if weld is not None and weld in codes and 2 * counts[codes == weld][0] >= seen.sum():
        best = weld
    cameras = tuple(name for name, saw in zip(frame.layout.cameras, seen.tolist(), strict=True) if saw)
    return LandmarkEvent("seen", frame.classes[best], float(coil.place_m[defect]), cameras)


def _is_weld(coil: RegisteredCoil, weld: int) -> npt.NDArray[np.bool_]:
    """Return which defects most of the cameras that looked, from the first sighting on, call a weld."""
    seen = coil.labels >= 0
    behind = np.cumsum(seen, axis=1) > 0
    looked = (behind & (coil.labels >= NOT_SEEN)).sum(axis=1)
    votes = (coil.labels == weld).sum(axis=1)
    needed = min(_CONFIRMED, int((coil.frames > 0).sum()))
    return np.asarray((votes >= needed) & (2 * votes > looked), dtype=np.bool_)


def _to_joint_m(place_m: float, coil: RegisteredCoil) -> float:
    return min(abs(place_m - coil.start_m), abs(place_m - coil.start_m - coil.length_m))
