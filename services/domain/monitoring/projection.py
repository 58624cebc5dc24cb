"""Does a fault get worse, and when would it reach the limit?"""

from typing import Final

import numpy as np

from services.domain.material import MaterialPack
from services.domain.monitoring.open_faults import OpenFault
from services.domain.monitoring.state import HISTORY_COILS, MonitorState
from services.domain.prognosis import fit_rate_trend, project_coils_to_limit

_LEAST_COILS: Final = 8
_LIMIT_RATIO: Final = 10.0
"""Where the material's best grade has no limit for a class, ten times its normal rate is taken for one."""
_M_PER_LIMIT: Final = 100.0


def trend_of(
    fault: OpenFault, state: MonitorState, pack: MaterialPack, defect_class: str
) -> tuple[float | None, tuple[float, float, float] | None]:
    """Return the slope of ln(rate) per coil since the onset, and coils to the limit (P10, P50, P90).

    Both are None when there are too few coils; the projection is None too when the slope's lower 90 % bound is not
    positive: without a trend there is nothing to project.
    """
    numbers = state.remembered(fault.onset)
    place = numbers % HISTORY_COILS
    metres = state.ring_m[place, fault.group, fault.defect_class]
    used = metres > 0
    if used.sum() < _LEAST_COILS:
        return None, None
    counts = state.ring_count[place, fault.group, fault.defect_class]
    trend = fit_rate_trend(counts[used], numbers[used].astype(np.float64), metres[used])
    if trend is None:
        return None, None
    projection = project_coils_to_limit(trend, _limit_rate(fault, pack, defect_class))
    projected = None if projection is None else (projection.p10, projection.p50, projection.p90)
    return trend.slope, projected


def _limit_rate(fault: OpenFault, pack: MaterialPack, defect_class: str) -> float:
    """Return defects per metre that the best grade allows of a class."""
    for limit in pack.rules.grades[0].limits:
        if limit.defect_class == defect_class and not limit.of_length and limit.at_most > 0:
            return max(limit.at_most / _M_PER_LIMIT, _LIMIT_RATIO * fault.normal)
    return _LIMIT_RATIO * fault.normal
