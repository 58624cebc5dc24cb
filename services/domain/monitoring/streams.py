"""The charts: one CUSUM for each machine group and class on what the coil showed, exposure and all.

For a registered defect with posterior p of (group, class) under normal rates, a rate that is R times the normal
one changes its likelihood by 1 + (R - 1) p. The log-likelihood ratio of this marked Poisson process is

    sum log(1 + (R - 1) p)  -  (R - 1) rate E        over E detectable metres.

The normal rate itself is only known as Gamma(a, b). For defects attributed without doubt (p = 1) the ratio
is then that of two negative binomials; doubtful ones (p small) carry next to no information and add (R - 1) p,
which their share of the rate, as all data so far show it, takes away again. With

    w = (1 - log(1 + (R - 1) p) / ((R - 1) p)) / (1 - log(R) / (R - 1))    1 at p = 1, 0 at p = 0
    N = sum p,  Y = sum w p    the defects and the sharp ones among them, s the usual share Y / N of the stream

a chart stands at

    sum log(1 + (R - 1) p) - (a + Y) log((b + R s E) / (b + s E)) - (R - 1) (1 - s) E (a + N) / (b + E).

A chart that falls to 0 starts anew, and what it held is learnt as normal.

A second chart of each stream, tuned to `STEEP_RATIO`, takes the normal rate for (a + 1) / b: one defect more than
was ever seen. It finds what a stream that hardly ever shows anything hides among false calls.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from services.domain.monitoring.frame import DESIGN_RATIO, STEEP_RATIO
from services.domain.monitoring.state import MonitorState

Floats = npt.NDArray[np.float64]

BASELINE_COILS: Final = 1000.0
"""The normal rate fades with this many coils."""
_DISPERSION_COILS: Final = 100.0
_TAIL, _STEEP_TAIL = 1.75, 10.0
"""How much faster than its variance the tail of a chart grows. The step of a negative binomial count of mean m
and shape k keeps E exp(t step) = 1 (Wald) not at t = 1, as a Poisson count, but near t = 1 / (1 + c m / k): c is
1.7 to 1.8 for R = 4 and m / k up to 0.3, and about 10 for R = 100."""


@dataclass(frozen=True, slots=True)
class CoilEvidence:
    """What one coil says about G groups and C classes.

    Attributes:
        count: (G, C) expected number of defects.
        metres: (G, C) detectable metres: strip inspected x chance that a defect is reported.
        odds: (D, G, C) posterior of each defect under normal rates.
    """

    count: Floats
    metres: Floats
    odds: Floats

    def gain(self, ratio: float) -> Floats:
        """Return (G, C) the sum of log(1 + (ratio - 1) p)."""
        return np.asarray(np.log1p((ratio - 1) * self.odds).sum(axis=0), dtype=np.float64)

    def sharp(self) -> Floats:
        """Return (G, C) the number of defects that are attributed without doubt, each by its sharpness."""
        excess = DESIGN_RATIO - 1
        doubt = self.odds - np.log1p(excess * self.odds) / excess
        return np.asarray(doubt.sum(axis=0) / (1 - np.log(DESIGN_RATIO) / excess), dtype=np.float64)


def statistic(state: MonitorState, dispersion: Floats) -> Floats:
    """Return (G, C) where the charts stand, nats; may be negative before a reset."""
    share = state.sharp_count / state.sharp_of
    scale = state.baseline_m
    sharp_m = share * state.excursion_m
    spread = np.log1p((DESIGN_RATIO - 1) * sharp_m / (scale + sharp_m))
    fall = (state.baseline_count + state.excursion_sharp) * spread
    pooled = (state.baseline_count + state.excursion_count) / (scale + state.excursion_m)
    doubtful = (DESIGN_RATIO - 1) * pooled * (state.excursion_m - sharp_m)
    tail = 1 + _TAIL * (dispersion - 1)
    return np.asarray((state.excursion_gain - fall - doubtful) / tail, dtype=np.float64)


def advance(
    state: MonitorState, evidence: CoilEvidence, dispersion: Floats, frozen: npt.NDArray[np.bool_]
) -> Floats:
    """Take one coil into the charts; return (G, C) where they stand, at least 0.

    Args:
        state: Is changed.
        evidence: Of the coil.
        dispersion: (G, C) variance of a coil's count over its mean, at least 1.
        frozen: (G, C) charts whose coil must not be learnt as normal: an open fault.
    """
    state.excursion_count += evidence.count
    state.excursion_m += evidence.metres
    gain, sharp = evidence.gain(DESIGN_RATIO), evidence.sharp()
    state.excursion_gain += gain
    state.excursion_sharp += sharp
    fade = 1 - 1 / BASELINE_COILS
    state.sharp_count[:] = fade * state.sharp_count + sharp
    state.sharp_of[:] = fade * state.sharp_of + evidence.count
    stands = statistic(state, dispersion)
    settled = (stands <= 0) & ~frozen
    absorb(state, settled)
    return np.maximum(np.where(settled, 0.0, np.maximum(stands, 0.0)), _advance_steep(state, evidence, dispersion))


def _advance_steep(state: MonitorState, evidence: CoilEvidence, dispersion: Floats) -> Floats:
    """Take one coil into the charts of much larger ratios; return (G, C) where they stand."""
    cautious = (state.baseline_count + 1.0) / state.baseline_m
    step = evidence.gain(STEEP_RATIO) - (STEEP_RATIO - 1) * cautious * evidence.metres
    state.steep_chart[:] = np.maximum(0.0, state.steep_chart + step / (1 + _STEEP_TAIL * (dispersion - 1)))
    return state.steep_chart


def absorb(state: MonitorState, settled: npt.NDArray[np.bool_]) -> None:
    """Learn the excursions of some charts as normal, and start these charts anew."""
    fade = 1 - 1 / BASELINE_COILS
    state.baseline_count[settled] = fade * state.baseline_count[settled] + state.excursion_count[settled]
    state.baseline_m[settled] = fade * state.baseline_m[settled] + state.excursion_m[settled]
    _end_excursion(state, settled)


def restart(state: MonitorState, charts: npt.NDArray[np.bool_]) -> None:
    """Set some charts to 0 without learning what they hold."""
    _end_excursion(state, charts)
    state.steep_chart[charts] = 0.0


def _end_excursion(state: MonitorState, charts: npt.NDArray[np.bool_]) -> None:
    for sums in (state.excursion_count, state.excursion_m, state.excursion_gain, state.excursion_sharp):
        sums[charts] = 0.0


def learn_dispersion(state: MonitorState, evidence: CoilEvidence, quiet: npt.NDArray[np.bool_]) -> None:
    """Take one coil into the estimate of overdispersion: 1/k of a negative binomial, by moments."""
    expected = state.rate * evidence.metres
    excess = (evidence.count - expected) ** 2 - expected
    fade = 1 - 1 / _DISPERSION_COILS
    state.dispersion_excess = fade * state.dispersion_excess + float(excess[quiet].sum())
    state.dispersion_square = fade * state.dispersion_square + float((expected[quiet] ** 2).sum())


def dispersion_of(state: MonitorState, metres: Floats) -> Floats:
    """Return (G, C) variance over mean of a coil's count, at least 1."""
    if state.dispersion_square <= 0:
        return np.ones_like(metres)
    inverse_shape = max(0.0, state.dispersion_excess / state.dispersion_square)
    return np.asarray(1.0 + inverse_shape * state.rate * metres, dtype=np.float64)


def shrink_to_pool(state: MonitorState) -> None:
    """Replace the assumed rates by what all streams show together (empirical Bayes); ends the learning.

    Two levels: the mean rate of each class is drawn to that of all classes, and each stream to its class, as much
    as counts differ no more than chance has them differ. A stream's prior is Gamma(k, k / m), m its class's mean,
    with 1/k the spread of streams around their class plus the uncertainty of m itself.
    """
    count, metres = state.learnt_count, state.learnt_m
    if count.sum() <= 0:
        return
    overall = float(count.sum() / metres.sum())
    class_count, class_m = count.sum(axis=0), metres.sum(axis=0)
    class_shape = 1 / _inverse_shape(class_count, overall * class_m)
    class_rate = (class_shape + class_count) / (class_shape / overall + class_m)
    spread = _inverse_shape(count, class_rate * metres) + 1 / (class_shape + class_count)
    state.baseline_count = 1 / spread + count
    state.baseline_m = 1 / spread / class_rate + metres


def _inverse_shape(count: Floats, expected: Floats) -> float:
    """Return 1/k of a negative binomial by the method of moments, between 1/20 and 1/0.3."""
    excess = float(((count - expected) ** 2 - expected).sum())
    return min(max(excess / max(float((expected**2).sum()), 1e-9), 0.05), 1 / 0.3)
