"""The learning coils, read again: what only all of them together show is not known while the first ones are read.

Until the false calls of a camera are known, some are taken for defects, and these for failing eyesight of its
neighbours. So what the cameras said on the learning coils is kept, and when the learning ends it is read over and
over, each time in the light of the reading before (expectation-maximisation), until nothing moves any more.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import detection_probability, likelihoods
from services.domain.attribution.posterior import posterior
from services.domain.monitoring import camera_book
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.reading import CoilReading
from services.domain.monitoring.state import MonitorState
from services.domain.monitoring.streams import CoilEvidence
from services.domain.registration.coil import RegisteredCoil

_MOST_ROUNDS: Final = 40
_SETTLED: Final = 0.01
"""False calls and defects that change by less than this, relative, are settled."""
_MOST_LABELS: Final = 1_000_000
"""Once so many labels (defects x cameras) are kept, the line is known well enough: no further coil is kept."""
_LEARNT: Final = (
    "false_calls", "false_frames", "false_labels", "hits", "trials", "confusion", "learnt_count", "learnt_m",
    "baseline_count", "baseline_m", "sharp_count", "sharp_of",
)  # fmt: skip


def keep(state: MonitorState, reading: CoilReading, coil: RegisteredCoil) -> None:
    """Keep what the cameras said on a learning coil."""
    if state.lesson_labels.size >= _MOST_LABELS:
        return
    cells = np.full(len(reading.labels), float(coil.pitch_m.max()))
    state.lesson_labels = np.concatenate((state.lesson_labels, reading.labels))
    state.lesson_asked = np.concatenate((state.lesson_asked, coil.asked[reading.rows]))
    state.lesson_cell_m = np.concatenate((state.lesson_cell_m, cells))
    looked = np.concatenate((state.lesson_looked, coil.looked))
    metres = np.concatenate((state.lesson_looked_m, coil.looked_m))
    state.lesson_looked, place = np.unique(looked, axis=0, return_inverse=True)
    sums = np.bincount(place.ravel(), weights=metres, minlength=len(state.lesson_looked))
    state.lesson_looked_m = sums.astype(np.float64)
    state.lesson_frames = state.lesson_frames + coil.frames


def read_again(state: MonitorState, frame: MonitorFrame) -> None:
    """Learn the kept coils anew, all together; ends the learning and forgets them.

    What was learnt as normal is held against nobody: the evidence of these coils is forgotten too.
    """
    doubtful = np.zeros(len(frame.layout.cameras), dtype=np.bool_)
    if len(state.lesson_looked):
        for _ in range(_MOST_ROUNDS):
            learnt = _round(state, frame, doubtful)
            moved = max(
                _change(state.false_calls, learnt.false_calls), _change(state.learnt_count, learnt.learnt_count)
            )
            for name in _LEARNT:
                setattr(state, name, getattr(learnt, name))
            if moved < _SETTLED:
                break
    forget(state)
    for gone in (state.ring_gain, state.ring_m, state.ring_camera, state.ring_camera_expected, state.ring_calls):
        gone[:] = 0.0


def forget(state: MonitorState) -> None:
    """Forget the kept coils."""
    for name in ("lesson_labels", "lesson_asked", "lesson_cell_m", "lesson_looked", "lesson_looked_m"):
        setattr(state, name, getattr(state, name)[:0])
    state.lesson_frames = np.zeros_like(state.lesson_frames)


def _round(state: MonitorState, frame: MonitorFrame, doubtful: npt.NDArray[np.bool_]) -> MonitorState:
    """Return a new state that has learnt the kept coils in the light of the old one."""
    first = frame.layout.first_camera
    parameters = camera_book.learnt(state, frame)
    fits = likelihoods(state.lesson_labels, first, parameters, state.lesson_asked)
    found = posterior(fits, state.rate * state.lesson_cell_m[:, None, None], 1.0)
    chance = detection_probability(state.lesson_looked, first, parameters)
    metres = np.tensordot(state.lesson_looked_m, chance, axes=1)
    learnt = MonitorState.new(frame, state.began)
    camera_book.learn(learnt, state.lesson_labels, found, state.lesson_frames.astype(np.int64), doubtful)
    _take_last_camera_for_a_usual_one(learnt)
    evidence = CoilEvidence(found.born.sum(axis=0), metres, found.born)
    learnt.learnt_count += evidence.count
    learnt.learnt_m += metres
    learnt.baseline_count += evidence.count
    learnt.baseline_m += metres
    learnt.sharp_count += evidence.sharp()
    learnt.sharp_of += evidence.count
    return learnt


def _take_last_camera_for_a_usual_one(learnt: MonitorState) -> None:
    """Give the last camera the false calls of the others: nobody behind it tells them from the last machine."""
    others = learnt.false_frames[:-1].sum()
    if others > 0:
        learnt.false_calls[-1] = learnt.false_frames[-1] * learnt.false_calls[:-1].sum() / others


def _change(before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]) -> float:
    return float(np.abs(after - before).sum() / max(float(after.sum()), 1e-9))
