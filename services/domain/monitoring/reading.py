"""Reads one registered coil in the light of the state: where each defect was born, what the cameras invented."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import Labels, detection_probability, likelihoods
from services.domain.attribution.parameters import CameraParameters
from services.domain.attribution.posterior import Posterior, posterior
from services.domain.monitoring import camera_book
from services.domain.monitoring.frame import CAMERA_RATIO, CAMERA_RATIO_GRID, MonitorFrame
from services.domain.monitoring.state import MonitorState
from services.domain.monitoring.streams import CoilEvidence
from services.domain.registration.coil import RegisteredCoil

Floats = npt.NDArray[np.float64]

_ROUNDS: Final = 4
_HELD_COILS: Final = 1000.0
_SETTLED: Final = 0.1
"""False calls of a coil that change by less than this, relative, are settled."""


@dataclass(frozen=True, slots=True)
class OpenStreams:
    """What is flagged already, so that it is not held against others.

    Attributes:
        raised: (G, C) factor on the normal rate of streams with an open fault, 1 elsewhere.
        frozen: (G, C) streams that must not be learnt as normal.
        excused: (J, C) labels that say nothing against a camera.
        doubtful: (J,) cameras that invent: their false calls are not learnt as usual.
    """

    raised: Floats
    frozen: npt.NDArray[np.bool_]
    excused: npt.NDArray[np.bool_]
    doubtful: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CoilReading:
    """What one coil says.

    Attributes:
        labels: (D, J) labels of the D defects that are no landmark.
        rows: (D,) their places among all defects of the coil.
        evidence: For the charts, under normal rates.
        detection: (D, G, C) birthplaces under the present rates of open faults and the normal rates of the rest.
        nuisance: Birthplaces under present rates of everything; what the cameras' books learn from.
        camera_gain: (J,) log-likelihood gain of 'this camera invents twenty times as much'.
        camera_calls: (J,) the false calls behind it.
        label_gains: (K, J, C) the same gain for each ratio of `CAMERA_RATIO_GRID`, by label.
        false_labels: (J, C) labels that false calls usually carry.
        camera_expected: (J,) false calls expected of each camera in the long run.
        parameters: What is believed about the cameras on this coil.
    """

    labels: Labels
    rows: npt.NDArray[np.intp]
    evidence: CoilEvidence
    detection: Posterior
    nuisance: Posterior
    camera_gain: Floats
    camera_calls: Floats
    label_gains: Floats
    false_labels: Floats
    camera_expected: Floats
    parameters: CameraParameters


def read_coil(coil: RegisteredCoil, state: MonitorState, frame: MonitorFrame, known: OpenStreams) -> CoilReading:
    """Read a coil.

    Args:
        coil: As registered.
        state: Before the coil.
        frame: The set-up.
        known: What open faults explain.
    """
    raised = known.raised
    rows = np.flatnonzero(~coil.landmark)
    labels, asked = coil.labels[rows], coil.asked[rows]
    cell_m = float(coil.pitch_m.max())
    frames = coil.frames.astype(np.float64)
    first = frame.layout.first_camera
    nuisance, parameters = _nuisance(labels, coil, state, frame, known)
    metres = _detectable_m(coil, frame, parameters)
    fits = likelihoods(labels, first, parameters, asked)
    detection = posterior(fits, state.rate * raised * cell_m, 1.0)
    long_run = camera_book.learnt(state, frame)
    invented = posterior(likelihoods(labels, first, long_run, asked), state.rate * raised * cell_m, 1.0).false
    cameras = np.arange(labels.shape[1])
    counts = (labels >= 0) & ~known.excused[cameras[None, :], labels.clip(0)]
    return CoilReading(
        labels=labels,
        rows=rows,
        evidence=CoilEvidence(detection.born.sum(axis=0), metres, _under_normal(detection.born, raised)),
        detection=detection,
        nuisance=nuisance,
        camera_gain=(counts * np.log1p((CAMERA_RATIO - 1) * invented)[:, None]).sum(axis=0),
        camera_calls=(counts * invented[:, None]).sum(axis=0),
        label_gains=_label_gains(labels, counts, invented, len(frame.classes)),
        false_labels=long_run.false_labels,
        camera_expected=long_run.false_per_frame * frames,
        parameters=parameters,
    )


def _label_gains(labels: Labels, counts: npt.NDArray[np.bool_], invented: Floats, classes: int) -> Floats:
    """Return (K, J, C) log-likelihood gains of 'this camera invents so many times as much', by label.

    Args:
        labels: (D, J) labels of D defects.
        counts: (D, J) sightings that count against their camera.
        invented: (D,) chance that no defect was there.
        classes: Number of labels.
    """
    gains = np.zeros((len(CAMERA_RATIO_GRID), labels.shape[1], classes))
    defects, cameras = np.nonzero(counts)
    codes = labels[defects, cameras]
    for index, ratio in enumerate(CAMERA_RATIO_GRID):
        np.add.at(gains[index], (cameras, codes), np.log1p((ratio - 1) * invented[defects]))
    return gains


def _nuisance(
    labels: Labels, coil: RegisteredCoil, state: MonitorState, frame: MonitorFrame, known: OpenStreams
) -> tuple[Posterior, CameraParameters]:
    """Find false calls and present rates of this coil together, by a few rounds of EM around what is known.

    A flagged camera is what changed: the rates of groups that it sees first are taken as they were.
    """
    frames = coil.frames.astype(np.float64)
    cell_m = float(coil.pitch_m.max())
    length = max(coil.length_m, cell_m)
    held = known.doubtful[frame.layout.first_camera][:, None]
    anchor = np.where(held, _HELD_COILS, camera_book.ANCHOR_COILS) * length
    usual = state.rate * np.where(held, known.raised, 1.0)
    asked, classes = coil.asked[~coil.landmark], len(frame.classes)

    def look(calls: Floats, counts: Floats) -> tuple[Posterior, CameraParameters]:
        parameters = camera_book.present(state, frame, calls, frames, known.doubtful)
        rate = (usual * anchor + state.recent_count + counts) / (anchor + state.recent_m + length)
        fits = likelihoods(labels, frame.layout.first_camera, parameters, asked)
        return posterior(fits, rate * cell_m, 1.0), parameters

    calls = np.zeros((len(frames), classes))
    found, parameters = look(calls, np.zeros_like(state.baseline_count))
    for _ in range(_ROUNDS):
        news = camera_book.false_calls(labels, found.false, classes)
        moved = np.abs((news - calls).sum(axis=1)).max(initial=0.0)
        if moved <= _SETTLED * max(float(news.sum(axis=1).max(initial=0.0)), 1.0):
            break
        calls = news
        found, parameters = look(calls, found.born.sum(axis=0))
    return found, parameters


def _detectable_m(coil: RegisteredCoil, frame: MonitorFrame, parameters: CameraParameters) -> Floats:
    """Return (G, C) metres inspected, each weighted with the chance that a defect there is reported."""
    chance = detection_probability(coil.looked, frame.layout.first_camera, parameters)
    return np.asarray(np.tensordot(coil.looked_m, chance, axes=1), dtype=np.float64)


def _under_normal(born: Floats, raised: Floats) -> Floats:
    """Turn posteriors under raised rates into those under normal rates of each stream alone."""
    if np.all(raised == 1.0):
        return born
    lowered = born / raised
    return np.asarray(lowered / (1 - born + lowered), dtype=np.float64)
