"""The nightly list: streams worse than normal in the last day, with a promised share of false entries."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.domain.monitoring.frame import MonitorFrame
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.spc.multiplicity import benjamini_hochberg
from services.domain.spc.rates import excess_p_value

FALSE_SHARE: Final = 0.1
"""Promised share of false entries among the listed ones (Benjamini-Hochberg)."""


@dataclass(frozen=True, slots=True)
class NightlyStream:
    """One stream of the list.

    Attributes:
        count: Defects of the window, posterior-weighted; `expected` under the normal rate over `metres`.
        p_value: Exact mid-p that a normal stream shows as many (negative binomial: the normal rate is learnt).
        q_value: Adjusted for all streams.
    """

    group: int
    defect_class: int
    count: float
    expected: float
    metres: float
    p_value: float
    q_value: float

    @property
    def is_listed(self) -> bool:
        """Whether it belongs on the list."""
        return self.q_value <= FALSE_SHARE


def nightly_streams(state: MonitorState, frame: MonitorFrame, since_s: float) -> tuple[NightlyStream, ...]:
    """Return every watched stream that was looked at in coils since a moment; empty when there were none.

    Args:
        state: The monitor's.
        frame: The set-up.
        since_s: Start of the window, seconds since 1970; reaches back `HISTORY_COILS` coils at most.
    """
    numbers = state.remembered()
    place = numbers % HISTORY_COILS
    place = place[state.ring_times[place, 0] >= since_s]
    count, metres = state.ring_count[place].sum(axis=0), state.ring_m[place].sum(axis=0)
    expected = state.rate * metres
    streams = np.argwhere((metres > 0) & frame.watched[None, :])
    if not len(streams):
        return ()
    p_values = np.array(
        [
            excess_p_value(round(float(count[g, c])), float(expected[g, c]), float(state.baseline_count[g, c]))
            for g, c in streams
        ]
    )
    q_values = benjamini_hochberg(p_values, FALSE_SHARE).values
    return tuple(
        NightlyStream(
            int(g), int(c), float(count[g, c]), float(expected[g, c]), float(metres[g, c]), float(p), float(q)
        )
        for (g, c), p, q in zip(streams, p_values, q_values, strict=True)
    )
