"""The charts: their arithmetic against the textbooks, what they learn, and the threshold they share."""

from dataclasses import fields, replace

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from services.domain.monitoring import streams
from services.domain.monitoring.frame import CAMERA_RATIO, DESIGN_RATIO, STEEP_RATIO, MonitorFrame
from services.domain.monitoring.limits import chart_limit, poisson_chart_arl
from services.domain.monitoring.setup import monitor_frame
from services.domain.monitoring.state import MonitorState
from services.domain.monitoring.streams import BASELINE_COILS, CoilEvidence
from services.domain.topology import MonitoringPlan
from tests.fakes.simulated_coils import STEEL, a_line, fresh_analysis, pack_named, scenario_named, watch

Floats = npt.NDArray[np.float64]
NO_CAMERAS = np.empty(0)
CERTAIN = 1e12
"""Defects behind a rate that leave no doubt about it."""


RATIOS = np.array([DESIGN_RATIO, STEEP_RATIO])[:, None, None]
"""Of the two charts of each stream."""


def a_frame() -> MonitorFrame:
    return monitor_frame(a_line(), STEEL, pack_named("generic"))


def a_state(shape: float, rate: float) -> MonitorState:
    """Return a state whose normal rates are Gamma(shape, shape / rate), all defects attributed without doubt."""
    state = MonitorState.new(a_frame())
    state.baseline_count[:] = shape
    state.baseline_m[:] = shape / rate
    state.sharp_count[:] = state.sharp_of[:] = 1.0
    return state


def evidence(odds: Floats, metres: float) -> CoilEvidence:
    """Return evidence of D defects with the same posterior of every stream."""
    groups, classes, _ = a_frame().shape
    spread = np.broadcast_to(odds[:, None, None], (len(odds), groups, classes)).astype(np.float64)
    return CoilEvidence(spread.sum(axis=0), np.full((groups, classes), metres), spread)


def charts_after(state: MonitorState, coils: list[tuple[Floats, float]], *, frozen: bool = False) -> list[float]:
    ones = np.ones_like(state.baseline_m)
    keep = np.full(ones.shape, frozen)
    return [float(streams.advance(state, evidence(odds, metres), ones, keep)[0, 0]) for odds, metres in coils]


def test_with_a_known_rate_the_chart_is_the_poisson_cusum() -> None:
    """S = max(0, S + y ln R - (R - 1) mu) for both R, with a mean that changes from coil to coil."""
    rate, counts, metres = 0.002, [0, 3, 1, 0, 4, 2, 0, 0, 5], [100, 100, 50, 200, 100, 10, 2000, 100, 1]
    expected, stands = [], np.zeros(2)
    ratios = np.array([DESIGN_RATIO, STEEP_RATIO])
    for count, length in zip(counts, metres, strict=True):
        stands = np.maximum(0.0, stands + count * np.log(ratios) - (ratios - 1) * rate * length)
        expected.append(float(stands.max()))
    assert stands[1] > stands[0] > 0
    found = charts_after(
        a_state(CERTAIN, rate), [(np.ones(n), float(m)) for n, m in zip(counts, metres, strict=True)]
    )
    assert found == pytest.approx(expected, abs=1e-6)
    assert 0.0 in found[3:]


def test_the_steep_chart_takes_a_learnt_rate_for_one_defect_more() -> None:
    state = a_state(2.0, 0.0001)
    (found,) = charts_after(state, [(np.ones(4), 10.0)])
    assert found == pytest.approx(4 * np.log(STEEP_RATIO) - (STEEP_RATIO - 1) * 3.0 / 20_000 * 10.0)
    charts_after(state, [(np.empty(0), 100_000.0)])
    assert not state.steep_chart.any()


def test_many_doubtful_defects_of_a_stream_that_hardly_ever_shows_any_raise_the_steep_chart() -> None:
    odds = np.full(10, 0.05)
    (found,) = charts_after(a_state(CERTAIN, 0.0005), [(odds, 90.0)])
    slow = np.log1p((DESIGN_RATIO - 1) * odds).sum() - (DESIGN_RATIO - 1) * 0.045
    assert found > 8.0
    assert slow < 2.0


def test_with_a_learnt_rate_the_chart_is_the_exact_ratio_of_negative_binomials() -> None:
    shape, rate = 7.0, 0.004
    scale = shape / rate
    coils = [(4, 300.0), (6, 250.0), (5, 400.0)]
    found = charts_after(a_state(shape, rate), [(np.ones(n), m) for n, m in coils])
    count = metres = 0.0
    for (n, m), stand in zip(coils, found, strict=True):
        count, metres = count + n, metres + m
        raised = stats.nbinom.logpmf(count, shape, scale / (scale + DESIGN_RATIO * metres))
        normal = stats.nbinom.logpmf(count, shape, scale / (scale + metres))
        assert stand == pytest.approx(raised - normal, rel=1e-9)
        assert stand > 0


def test_a_doubtful_defect_counts_less_than_its_share_and_takes_its_share_of_the_exposure() -> None:
    """Of known rate: sum log(1 + (R - 1) p) - (R - 1) mu, whatever the doubt."""
    odds = np.array([0.9, 0.25, 0.01, 0.4])
    state = a_state(CERTAIN, 0.002)
    state.sharp_of[:] = 2.0  # half of the defects of this stream are attributed without doubt
    assert charts_after(state, [(odds, 100.0)])[0] == pytest.approx(
        np.log1p((DESIGN_RATIO - 1) * odds).sum() - (DESIGN_RATIO - 1) * 0.2
    )


def test_sharpness_is_one_for_a_certain_defect_and_none_for_a_hopeless_one() -> None:
    assert evidence(np.ones(3), 1.0).sharp()[0, 0] == pytest.approx(3.0)
    assert evidence(np.array([1e-6]), 1.0).sharp()[0, 0] < 1e-9
    half = evidence(np.array([0.5]), 1.0).sharp()[0, 0]
    assert half == pytest.approx(
        (0.5 - np.log1p((DESIGN_RATIO - 1) / 2) / (DESIGN_RATIO - 1))
        / (1 - np.log(DESIGN_RATIO) / (DESIGN_RATIO - 1))
    )


def test_dispersion_divides_the_chart() -> None:
    one, two = a_state(CERTAIN, 0.002), a_state(CERTAIN, 0.002)
    coil = evidence(np.ones(5), 100.0)
    nobody = np.zeros_like(coil.count, dtype=np.bool_)
    plain = streams.advance(one, coil, np.ones_like(coil.count), nobody)
    spread = streams.advance(two, coil, np.full_like(coil.count, 1.2), nobody)
    np.testing.assert_allclose(spread, plain / 1.35)


@pytest.mark.parametrize("mean_over_shape", [0.05, 0.1, 0.2, 0.3])
@pytest.mark.parametrize("shape", [1.0, 2.0, 4.0])
def test_divided_by_that_the_tail_of_a_chart_is_what_the_limit_supposes(
    mean_over_shape: float, shape: float
) -> None:
    """Wald: the probability to pass a limit h is near exp(-t h) with E exp(t step) = 1; t = 1 is wanted."""
    mean, tail = mean_over_shape * shape, 1 + 1.75 * mean_over_shape
    count = np.arange(400)
    chance = stats.nbinom.pmf(count, shape, 1 / (1 + mean_over_shape))
    step = (count * np.log(DESIGN_RATIO) - (DESIGN_RATIO - 1) * mean) / tail
    assert np.log((chance * np.exp(step)).sum()) == pytest.approx(0.0, abs=0.015 * shape)


def test_a_chart_that_falls_to_nothing_learns_what_it_held() -> None:
    state = a_state(10.0, 0.01)
    charts_after(state, [(np.empty(0), 100.0)])
    fade = 1 - 1 / BASELINE_COILS
    np.testing.assert_allclose(state.baseline_count, fade * 10.0)
    np.testing.assert_allclose(state.baseline_m, fade * 1000.0 + 100.0)
    assert not state.excursion_m.any()


def test_a_chart_above_nothing_learns_nothing_until_it_falls_back() -> None:
    state = a_state(10.0, 0.01)
    stands = charts_after(state, [(np.ones(6), 100.0)])
    assert stands[0] > 0
    np.testing.assert_array_equal(state.baseline_count, 10.0)
    assert charts_after(state, [(np.empty(0), 400.0)]) == [0.0]
    np.testing.assert_allclose(state.baseline_count, (1 - 1 / BASELINE_COILS) * 10.0 + 6.0)


def test_a_frozen_chart_never_learns() -> None:
    state = a_state(10.0, 0.01)
    charts_after(state, [(np.empty(0), 400.0), (np.ones(1), 400.0)], frozen=True)
    np.testing.assert_array_equal(state.baseline_count, 10.0)
    assert state.excursion_m[0, 0] == 800.0


def test_restarting_a_chart_forgets_its_excursion_and_no_other() -> None:
    state = a_state(10.0, 0.01)
    charts_after(state, [(np.ones(6), 100.0)])
    first = np.zeros((3, 5), dtype=np.bool_)
    first[0, 0] = True
    streams.restart(state, first)
    after = streams.statistic(state, np.ones_like(state.baseline_m))
    assert after[0, 0] == 0.0
    assert (after.ravel()[1:] > 0).all()
    assert state.baseline_count[0, 0] == 10.0


def test_dispersion_of_poisson_counts_is_one_and_of_spread_counts_what_it_is() -> None:
    """Negative binomial with shape 2 and mean 4: variance over mean is 1 + 4 / 2 = 3."""
    rng = np.random.default_rng(900_400)
    quiet = np.ones((3, 5), dtype=np.bool_)
    found = {}
    for name, spread in (("poisson", None), ("spread", 2.0)):
        state = a_state(CERTAIN, 0.04)
        for _ in range(400):
            factor = 1.0 if spread is None else rng.gamma(spread, 1 / spread, (3, 5))
            count = rng.poisson(4.0 * factor, (3, 5)).astype(np.float64)
            streams.learn_dispersion(
                state, CoilEvidence(count, np.full((3, 5), 100.0), np.zeros((0, 3, 5))), quiet
            )
        found[name] = float(streams.dispersion_of(state, np.full((3, 5), 100.0))[0, 0])
    assert found["poisson"] == pytest.approx(1.0, abs=0.1)
    assert found["spread"] == pytest.approx(3.0, abs=0.6)


def test_before_anything_is_known_counts_are_taken_for_poisson() -> None:
    np.testing.assert_array_equal(streams.dispersion_of(a_state(1.0, 0.01), np.ones((3, 5))), 1.0)


def test_empirical_bayes_draws_streams_together_as_far_as_they_differ_by_chance_only() -> None:
    rng = np.random.default_rng(900_401)
    state = MonitorState.new(a_frame())
    state.learnt_m[:] = 2000.0
    state.learnt_count[:] = rng.poisson(4.0, (3, 5))
    streams.shrink_to_pool(state)
    raw = state.learnt_count / state.learnt_m
    assert state.rate.std() < 0.6 * raw.std()
    assert state.rate.mean() == pytest.approx(raw.mean(), rel=0.1)


def test_empirical_bayes_leaves_streams_apart_that_really_differ() -> None:
    state = MonitorState.new(a_frame())
    state.learnt_m[:] = 2000.0
    state.learnt_count[:] = 4.0
    state.learnt_count[1, 2] = 200.0
    streams.shrink_to_pool(state)
    assert state.rate[1, 2] == pytest.approx(0.1, rel=0.1)
    assert state.rate[0, 0] == pytest.approx(0.002, rel=0.35)


def test_nothing_learnt_leaves_the_assumed_rates() -> None:
    state = MonitorState.new(a_frame())
    before = state.rate.copy()
    streams.shrink_to_pool(state)
    np.testing.assert_array_equal(state.rate, before)


@pytest.mark.parametrize("mean", [0.2, 1.5])
def test_a_line_in_control_raises_one_false_alarm_in_the_promised_number_of_coils(mean: float) -> None:
    """Ten charts, promised 80 coils, played 1000 times over 400 coils: some 4000 false alarms, +- 3 %."""
    rng = np.random.default_rng(900_402)
    limit = chart_limit(np.full(10, mean), NO_CAMERAS, 80.0)
    charts, alarms = np.zeros((2, 10, 1000)), 0
    for _ in range(400):
        count = rng.poisson(mean, charts.shape[1:])
        step = np.log(RATIOS) * count - (RATIOS - 1) * mean
        charts = np.maximum(0.0, charts + step)
        over = (charts >= limit).any(axis=0)
        alarms += int(over.sum())
        charts[:, over] = 0.0
    assert 1000 * 400 / alarms == pytest.approx(80.0, rel=0.12)


@pytest.mark.parametrize("cameras", [0, 12], ids=["machines_only", "with_camera_charts"])
def test_at_the_limit_the_rates_of_false_alarms_add_up_to_the_promise(cameras: int) -> None:
    means = np.exp(np.array([-16, -8, -8, 0]) / 8)
    calls = np.full(cameras, 0.1)
    limit = chart_limit(means, calls, 300.0)
    rates = [1 / poisson_chart_arl(float(mean), DESIGN_RATIO, limit) for mean in means]
    rates += [1 / poisson_chart_arl(float(mean), STEEP_RATIO, limit) for mean in means]
    rates += [1 / poisson_chart_arl(0.1, CAMERA_RATIO, limit)] * cameras
    assert sum(rates) == pytest.approx(1 / 300, rel=0.04)


def test_the_limit_rises_with_the_promise_and_with_the_number_of_charts() -> None:
    by_promise = [chart_limit(np.full(20, 0.2), NO_CAMERAS, arl0) for arl0 in (100.0, 500.0, 5000.0)]
    by_streams = [chart_limit(np.full(count, 0.2), NO_CAMERAS, 500.0) for count in (6, 60, 600)]
    by_cameras = [chart_limit(np.full(20, 0.2), np.full(count, 0.1), 500.0) for count in (0, 10, 100)]
    for limits in (by_promise, by_streams, by_cameras):
        assert limits == sorted(limits)
        assert limits[-1] - limits[0] > 1.0


@pytest.mark.parametrize("ratio", [DESIGN_RATIO, CAMERA_RATIO])
@pytest.mark.parametrize("mean", [0.001, 0.01, 0.2, 5.0, 60.0])
def test_a_limit_is_found_for_rare_and_for_busy_streams(mean: float, ratio: float) -> None:
    """So many events that not even 10^12 coils would let a chart rise are no reason to give up."""
    streams_mean = np.full(3, mean) if ratio == DESIGN_RATIO else np.full(3, 0.2)
    calls = np.full(3, mean) if ratio == CAMERA_RATIO else NO_CAMERAS
    assert 1.0 <= chart_limit(streams_mean, calls, 500.0) <= 24.0
    assert poisson_chart_arl(mean, ratio, 8.0) > 500.0


def test_every_attribute_of_a_copied_state_is_equal_and_shares_nothing() -> None:
    state = watch(scenario_named("step_r10", 3), 900_000, 75).analysis.monitor.state
    copied = state.copy()
    for each in fields(MonitorState):
        one, two = getattr(state, each.name), getattr(copied, each.name)
        np.testing.assert_array_equal(one, two, err_msg=each.name)
        if isinstance(one, np.ndarray):
            assert not np.shares_memory(one, two), each.name
    assert copied.ring_coils is not state.ring_coils


def test_two_monitors_that_see_the_same_coils_come_to_the_same_state() -> None:
    scenario = scenario_named("baseline")
    states = [watch(scenario, 900_010, 12, fresh_analysis(scenario)).analysis.monitor.state for _ in range(2)]
    for name, value in states[0].as_values().items():
        np.testing.assert_array_equal(value, states[1].as_values()[name], err_msg=name)


def test_nothing_is_flagged_while_the_line_is_learnt() -> None:
    """Not even a fault of fifty times the rate within the learning."""
    scenario = scenario_named("step_r10", 3)
    loud = replace(
        scenario,
        faults=(replace(scenario.faults[0], factor=50.0, onset_coil=5),),
        line=replace(scenario.line, monitoring=MonitoringPlan(learning_coils=12)),
    )
    run = watch(loud, 900_011, 12)
    for report in run.reports:
        assert report.outcome.standing.learning
        assert not report.outcome.standing.charts.any()
    assert [report.outcome.standing.limit for report in run.reports[:-1]] == [np.inf] * 11
    assert np.isfinite(run.reports[-1].outcome.standing.limit)
    assert run.flags == ()
