"""Everything a monitor remembers between two coils; its size does not grow with history."""

from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from services.domain.attribution.likelihood import Labels
from services.domain.attribution.parameters import TYPICAL_CONFUSION, TYPICAL_FALSE_PER_FRAME
from services.domain.monitoring.frame import CAMERA_RATIO_GRID, RATIO_GRID, MonitorFrame

Floats = npt.NDArray[np.float64]

HISTORY_COILS: Final = 256
"""Coils that onset and attribution can look back on."""
PRIOR_SHAPE: Final = 1.0
"""Weight of the assumed rate, in defects, before anything is learnt."""
CONFUSION_WEIGHT: Final = 30.0
"""Weight of the assumed confusion of each class, in labels."""
TYPICAL_SHARPNESS: Final = 0.7
SHARPNESS_WEIGHT: Final = 5.0
"""Share of defects that are attributed without doubt, assumed with a weight of so many defects."""
FALSE_WEIGHT: Final = 0.1
"""Weight of the assumed rate of false calls, in calls: little, since real cameras differ a hundredfold."""

GROWING: Final = frozenset({"lesson_labels", "lesson_asked", "lesson_cell_m", "lesson_looked", "lesson_looked_m"})
"""Attributes whose first axis grows while the line is learnt."""


@dataclass(slots=True)
class MonitorState:
    """Sums that the rules fold coil after coil; arrays over G groups, C classes, J cameras, H coils, K ratios.

    Attributes:
        coils: Number of the next coil; `began` of the first one that this state knows.
        baseline_count: (G, C) shape of the Gamma distribution of each stream's normal rate, defects.
        baseline_m: (G, C) its inverse scale: detectable metres.
        excursion_count: (G, C) defects since the chart last stood at 0; `excursion_m` the metres of it.
        excursion_gain: (G, C) sum of log(1 + (R - 1) p) over the defects since then.
        excursion_sharp: (G, C) the part of `excursion_count` that is attributed without doubt (see `streams`).
        steep_chart: (G, C) CUSUM of much larger ratios, nats (see `streams`).
        sharp_count: (G, C) decayed sum of that part over all coils, of `sharp_of` defects.
        false_calls: (J,) decayed count of false calls, over `false_frames`; `false_labels` (J, C) by label.
        hits: (J, C) decayed count of defects seen upstream and downstream and here too, of `trials`.
        confusion: (C, C) decayed counts of labels by true class.
        recent_count: (G, C) defects of the last few coils, over `recent_m`; `recent_false` (J,) false calls over
            `recent_frames`.
        eyesight: (J,) decayed sightings of each camera, over `eyesight_m`.
        learnt_count: (G, C) defects of the learning coils, over `learnt_m`.
        lesson_labels: (N, J) what the cameras said of the N defects of the learning coils, `lesson_asked` (N, J)
            frames asked, `lesson_cell_m` (N,) their length;
            `lesson_looked` (P, J) who looked, over `lesson_looked_m` (P,); `lesson_frames` (J,). See `lessons`.
        dispersion_excess: Decayed sum of (count - expected)^2 - expected, over `dispersion_square`: 1/k.
        camera_chart: (J,) CUSUM of false calls; `blind_chart` (J,) CUSUM of missing sightings.
        limit: Threshold of all charts, nats; infinite while learning.
        limit_coils: At which number of coils the threshold is computed next.
        ring_gain: (H, K, G, C) log-likelihood gains of the last coils; `ring_count`, `ring_m` (H, G, C);
            `ring_camera` (H, K, J, C) gains, `ring_calls` (H, J) and `ring_camera_expected` (H, J, C) false calls.
        ring_coils: Names of these coils, at place number % H.
        ring_times: (H, 2) first capture (seconds since 1970) and first place (metres) of these coils.
    """

    coils: int
    began: int
    baseline_count: Floats
    baseline_m: Floats
    excursion_count: Floats
    excursion_m: Floats
    excursion_gain: Floats
    excursion_sharp: Floats
    steep_chart: Floats
    sharp_count: Floats
    sharp_of: Floats
    false_calls: Floats
    false_frames: Floats
    false_labels: Floats
    hits: Floats
    trials: Floats
    confusion: Floats
    recent_count: Floats
    recent_m: Floats
    recent_false: Floats
    recent_frames: Floats
    eyesight: Floats
    eyesight_m: Floats
    learnt_count: Floats
    learnt_m: Floats
    lesson_labels: Labels
    lesson_asked: npt.NDArray[np.int64]
    lesson_cell_m: Floats
    lesson_looked: npt.NDArray[np.bool_]
    lesson_looked_m: Floats
    lesson_frames: Floats
    dispersion_excess: float
    dispersion_square: float
    camera_chart: Floats
    blind_chart: Floats
    limit: float
    limit_coils: int
    ring_gain: Floats
    ring_count: Floats
    ring_m: Floats
    ring_camera: Floats
    ring_camera_expected: Floats
    ring_calls: Floats
    ring_times: Floats
    ring_coils: list[str] = field(default_factory=lambda: [""] * HISTORY_COILS)

    @classmethod
    def new(cls, frame: MonitorFrame, began: int = 0) -> Self:
        """Return the state before the first coil, which gets the number `began`."""
        groups, classes, cameras = frame.shape
        zeros = np.zeros
        confusion = np.full((classes, classes), CONFUSION_WEIGHT * (1 - TYPICAL_CONFUSION) / max(classes - 1, 1))
        np.fill_diagonal(confusion, CONFUSION_WEIGHT * (TYPICAL_CONFUSION if classes > 1 else 1.0))
        return cls(
            coils=began,
            began=began,
            baseline_count=np.full((groups, classes), PRIOR_SHAPE),
            baseline_m=PRIOR_SHAPE / frame.prior_rate,
            excursion_count=zeros((groups, classes)),
            excursion_m=zeros((groups, classes)),
            excursion_gain=zeros((groups, classes)),
            excursion_sharp=zeros((groups, classes)),
            steep_chart=zeros((groups, classes)),
            sharp_count=np.full((groups, classes), TYPICAL_SHARPNESS * SHARPNESS_WEIGHT),
            sharp_of=np.full((groups, classes), SHARPNESS_WEIGHT),
            false_calls=np.full(cameras, FALSE_WEIGHT),
            false_frames=np.full(cameras, FALSE_WEIGHT / TYPICAL_FALSE_PER_FRAME),
            false_labels=zeros((cameras, classes)),
            hits=zeros((cameras, classes)),
            trials=zeros((cameras, classes)),
            confusion=confusion,
            recent_count=zeros((groups, classes)),
            recent_m=zeros((groups, classes)),
            recent_false=zeros(cameras),
            recent_frames=zeros(cameras),
            eyesight=zeros(cameras),
            eyesight_m=zeros(cameras),
            learnt_count=zeros((groups, classes)),
            learnt_m=zeros((groups, classes)),
            lesson_labels=zeros((0, cameras), dtype=np.int16),
            lesson_asked=zeros((0, cameras), dtype=np.int64),
            lesson_cell_m=zeros(0),
            lesson_looked=zeros((0, cameras), dtype=np.bool_),
            lesson_looked_m=zeros(0),
            lesson_frames=zeros(cameras),
            dispersion_excess=0.0,
            dispersion_square=0.0,
            camera_chart=zeros(cameras),
            blind_chart=zeros(cameras),
            limit=float("inf"),
            limit_coils=began + frame.plan.learning_coils,
            ring_gain=zeros((HISTORY_COILS, len(RATIO_GRID), groups, classes)),
            ring_count=zeros((HISTORY_COILS, groups, classes)),
            ring_m=zeros((HISTORY_COILS, groups, classes)),
            ring_camera=zeros((HISTORY_COILS, len(CAMERA_RATIO_GRID), cameras, classes)),
            ring_camera_expected=zeros((HISTORY_COILS, cameras, classes)),
            ring_calls=zeros((HISTORY_COILS, cameras)),
            ring_times=zeros((HISTORY_COILS, 2)),
        )

    @property
    def rate(self) -> Floats:
        """(G, C) normal rate of each stream, defects per detectable metre."""
        return np.asarray(self.baseline_count / self.baseline_m, dtype=np.float64)

    def remembered(self, since: int = 0) -> npt.NDArray[np.int64]:
        """Return the numbers of the remembered coils from `since` on, oldest first; number % H is their place."""
        return np.arange(max(since, self.began, self.coils - HISTORY_COILS), self.coils, dtype=np.int64)

    def copy(self) -> Self:
        """Return a state that shares nothing with this one."""
        return type(self)(**{name: _copied(value) for name, value in self.as_values().items()})

    def as_values(self) -> dict[str, Any]:
        """Return every attribute by name: arrays, numbers and one list of texts."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _copied(value: Any) -> Any:  # noqa: ANN401 - the attributes have several types
    if isinstance(value, np.ndarray):
        return value.copy()
    return list(value) if isinstance(value, list) else value
