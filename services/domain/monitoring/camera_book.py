"""What the monitor knows of its cameras: how well they see, what they invent, how they mix classes up.

Sensitivity by capture-recapture: of the defects that cameras on both sides of a camera reported, the share that it
reported too. The first and the last camera have no neighbour on one side; they are taken to be as good as the
others on average. False calls are what only the hypothesis 'no defect there' explains well.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.parameters import TYPICAL_SENSITIVITY, TYPICAL_SURVIVAL, CameraParameters
from services.domain.attribution.posterior import Posterior
from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.state import MonitorState

Floats = npt.NDArray[np.float64]

MEMORY_COILS: Final = 300.0
"""What is learnt about cameras fades with this many coils."""
RECENT_COILS: Final = 5.0
"""What is taken for the present state of cameras and machines, in coils."""
ANCHOR_COILS: Final = 10.0
"""How much the learnt state weighs against the present one, in coils."""
_DOUBTFUL_ANCHOR_COILS: Final = 1.0
_SENSITIVITY_WEIGHT: Final = 20.0
_LABEL_WEIGHT: Final = 3.0
_MOST_VOTES: Final = 10.0
_LEAST_SENSITIVITY, _MOST_SENSITIVITY = 0.05, 0.995
_LEAST_FALSE: Final = 1e-6
_MOST_FALSE: Final = 0.9


def learnt(state: MonitorState, frame: MonitorFrame) -> CameraParameters:
    """Return what is believed about the cameras in the long run."""
    false_rate = state.false_calls / state.false_frames
    return _parameters(state, frame, false_rate, false_label_shares(state))


def present(
    state: MonitorState, frame: MonitorFrame, calls: Floats, frames: Floats, doubtful: npt.NDArray[np.bool_]
) -> CameraParameters:
    """Return what is believed about the cameras now: the long run, and the false calls of the last few coils.

    Args:
        state: Before the present coil.
        frame: The set-up.
        calls: (J, C) false calls of the present coil by label, expected number.
        frames: (J,) frames of the present coil.
        doubtful: (J,) flagged cameras: what they used to do says little about now.
    """
    learnt_rate = state.false_calls / state.false_frames
    anchor = np.where(doubtful, _DOUBTFUL_ANCHOR_COILS, ANCHOR_COILS) * np.maximum(frames, 1.0)
    anchor = np.minimum(anchor, state.false_frames)
    many = calls.sum(axis=1)
    now = (learnt_rate * anchor + state.recent_false + many) / (anchor + state.recent_frames + frames)
    labels = (_MOST_VOTES * false_label_shares(state) + calls) / (_MOST_VOTES + many[:, None])
    return _parameters(state, frame, now, labels)


def sensitivities(state: MonitorState) -> Floats:
    """Return (J, C) sensitivities by capture-recapture.

    A camera's own counts of a class are drawn towards the camera's mean times what all cameras together show of
    the class, so that a class that is hard to see is taken to be hard for the first and last camera too.
    """
    known = state.trials.sum(axis=1) > 0
    weight = _SENSITIVITY_WEIGHT
    overall = (state.hits.sum() + weight * TYPICAL_SENSITIVITY) / (state.trials.sum() + weight)
    by_camera = (state.hits.sum(axis=1) + weight * overall) / (state.trials.sum(axis=1) + weight)
    by_camera[~known] = overall
    expected = (state.trials * by_camera[:, None]).sum(axis=0)
    by_class = (state.hits.sum(axis=0) + weight) / (expected + weight)
    likely = by_camera[:, None] * by_class[None, :]
    both = (state.hits + weight * likely) / (state.trials + weight)
    return np.asarray(both.clip(_LEAST_SENSITIVITY, _MOST_SENSITIVITY), dtype=np.float64)


def false_label_shares(state: MonitorState) -> Floats:
    """Return (J, C) classes that false calls carry; rows sum to 1.

    A camera's own calls are drawn towards those of all cameras, which run the same model, and these towards all
    classes alike. No camera has more votes than ten calls.
    """
    calls, weight = state.false_labels, _LABEL_WEIGHT
    votes = calls / np.maximum(calls.sum(axis=1, keepdims=True) / _MOST_VOTES, 1.0)
    pool = (votes.sum(axis=0) + 1.0) / (votes.sum() + calls.shape[1])
    return np.asarray((calls + weight * pool) / (calls.sum(axis=1, keepdims=True) + weight), dtype=np.float64)


def learn(
    state: MonitorState,
    labels: npt.NDArray[np.int16],
    where: Posterior,
    frames: npt.NDArray[np.int64],
    doubtful: npt.NDArray[np.bool_],
) -> None:
    """Take one coil into the cameras' books.

    Args:
        state: Is changed.
        labels: (D, J) what the cameras said of D defects.
        where: Posterior of their birthplaces.
        frames: (J,) frames of each camera.
        doubtful: (J,) cameras whose false calls are not learnt as usual.
    """
    seen = labels >= 0
    by_label = false_calls(labels, where.false, state.false_labels.shape[1])
    calls = by_label.sum(axis=1)
    share = where.born.sum(axis=1)
    fade = 1 - 1 / MEMORY_COILS
    for sums in (state.hits, state.trials, state.confusion):
        np.multiply(sums, fade, out=sums)
    state.false_labels[~doubtful] = (fade * state.false_labels + by_label)[~doubtful]
    state.false_calls[:] = np.where(doubtful, state.false_calls, fade * state.false_calls + calls)
    state.false_frames[:] = np.where(doubtful, state.false_frames, fade * state.false_frames + frames)
    _learn_sensitivity(state, labels, share)
    for camera in range(labels.shape[1]):
        rows = seen[:, camera]
        np.add.at(state.confusion.T, labels[rows, camera], share[rows])
    quick = 1 - 1 / RECENT_COILS
    state.recent_false[:] = quick * state.recent_false + calls
    state.recent_frames[:] = quick * state.recent_frames + frames


def false_calls(labels: npt.NDArray[np.int16], false: Floats, classes: int) -> Floats:
    """Return (J, C) expected number of false calls: sightings times the chance that no defect was there."""
    calls = np.zeros((labels.shape[1], classes))
    defects, cameras = np.nonzero(labels >= 0)
    np.add.at(calls, (cameras, labels[defects, cameras]), false[defects])
    return calls


def _learn_sensitivity(state: MonitorState, labels: npt.NDArray[np.int16], share: Floats) -> None:
    """Count hits of defects that cameras on both sides reported."""
    seen = labels >= 0
    looked = labels >= -1
    before: npt.NDArray[np.int64] = np.cumsum(seen, axis=1) - seen
    behind = seen.sum(axis=1, keepdims=True) - np.cumsum(seen, axis=1)
    trial = looked & (before > 0) & (behind > 0)
    state.trials += trial.T.astype(np.float64) @ share
    state.hits += (trial & seen).T.astype(np.float64) @ share


def _parameters(
    state: MonitorState, frame: MonitorFrame, false_rate: Floats, false_labels: Floats
) -> CameraParameters:
    stages = frame.layout.stages[:, None].astype(np.float64)
    return CameraParameters(
        sensitivity=sensitivities(state),
        false_per_frame=np.clip(false_rate, _LEAST_FALSE, _MOST_FALSE),
        false_labels=false_labels,
        confusion=state.confusion / state.confusion.sum(axis=1, keepdims=True),
        survival=np.repeat(TYPICAL_SURVIVAL**stages, len(frame.classes), axis=1),
    )
