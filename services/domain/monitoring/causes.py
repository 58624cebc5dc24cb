"""Which cause, and since when: Bayes' rule over machine groups, cameras and 'false alarm', from the last coils."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from services.domain.monitoring.facts import CAMERA_PREFIX, FALSE_ALARM
from services.domain.monitoring.frame import CAMERA_RATIO_GRID, RATIO_GRID, MonitorFrame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who did it.

    Attributes:
        probabilities: Cause (group id, `camera:<id>`, `FALSE_ALARM`) to posterior probability.
        group: Index of the most probable machine group.
        defect_class: Index of its most probable class.
        camera: Index of the camera when a camera is the most probable cause of all, else None.
    """

    probabilities: dict[str, float]
    group: int
    defect_class: int
    camera: int | None

    @property
    def clearness(self) -> float:
        """Probability of the most probable cause, given that it is no false alarm."""
        causes = [weight for name, weight in self.probabilities.items() if name != FALSE_ALARM]
        return max(causes) / max(sum(causes), 1e-300)


@dataclass(frozen=True, slots=True)
class Onset:
    """When it began: number of the coil (posterior median) and the 95 % posterior interval."""

    best: int
    low: int
    high: int


def ring_order(state: MonitorState) -> npt.NDArray[np.int64]:
    """Return the numbers of the remembered coils, oldest first."""
    return state.remembered()


def attribute(
    state: MonitorState,
    frame: MonitorFrame,
    explained: npt.NDArray[np.bool_],
    flagged: npt.NDArray[np.bool_],
) -> Attribution:
    """Weigh all causes, averaged over when it may have begun and over how strong it may be.

    A change of a stream is expected once in `plan.mean_coils_between_faults` coils of the whole line; that prior
    is what 'false alarm' competes with.

    Args:
        state: After the coil.
        frame: The set-up.
        explained: (G, C) streams whose open flag explains them already.
        flagged: (J,) cameras whose open flag explains them already.
    """
    order = ring_order(state) % HISTORY_COILS
    prior = -np.log(max(frame.streams, 1) * frame.plan.mean_coils_between_faults)
    machines = _machine_evidence(state, order) + prior + np.log(frame.cause_weight)
    machines[explained | ~np.broadcast_to(frame.watched, machines.shape)] = -np.inf
    cameras = np.where(flagged, -np.inf, _camera_evidence(state, order) + prior)
    by_group = np.asarray(logsumexp(machines, axis=1), dtype=np.float64)
    everything = np.concatenate((by_group, cameras, [0.0]))
    weights = np.exp(everything - logsumexp(everything))
    names = [group.group_id for group in frame.layout.groups]
    names += [CAMERA_PREFIX + name for name in frame.layout.cameras] + [FALSE_ALARM]
    best_group = int(by_group.argmax())
    best_camera = int(cameras.argmax())
    blamed = best_camera if cameras[best_camera] > by_group[best_group] else None
    probabilities = dict(zip(names, (float(weight) for weight in weights), strict=True))
    return Attribution(probabilities, best_group, int(machines[best_group].argmax()), blamed)


def onset_of_stream(state: MonitorState, group: int, defect_class: int) -> Onset:
    """Return the first coil of a stream's excess, averaged over how strong it is."""
    order = ring_order(state)
    place = order % HISTORY_COILS
    gains = state.ring_gain[place, :, group, defect_class]
    metres = state.ring_m[place, group, defect_class]
    rate = float(state.rate[group, defect_class])
    steps = gains - (np.array(RATIO_GRID)[None, :] - 1) * (rate * metres)[:, None]
    return _split(steps, order, metres > 0)


def likely_ratio(state: MonitorState, group: int, defect_class: int, since: int) -> float:
    """Return how many times its normal rate a stream shows since a coil: the mean over strengths, flat prior."""
    place = np.arange(since, state.coils) % HISTORY_COILS
    gains = state.ring_gain[place, :, group, defect_class].sum(axis=0)
    expected = float(state.rate[group, defect_class] * state.ring_m[place, group, defect_class].sum())
    ratios = np.array(RATIO_GRID)
    likely = gains - (ratios - 1) * expected
    weights = np.exp(likely - likely.max())
    return float((weights * ratios).sum() / weights.sum())


def excess_rate(state: MonitorState, group: int, defect_class: int) -> float:
    """Return how much a stream exceeds its normal rate since its onset, defects per detectable metre."""
    onset = onset_of_stream(state, group, defect_class)
    order = np.arange(onset.best, state.coils) % HISTORY_COILS
    metres = float(state.ring_m[order, group, defect_class].sum())
    count = float(state.ring_count[order, group, defect_class].sum())
    return count / max(metres, 1e-9) - float(state.rate[group, defect_class])


def onset_of_camera(state: MonitorState, camera: int) -> Onset:
    """Return the first coil of a camera's false calls."""
    order = ring_order(state)
    place = order % HISTORY_COILS
    expected = state.ring_camera_expected[place, camera].sum(axis=1)
    steps = state.ring_camera[place, :, camera].sum(axis=2) - (np.array(CAMERA_RATIO_GRID) - 1) * expected[:, None]
    return _split(steps, order, expected > 0)


def _split(steps: Floats, order: npt.NDArray[np.int64], counted: npt.NDArray[np.bool_]) -> Onset:
    """Return the posterior median of the first coil and its 95 % interval, flat prior over coils and strengths.

    Args:
        steps: (n, K) log-likelihood ratio of each coil for each strength.
        order: (n,) numbers of the coils.
        counted: (n,) coils on which it can have begun: neither unseen nor from before a restart of the chart.
    """
    tails = np.asarray(logsumexp(np.cumsum(steps[::-1], axis=0)[::-1], axis=1), dtype=np.float64)
    weights = np.exp(tails - tails.max()) * (counted if counted.any() else 1.0)
    reached = np.cumsum(weights) / weights.sum()
    low, best, high = (int(order[np.searchsorted(reached, level)]) for level in (0.025, 0.5, 0.975))
    return Onset(best, low, high)


def _machine_evidence(state: MonitorState, order: npt.NDArray[np.int64]) -> Floats:
    """Return (G, C) log of the sum over onsets of the mean likelihood ratio over strengths."""
    ratios = np.array(RATIO_GRID)[None, :, None, None]
    metres = state.ring_m[order][::-1]
    steps = state.ring_gain[order][::-1] - (ratios - 1) * (state.rate * metres)[:, None]
    tails = np.cumsum(steps, axis=0)
    likely = logsumexp(tails, axis=(0, 1), b=np.broadcast_to((metres > 0)[:, None], tails.shape))
    return np.asarray(likely - np.log(len(RATIO_GRID)), dtype=np.float64)


def _camera_evidence(state: MonitorState, order: npt.NDArray[np.int64]) -> Floats:
    """Return (J,) the same for cameras that invent: all classes alike, or one class as dirt on a lens does."""
    expected = state.ring_camera_expected[order][::-1]
    ratios = np.array(CAMERA_RATIO_GRID)[None, :, None, None]
    steps = state.ring_camera[order][::-1] - (ratios - 1) * expected[:, None]
    counted = (expected.sum(axis=2) > 0)[:, None]
    alike = np.cumsum(steps.sum(axis=3), axis=0)
    every = logsumexp(alike, axis=(0, 1), b=np.broadcast_to(counted, alike.shape))
    single = np.cumsum(steps, axis=0)
    one = logsumexp(single, axis=(0, 1), b=np.broadcast_to(counted[..., None], single.shape))
    one = logsumexp(one, axis=1) - np.log(expected.shape[2])
    return np.asarray(np.logaddexp(every, one) - np.log(2 * len(CAMERA_RATIO_GRID)), dtype=np.float64)
