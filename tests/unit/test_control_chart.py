"""Control charts of a stream, with limits worked by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.domain.spc.control_chart import ChartKind, DrawnChart, Stream, StreamPoint, draw

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_stream(
    counts: Sequence[float], exposures_m: Sequence[float], *, normal_per_km: float = 2.0, limit: float | None = 8.0
) -> Stream:
    points = [
        StreamPoint(
            "skinpass-1", f"C-{n}", NOON + timedelta(minutes=n), count, normal_per_km * metres / 1000, metres,
            0.5 * n, 200 if metres else 0, min(200, int(count)),
        )
        for n, (count, metres) in enumerate(zip(counts, exposures_m, strict=True))
    ]  # fmt: skip
    return Stream(points, limit)


def column(chart: DrawnChart, name: str) -> list[object]:
    return [row[name] for row in chart.rows]


def test_the_u_chart_is_centred_on_the_normal_rate_and_its_limits_follow_the_exposure() -> None:
    """u = count / km; 2 +- 3 sqrt(2 / km): 0 to 6.24 at 1 km, 0 to 10.49 at 0.25 km."""
    chart = draw(ChartKind.U, a_stream([2, 1, 7, 0], [1000, 250, 1000, 500]))
    assert chart.title.startswith("u chart")
    assert column(chart, "point") == [2.0, 4.0, 7.0, 0.0]
    assert column(chart, "centre") == [2.0] * 4
    assert column(chart, "upper") == pytest.approx([6.2426, 10.4853, 6.2426, 8.0], abs=1e-4)
    assert column(chart, "lower") == [0.0] * 4
    assert column(chart, "signal") == [False, False, True, False]


def test_coils_that_vary_more_than_chance_get_laneys_wider_limits() -> None:
    counts = [40.0, 80.0, 20.0, 70.0, 30.0, 90.0, 25.0, 60.0]
    chart = draw(ChartKind.U, a_stream(counts, [1000] * 8, normal_per_km=50.0))
    assert chart.title.startswith("u' chart (Laney")
    standardised = (np.array(counts) - 50) / np.sqrt(50)
    sigma_z = np.abs(np.diff(standardised)).mean() / 1.128
    assert column(chart, "upper")[0] == pytest.approx(50 + 3 * sigma_z * np.sqrt(50))
    assert not any(column(chart, "signal"))


def test_the_p_chart_counts_frames() -> None:
    """13 of 800 frames: p = 0.01625, sigma = sqrt(p (1 - p) / 200) = 0.00894."""
    chart = draw(ChartKind.P, a_stream([2, 1, 10, 0], [1000] * 4))
    assert column(chart, "point") == [0.01, 0.005, 0.05, 0.0]
    assert column(chart, "centre")[0] == pytest.approx(0.01625)
    assert chart.title.startswith("p' chart") or column(chart, "upper")[0] == pytest.approx(0.04307, abs=1e-4)


def test_the_ewma_smooths_the_standardised_rate_and_finds_a_drift() -> None:
    """z1 = 0.1 (4 - 2) / sqrt(2); the limit is 2.814 sqrt(0.1 / 1.9) = 0.6456."""
    chart = draw(ChartKind.EWMA, a_stream([4.0] * 10, [1000] * 10))
    assert column(chart, "point")[0] == pytest.approx(0.1 * 2 / np.sqrt(2))
    assert column(chart, "upper")[0] == pytest.approx(0.6456, abs=2e-3)
    assert column(chart, "lower")[0] == pytest.approx(-0.6456, abs=2e-3)
    assert column(chart, "signal") == [False] * 5 + [True] * 5


def test_the_cusum_is_what_the_monitor_kept_with_the_limit_of_the_latest_flag() -> None:
    chart = draw(ChartKind.CUSUM, a_stream([0] * 20, [1000] * 20))
    assert column(chart, "point")[-1] == 9.5
    assert column(chart, "signal") == [False] * 16 + [True] * 4
    unknown = draw(ChartKind.CUSUM, a_stream([0] * 20, [1000] * 20, limit=None))
    assert column(unknown, "upper") == [None] * 20
    assert not any(column(unknown, "signal"))


@pytest.mark.parametrize("kind", list(ChartKind))
def test_coils_without_any_defect_are_a_chart_too(kind: ChartKind) -> None:
    chart = draw(kind, a_stream([0.0] * 3, [1000] * 3))
    assert len(chart.rows) == 3
    assert not any(column(chart, "signal"))


@pytest.mark.parametrize("kind", [ChartKind.U, ChartKind.P, ChartKind.EWMA])
def test_coils_that_nobody_inspected_are_left_out_and_counted(kind: ChartKind) -> None:
    chart = draw(kind, a_stream([1, 0, 2], [1000, 0, 1000]))
    assert (column(chart, "coil_id"), chart.left_out) == (["C-0", "C-2"], 1)
    nobody = draw(kind, a_stream([0, 0], [0, 0]))
    assert (list(nobody.rows), nobody.left_out) == ([], 2)
    assert nobody.title == "nobody inspected any of these coils"


@pytest.mark.parametrize("kind", [ChartKind.U, ChartKind.P, ChartKind.EWMA])
def test_one_coil_is_enough(kind: ChartKind) -> None:
    assert len(draw(kind, a_stream([3], [1000])).rows) == 1
