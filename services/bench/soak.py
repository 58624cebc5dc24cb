"""What memory did: at the start and end of a run, and its slope over a soak."""

from collections.abc import Sequence
from typing import Final

from services.bench import bars
from services.bench.figures import Bar, Figure
from services.bench.line_slices import Arrivals
from services.bench.processes import MemorySample
from services.bench.statistics import Interval, slope_of

_MIB: Final = 1024**2
_TEN_MINUTES_S: Final = 600.0
_WARM_UP_SHARE: Final = 0.2
_BOUNDED: Final = {"kafka": "bounded by its heap, -Xmx320m"}


def memory_figures(arrivals: Arrivals | None) -> list[Figure]:
    """Return the classifier's resident memory at the start and the end of a steady load."""
    if arrivals is None:
        return []
    first, last = arrivals.memory[0].parts["classifier"], arrivals.memory[-1].parts["classifier"]
    note = "resident, at 50 % load"
    return [
        Figure("classifier_memory_start_mib", "classifier's memory, start", first.rss / _MIB, "MiB", note=note),
        Figure("classifier_memory_end_mib", "classifier's memory, end", last.rss / _MIB, "MiB", note=note),
    ]


def growth_figures(soak: Sequence[MemorySample]) -> list[Figure]:
    """Return for every part how much private memory grows in ten minutes, the warm-up left out."""
    samples = soak[int(len(soak) * _WARM_UP_SHARE) :]
    if not samples:
        return []
    return [_growth(part, samples) for part in samples[0].parts]


def _growth(part: str, samples: Sequence[MemorySample]) -> Figure:
    key, title = f"growth_{part.replace(' ', '_')}_mib", f"growth of {part} in ten minutes"
    first, last = samples[0].parts[part], samples[-1].parts[part]
    try:
        slope = slope_of([each.at_s for each in samples], [each.parts[part].private / _MIB for each in samples])
    except ValueError:
        return Figure(key, title, None, "MiB", note="not measured: soak for at least 3 minutes")
    ends = slope.interval
    interval = None if ends is None else Interval(ends.low * _TEN_MINUTES_S, ends.high * _TEN_MINUTES_S)
    note = f"resident {first.rss / _MIB:.0f} to {last.rss / _MIB:.0f} MiB"
    bar: Bar | None = bars.GROWTH_MB_IN_TEN_MINUTES
    if part in _BOUNDED:
        bar, note = None, f"{note}; {_BOUNDED[part]}"
    return Figure(key, title, slope.value * _TEN_MINUTES_S, "MiB", interval, slope.n, bar, note)
