"""Did the repair work? The rate of a fault before the work against the rate after it, with an interval."""

from dataclasses import dataclass
from typing import Final

from scipy import stats

_LEAST_COILS: Final = 5
_MOST_COILS: Final = 30
_CLEARLY: Final = 0.5
"""Half the old rate or less, with 95 % confidence, is a repair that worked."""


@dataclass(slots=True)
class RepairWatch:
    """One finished work order whose effect is not known yet.

    Attributes:
        work_order_no: Of the work order.
        group_id: Machine group that was worked on; `defect_class` the class that was too frequent.
        before: Defects between onset and repair, over `before_m` detectable metres.
        after: Defects since the repair, over `after_m` detectable metres on `coils` coils.
    """

    work_order_no: str
    group_id: str
    defect_class: str
    before: float
    before_m: float
    after: float = 0.0
    after_m: float = 0.0
    coils: int = 0


@dataclass(frozen=True, slots=True)
class RepairVerdict:
    """Rate after the repair over the rate before, with its 95 % interval, and whether that is a success."""

    ratio: float
    low: float
    high: float
    verified: bool

    @property
    def sentence(self) -> str:
        """What to tell people."""
        said = "the repair worked" if self.verified else "the repair changed nothing that can be shown"
        return f"{said}: rate after over before {self.ratio:.2f} ({self.low:.2f} to {self.high:.2f}, 95 %)"


def judge_repair(watch: RepairWatch) -> RepairVerdict | None:
    """Return the verdict, or None while it is too early.

    The ratio of two Poisson rates with the exact conditional interval (Clopper-Pearson). It is a success when the
    whole interval lies below one half, a failure when the whole interval lies above, and after 30 coils by whether
    the interval lies below 1.
    """
    if watch.coils < _LEAST_COILS or watch.after_m <= 0 or watch.before_m <= 0 or watch.before <= 0:
        return None
    scale = watch.before_m / watch.after_m
    low = float(stats.beta.ppf(0.025, watch.after, watch.before + 1)) if watch.after > 0 else 0.0
    high = float(stats.beta.ppf(0.975, watch.after + 1, watch.before))
    ratio = watch.after / watch.before * scale
    low, high = low / (1 - low) * scale, high / max(1 - high, 1e-12) * scale
    if high < _CLEARLY or low > _CLEARLY:
        return RepairVerdict(ratio, low, high, verified=high < _CLEARLY)
    if watch.coils >= _MOST_COILS:
        return RepairVerdict(ratio, low, high, verified=high < 1.0)
    return None
