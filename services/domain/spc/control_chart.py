"""Control charts of one stream, ready to print or to draw: CUSUM, u, p and EWMA, with the limits of each coil."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from services.domain.spc.charts import ControlChart

    Floats = npt.NDArray[np.float64]

_M_PER_KM: Final = 1000.0
_OVERDISPERSED: Final = 0.01
"""Level at which counts are said to vary more than chance; the limits are then Laney's."""
_SMOOTHING, _EWMA_ARL0 = 0.1, 500.0
_U_POINTS: Final = "defects per km, around the normal rate"
_P_POINTS: Final = "share of frames that the first camera behind the group called a defect, all classes"


class ChartKind(StrEnum):
    """Which chart."""

    CUSUM = "cusum"
    U = "u"
    P = "p"
    EWMA = "ewma"


@dataclass(frozen=True, slots=True)
class StreamPoint:
    """One coil of a stream; see table `stream_points`.

    Attributes:
        group_id: The machine's group: machines that no camera separates share a chart.
        first_seen: Registered defects, posterior-weighted; `expected` at the normal rate.
        exposure_m: Metres inspected, weighted with the chance of a report.
        statistic: CUSUM after the coil, nats.
        frames: Frames of the first camera behind the group; `sightings` those it called a defect of any class.
    """

    group_id: str
    coil_id: str
    ended_at: datetime
    first_seen: float
    expected: float
    exposure_m: float
    statistic: float
    frames: int | None
    sightings: int | None


@dataclass(frozen=True, slots=True)
class Stream:
    """The points of a stream, oldest first, and the limit of its CUSUM; None: the line has had no flag yet."""

    points: Sequence[StreamPoint]
    limit: float | None


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart as rows.

    Attributes:
        code: Which chart it became: `cusum`, `u`, `p`, `ewma`, with Laney's limits `u_laney`, `p_laney`, or
            `nothing` where nobody inspected anything.
        title: What is charted, with its unit.
        rows: One for each coil: coil_id, ended_at, point, centre, lower, upper, signal; None where there is none.
        left_out: Coils that nobody inspected.
    """

    code: str
    title: str
    rows: Sequence[dict[str, object]]
    left_out: int


def draw(kind: ChartKind, stream: Stream) -> DrawnChart:
    """Return a chart of the coils that somebody inspected.

    Args:
        kind: Which one. Only `CUSUM` raises flags; the others are for people who expect them.
        stream: At least one point.
    """
    if kind is ChartKind.CUSUM:
        return _cusum(stream)
    by_frames = kind is ChartKind.P
    points = [each for each in stream.points if (each.frames if by_frames else each.exposure_m > 0)]
    left_out = len(stream.points) - len(points)
    if not points:
        return DrawnChart("nothing", "nobody inspected any of these coils", (), left_out)
    drawers = {ChartKind.U: _u, ChartKind.P: _p, ChartKind.EWMA: _ewma}
    return drawers[kind](points, left_out)


def _cusum(stream: Stream) -> DrawnChart:
    limit = stream.limit
    rows = [
        _row(each, each.statistic, (None, None, limit), signal=limit is not None and each.statistic >= limit)
        for each in stream.points
    ]
    return DrawnChart("cusum", "CUSUM of the log-likelihood ratio, nats", rows, 0)


def _u(points: Sequence[StreamPoint], left_out: int) -> DrawnChart:
    import numpy as np

    from services.domain.spc.charts import laney_u_chart, rate_dispersion, u_chart

    counts = np.array([each.first_seen for each in points])
    km = np.array([each.exposure_m / _M_PER_KM for each in points])
    normal = float(sum(each.expected for each in points) / km.sum())
    spread = _can_vary(counts, km) and rate_dispersion(counts, km).p_value < _OVERDISPERSED
    chart = laney_u_chart(counts, km, normal) if spread else u_chart(counts, km, normal)
    return _named("u", _U_POINTS, _limited(points, chart), left_out, laney=spread)


def _p(points: Sequence[StreamPoint], left_out: int) -> DrawnChart:
    import numpy as np

    from services.domain.spc.charts import laney_p_chart, p_chart, proportion_dispersion

    called = np.array([float(each.sightings or 0) for each in points])
    frames = np.array([float(each.frames or 0) for each in points])
    varies = _can_vary(called, frames) and called.sum() < frames.sum()
    spread = varies and proportion_dispersion(called, frames).p_value < _OVERDISPERSED
    chart = laney_p_chart(called, frames) if spread else p_chart(called, frames)
    return _named("p", _P_POINTS, _limited(points, chart), left_out, laney=spread)


def _named(letter: str, what: str, rows: Sequence[dict[str, object]], left_out: int, *, laney: bool) -> DrawnChart:
    name = f"{letter}' chart (Laney: coils vary more than chance)" if laney else f"{letter} chart"
    return DrawnChart(f"{letter}_laney" if laney else letter, f"{name}: {what}", rows, left_out)


def _can_vary(counts: "Floats", sizes: "Floats") -> bool:
    """Tell whether there is a spread to test: two coils or more, and something was found on one of them."""
    return len(counts) == len(sizes) > 1 and bool(counts.sum() > 0)


def _limited(points: Sequence[StreamPoint], chart: "ControlChart") -> list[dict[str, object]]:
    signals = set(chart.signals.tolist())
    return [
        _row(
            each,
            float(chart.points[place]),
            (chart.centre, float(chart.lower[place]), float(chart.upper[place])),
            signal=place in signals,
        )
        for place, each in enumerate(points)
    ]


def _ewma(points: Sequence[StreamPoint], left_out: int) -> DrawnChart:
    import numpy as np

    from services.domain.spc.charts import rate_dispersion
    from services.domain.spc.ewma import ewma_path, standardised_rates
    from services.domain.spc.limits import ewma_width

    title = (
        f"EWMA (lambda {_SMOOTHING:g}) of the standardised rate; in control {_EWMA_ARL0:g} coils between signals"
    )
    counts = np.array([each.first_seen for each in points])
    km = np.array([each.exposure_m / _M_PER_KM for each in points])
    normal = float(sum(each.expected for each in points) / km.sum())
    over = 1.0
    if _can_vary(counts, km):
        test = rate_dispersion(counts, km)
        over = max(1.0, test.statistic / test.degrees_of_freedom) if test.p_value < _OVERDISPERSED else 1.0
    path = ewma_path(standardised_rates(counts, km, normal, over), _SMOOTHING, ewma_width(_SMOOTHING, _EWMA_ARL0))
    signals = set(path.signals.tolist())
    rows = [
        _row(each, float(path.statistic[n]), (0.0, -path.fixed_limit, path.fixed_limit), signal=n in signals)
        for n, each in enumerate(points)
    ]
    return DrawnChart("ewma", title, rows, left_out)


def _row(
    point: StreamPoint, value: float, limits: tuple[float | None, float | None, float | None], *, signal: bool
) -> dict[str, object]:
    centre, lower, upper = limits
    return {
        "coil_id": point.coil_id,
        "ended_at": point.ended_at,
        "point": value,
        "centre": centre,
        "lower": lower,
        "upper": upper,
        "signal": signal,
    }
