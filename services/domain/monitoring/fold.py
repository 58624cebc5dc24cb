"""Takes one coil after the other: the only place where the monitor's state moves forward."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.monitoring import camera_book, lessons, streams
from services.domain.monitoring.frame import BLIND_RATIO, CAMERA_RATIO, RATIO_GRID, WAITING_GAIN, MonitorFrame
from services.domain.monitoring.limits import chart_limit
from services.domain.monitoring.reading import CoilReading, OpenStreams, read_coil
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.registration.coil import RegisteredCoil

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_LIMIT_EVERY_COILS: Final = 200
_QUIET_NATS: Final = 2.0
"""A camera whose chart for failing eyesight stands above this is not learnt from."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where everything stands after a coil.

    Attributes:
        number: Of the coil, from 0.
        reading: What the coil said.
        charts: (G, C) machine charts, nats.
        camera_charts: (J,) charts of false calls; `blind_charts` (J,) of missing sightings.
        limit: Threshold of all of them; infinite while the line is learnt.
        learning: Whether this coil still belonged to the learning.
    """

    number: int
    reading: CoilReading
    charts: Floats
    camera_charts: Floats
    blind_charts: Floats
    limit: float
    learning: bool


def fold(
    state: MonitorState, frame: MonitorFrame, coil: RegisteredCoil, name: str, known: OpenStreams
) -> Standing:
    """Take a coil; the state moves forward by one.

    Args:
        state: Is changed.
        frame: The set-up.
        coil: Registered.
        name: Of the coil.
        known: What open faults explain.
    """
    learning = state.coils - state.began < frame.plan.learning_coils
    reading = read_coil(coil, state, frame, known)
    _remember(state, reading, name, coil)
    if learning:
        lessons.keep(state, reading, coil)
    camera_book.learn(state, reading.labels, reading.nuisance, coil.frames, known.doubtful)
    _note_recent(state, reading, coil)
    _watch_eyesight(state, coil, learning=learning)
    charts = _advance_charts(state, reading, known.frozen, learning=learning)
    if not learning:
        step = reading.camera_gain - (CAMERA_RATIO - 1) * reading.camera_expected
        state.camera_chart[:] = np.maximum(0.0, state.camera_chart + step)
    number = state.coils
    state.coils += 1
    _set_limit(state, frame, reading.evidence.metres, coil.frames.astype(np.float64))
    return Standing(
        number, reading, charts, state.camera_chart.copy(), state.blind_chart.copy(), state.limit, learning
    )


def _remember(state: MonitorState, reading: CoilReading, name: str, coil: RegisteredCoil) -> None:
    place = state.coils % HISTORY_COILS
    for index, ratio in enumerate(RATIO_GRID):
        state.ring_gain[place, index] = reading.evidence.gain(ratio)
    state.ring_count[place] = reading.evidence.count
    state.ring_m[place] = reading.evidence.metres
    state.ring_camera[place] = reading.label_gains
    state.ring_camera_expected[place] = reading.camera_expected[:, None] * reading.false_labels
    state.ring_calls[place] = reading.camera_calls
    state.ring_times[place] = (coil.start_s, coil.start_m)
    state.ring_coils[place] = name


def _note_recent(state: MonitorState, reading: CoilReading, coil: RegisteredCoil) -> None:
    quick = 1 - 1 / camera_book.RECENT_COILS
    state.recent_count[:] = quick * state.recent_count + reading.nuisance.born.sum(axis=0)
    state.recent_m[:] = quick * state.recent_m + coil.length_m


def _advance_charts(state: MonitorState, reading: CoilReading, frozen: Mask, *, learning: bool) -> Floats:
    evidence = reading.evidence
    if learning:
        state.learnt_count += evidence.count
        state.learnt_m += evidence.metres
        state.baseline_count += evidence.count
        state.baseline_m += evidence.metres
        state.sharp_count += evidence.sharp()
        state.sharp_of += evidence.count
        return np.zeros_like(evidence.count)
    dispersion = streams.dispersion_of(state, evidence.metres)
    charts = streams.advance(state, evidence, dispersion, frozen)
    streams.learn_dispersion(state, evidence, charts <= 0)
    return charts


def _watch_eyesight(state: MonitorState, coil: RegisteredCoil, *, learning: bool) -> None:
    """Move the charts of missing sightings: each camera against its own past and what the others see today."""
    metres = coil.inspected_m
    known = state.eyesight_m > 0
    usual = np.where(known, state.eyesight / np.maximum(state.eyesight_m, 1e-9), 0.0) * metres
    if not learning:
        others_usual, others_seen = usual.sum() - usual, coil.sightings.sum() - coil.sightings
        day = np.clip((others_seen + 1.0) / (others_usual + 1.0), 0.0, 1.0)
        step = coil.sightings * np.log(BLIND_RATIO) + (1 - BLIND_RATIO) * usual * day
        state.blind_chart[:] = np.maximum(0.0, state.blind_chart + step)
    fade = np.where(metres > 0, 1 - 1 / camera_book.MEMORY_COILS, 1.0)
    quiet = state.blind_chart < _QUIET_NATS
    state.eyesight[quiet] = (fade * state.eyesight + coil.sightings)[quiet]
    state.eyesight_m[quiet] = (fade * state.eyesight_m + metres)[quiet]


def _set_limit(state: MonitorState, frame: MonitorFrame, metres: Floats, frames: Floats) -> None:
    """Compute the threshold when the learning ends, and now and then afterwards."""
    if state.coils < max(state.limit_coils, 1):
        return
    if not np.isfinite(state.limit) and frame.plan.learning_coils > 0:
        lessons.read_again(state, frame)
        streams.shrink_to_pool(state)
    sharp = state.sharp_count / state.sharp_of
    expected = (sharp * state.rate * metres)[:, frame.watched].ravel()
    false_calls = state.false_calls / state.false_frames * frames
    state.limit = chart_limit(expected, false_calls, frame.plan.arl0_coils / WAITING_GAIN)
    state.limit_coils = state.coils + _LIMIT_EVERY_COILS
