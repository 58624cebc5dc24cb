"""The benchmark's statistics: oracles are textbook values and distributions whose answer is known."""

import numpy as np
import pytest

from services.bench.statistics import mean_of, ratio_of_pairs, slope_of, summarise_latency


def test_the_interval_of_a_mean_is_students() -> None:
    # NIST/SEMATECH e-Handbook 1.3.5.2, ZARR13.DAT: n 195, mean 9.261460, s 0.0228, limits 9.258242 and 9.264679.
    rng = np.random.default_rng(1)
    values = rng.standard_normal(195)
    values = 9.261460 + (values - values.mean()) / values.std(ddof=1) * 0.02278881
    estimate = mean_of(values.tolist())
    assert estimate.interval is not None
    assert estimate.interval.low == pytest.approx(9.258242, abs=2e-5)
    assert estimate.interval.high == pytest.approx(9.264679, abs=2e-5)


def test_three_values_have_the_wide_interval_of_two_degrees_of_freedom() -> None:
    estimate = mean_of([9.0, 10.0, 11.0])
    assert estimate.interval is not None
    assert estimate.interval.high - estimate.value == pytest.approx(4.303 / np.sqrt(3), rel=1e-3)


def test_two_values_get_no_interval() -> None:
    assert mean_of([1.0, 2.0]).interval is None


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        mean_of([])


def test_what_the_machine_does_falls_out_of_a_paired_ratio() -> None:
    speed = [1.0, 0.4, 0.7, 0.25]
    ratio = ratio_of_pairs([88 * each for each in speed], [100 * each for each in speed])
    assert ratio.value == pytest.approx(0.88)
    assert ratio.interval is not None
    assert ratio.interval.high - ratio.interval.low < 1e-9


def test_a_ratio_and_its_inverse_agree() -> None:
    tops, bottoms = [80.0, 95.0, 70.0], [90.0, 91.0, 88.0]
    assert ratio_of_pairs(tops, bottoms).value == pytest.approx(1 / ratio_of_pairs(bottoms, tops).value)


@pytest.mark.parametrize(
    ("tops", "bottoms"),
    [
        pytest.param([1.0], [1.0, 2.0], id="lengths_differ"),
        pytest.param([], [], id="empty"),
        pytest.param([0.0], [1.0], id="not_positive"),
    ],
)
def test_what_is_no_pair_is_refused(tops: list[float], bottoms: list[float]) -> None:
    with pytest.raises(ValueError, match="paired"):
        ratio_of_pairs(tops, bottoms)


def test_percentiles_of_known_latencies() -> None:
    summary = summarise_latency(np.arange(1.0, 1001.0), np.random.default_rng(0))
    assert (summary.n, summary.p50_ms) == (1000, 500.5)
    assert summary.p95_ms == pytest.approx(950.05)
    assert summary.p99_ms == pytest.approx(990.01)


def test_the_interval_of_the_99th_percentile_covers_it_as_often_as_it_says() -> None:
    truth, covered, rng = -np.log(0.01) * 20, 0, np.random.default_rng(7)
    for _ in range(60):
        summary = summarise_latency(rng.exponential(20.0, 2000), rng, resamples=200)
        covered += summary.p99_interval.low <= truth <= summary.p99_interval.high
    assert covered >= 50


def test_neighbours_in_the_same_queue_make_the_interval_wider() -> None:
    rng = np.random.default_rng(3)
    in_bursts = np.repeat(rng.exponential(20.0, 200), 10)
    as_if_alone = summarise_latency(in_bursts, rng, block=1).p99_interval
    as_they_are = summarise_latency(in_bursts, rng).p99_interval
    assert as_they_are.high - as_they_are.low > 1.5 * (as_if_alone.high - as_if_alone.low)


def test_a_few_latencies_still_have_percentiles() -> None:
    summary = summarise_latency(np.array([5.0, 7.0]), np.random.default_rng(0))
    assert summary.n == 2
    assert summary.p99_interval.low <= summary.p99_interval.high


def test_growth_is_seen_and_its_interval_excludes_none() -> None:
    times = np.arange(0.0, 600.0, 5.0)
    values = 150 + 0.02 * times + np.random.default_rng(0).normal(0, 0.5, times.size)
    slope = slope_of(times.tolist(), values.tolist())
    assert slope.value == pytest.approx(0.02, rel=0.1)
    assert slope.interval is not None
    assert slope.interval.low > 0


def test_memory_that_only_wobbles_has_no_slope() -> None:
    times = np.arange(0.0, 600.0, 5.0)
    values = 150 + np.sin(times / 20)
    slope = slope_of(times.tolist(), values.tolist())
    assert slope.interval is not None
    assert slope.interval.low < 0 < slope.interval.high


def test_too_few_samples_have_no_slope() -> None:
    with pytest.raises(ValueError, match="20 samples"):
        slope_of([1.0, 2.0], [1.0, 2.0])
