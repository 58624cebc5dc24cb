"""Average run lengths of CUSUM, EWMA and Shewhart detectors.

Sources: Brook and Evans 1972; Waldmann 1986; Vance 1986; Lucas and Crosier 1982 (Montgomery's table); Hawkins
1993; Siegmund 1985; Crowder 1987; Lucas and Saccucci 1990; Lucas 1985; SAS/QC manual; as quoted by the man pages
xcusum.arl, xewma.arl, xcusum.ad and pois.cusum.arl of the R package spc (numbers from R packages, no code), and
"correlation.md" 2.5, which recomputed them.
"""

import numpy as np
import pytest
from scipy import stats

from services.domain.spc.cusum import cusum_path
from services.domain.spc.lattice_run_length import (
    bernoulli_cusum_arl,
    compound_poisson_increments,
    lattice_cusum_arl,
    poisson_cusum_arl,
)
from services.domain.spc.limits import (
    compound_cusum_limit,
    ewma_width,
    limit_for_arl0,
    one_sided_cusum_limit,
    two_sided_cusum_limit,
)
from services.domain.spc.run_length import (
    ewma_arl,
    one_sided_cusum_arl,
    shewhart_arl,
    siegmund_arl,
    steady_state_delay,
    two_sided_cusum_arl,
)
from tests.golden.printed import off_by

SHIFTS = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4)


@pytest.mark.parametrize(
    ("reference", "limit", "shift", "head_start", "arl"),
    [
        pytest.param(0.5, 3, 0, 0, "117.596", id="brook_evans_in_control"),
        pytest.param(0.5, 3, 1.5, 0, "3.7491", id="brook_evans_shifted"),
        pytest.param(0.5, 3, -0.5, 0, "1962.8", id="waldmann_below"),
        pytest.param(0.5, 3, 0, 0, "117.60", id="waldmann_in_control"),
        pytest.param(0.5, 3, 0.5, 0, "17.35", id="waldmann_above"),
        pytest.param(0.25, 8, 2.5, 0, "4.1500837", id="sas"),
        pytest.param(0.25, 8, 2.5, 0.1, "4.1061588", id="sas_head_start"),
        pytest.param(0, 10, 0, 0, "124.66", id="vance_in_control"),
        pytest.param(0, 10, 0.5, 0, "20.37", id="vance_half"),
        pytest.param(0, 10, 1, 0, "10.75", id="vance_one"),
    ],
)
def test_one_sided_cusum(reference: float, limit: float, shift: float, head_start: float, arl: str) -> None:
    assert not off_by(one_sided_cusum_arl(reference, limit, shift, head_start), arl)


def test_vances_longest_run_length_to_the_accuracy_of_his_quadrature() -> None:
    assert one_sided_cusum_arl(0, 10, -0.25) == pytest.approx(2071.51, rel=5e-5)


@pytest.mark.parametrize(
    ("limit", "head_start", "arls"),
    [
        pytest.param(4, 0, "167.68,74.22,26.63,13.29,8.38,4.75,3.34,2.62,2.19,1.71", id="h4"),
        pytest.param(5, 0, "465.44,139.49,38.00,17.05,10.38,5.75,4.01,3.11,2.57,2.01", id="h5"),
        pytest.param(4, 0, "168,74.2,26.6,13.3,8.38,4.75,3.34,2.62,2.19,1.71", id="h4_as_published"),
        pytest.param(5, 0, "465,139,38.0,17.0,10.4,5.75,4.01,3.11,2.57,2.01", id="h5_as_published"),
    ],
)
def test_two_sided_cusum_of_lucas_and_crosier(limit: float, head_start: float, arls: str) -> None:
    computed = [two_sided_cusum_arl(0.5, limit, shift, head_start) for shift in SHIFTS]
    assert not off_by(computed, arls)


def test_two_sided_cusum_with_fast_initial_response() -> None:
    # The published 1.32 at a shift of 3 is 1.326: the book's own approximation.
    computed = [two_sided_cusum_arl(0.5, 4, shift, 2) for shift in SHIFTS]
    assert not off_by(computed, "149,62.7,20.1,8.97,5.29,2.86,2.01,1.59,1.32,1.07", last_digit=0.7)


def test_two_sided_cusum_slightly_off_target() -> None:
    assert not off_by(two_sided_cusum_arl(0.6, 3, -0.2), "65.4", last_digit=0.7)


def test_limits_of_hawkins_for_370() -> None:
    limits = [two_sided_cusum_limit(k, 370) for k in (0.25, 0.5, 0.75, 1, 1.25, 1.5)]
    assert not off_by(limits, "8.008 4.774 3.339 2.516 1.986 1.604")


def test_siegmunds_approximation_beside_the_exact_values() -> None:
    approximate = [siegmund_arl(0.5, 5), siegmund_arl(0.5, 5) / 2, siegmund_arl(0.5, 5, 1)]
    exact = [one_sided_cusum_arl(0.5, 5), two_sided_cusum_arl(0.5, 5), one_sided_cusum_arl(0.5, 5, 1)]
    assert not off_by(approximate, "938.2 469.1 10.34")
    assert not off_by(exact, "930.9 465.4 10.376")


def test_siegmund_without_drift_is_the_square_of_the_barrier() -> None:
    assert siegmund_arl(0.5, 5, 0.5) == pytest.approx(6.166**2)
    assert siegmund_arl(0.5, 5, 0.5 + 1e-5) == pytest.approx(6.166**2, rel=1e-3)


def test_limits_and_delays_of_one_sided_cusums() -> None:
    limits = [one_sided_cusum_limit(0.5, arl0) for arl0 in (200, 370.4, 500, 1000, 10_000)]
    assert not off_by(limits, "3.502 4.0965 4.3891 5.0707 7.3608")
    delays = [one_sided_cusum_arl(0.5, limit, 1) for limit in limits]
    assert not off_by(delays, "7.395 8.575 9.158 10.517 15.094")


def test_shewhart_at_three_sigma() -> None:
    computed = [shewhart_arl(3, shift) for shift in (0, 0.5, 1, 1.5, 2, 3)]
    assert not off_by(computed, "370.40 155.22 43.89 14.97 6.30 2.00")


@pytest.mark.parametrize(
    ("smoothing", "width", "arls"),
    [
        (0.40, 3.054, "500,224,71.2,28.4,14.3,5.87,3.52,2.54,2.02,1.44"),
        (0.25, 2.998, "500,170,48.3,20.1,11.1,5.46,3.61,2.74,2.26,1.73"),
        (0.20, 2.962, "500,150,41.8,18.2,10.5,5.50,3.74,2.88,2.38,1.86"),
        (0.10, 2.814, "500,106,31.3,15.9,10.3,6.08,4.36,3.44,2.87,2.19"),
        (0.05, 2.615, "500,84.0,28.8,16.4,11.4,7.11,5.22,4.17,3.50,2.69"),
    ],
)
def test_ewma_of_lucas_and_saccucci(smoothing: float, width: float, arls: str) -> None:
    # Half a unit of the last digit, plus what three printed digits of the width leave open.
    computed = [ewma_arl(smoothing, width, shift) for shift in SHIFTS]
    assert not off_by(computed, arls, last_digit=0.6)


@pytest.mark.parametrize(
    ("smoothing", "width", "shifts", "arls"),
    [
        pytest.param(0.5, 2, (0, 0.5, 1), "26.45 11.89 4.91", id="crowder_half"),
        pytest.param(0.05, 2, (0, 1), "127.53 8.38", id="crowder_twentieth"),
        pytest.param(0.5, 3.071, (0, 0.5, 1, 2), "500 88.8 17.5 3.63", id="lucas_saccucci_half"),
        pytest.param(0.03, 2.437, (0, 0.5, 1, 2), "500 29.3 12.6 5.99", id="lucas_saccucci_slow"),
        pytest.param(0.25, 3, (1,), "11.1542670", id="sas"),
    ],
)
def test_more_ewmas(smoothing: float, width: float, shifts: tuple[float, ...], arls: str) -> None:
    assert not off_by([ewma_arl(smoothing, width, shift) for shift in shifts], arls)


def test_crowders_ewma_lies_between_the_two_published_values() -> None:
    assert 1.94 < ewma_arl(0.5, 2, 2) < 1.95


def test_an_ewma_that_forgets_everything_is_a_shewhart_chart() -> None:
    assert ewma_arl(1.0, 3.0, 1.0) == pytest.approx(shewhart_arl(3.0, 1.0), rel=1e-9)


def test_the_width_for_500_is_the_one_of_lucas_and_saccucci() -> None:
    assert not off_by(ewma_width(0.1, 500), "2.814")


def test_poisson_cusum_of_lucas() -> None:
    assert not off_by(poisson_cusum_arl(0.25, 10, 0.25), "438.125")
    assert not off_by(poisson_cusum_arl(0.25, 10, 0.25, head_start=5.0), "333.125")


def test_poisson_cusum_with_alarm_at_and_above_the_limit() -> None:
    at = [poisson_cusum_arl(5, 10, mean) for mean in (4, 5, 6, 7, 8)]
    assert not off_by(at, "421.65 29.81 9.73 5.59 3.96")
    above = [poisson_cusum_arl(5, 11, mean) for mean in (4, 5, 6, 7, 8)]
    assert not off_by(above, "655.48 34.88 10.72 6.09 4.30")


def test_a_lattice_chain_of_counts_is_the_poisson_cusum() -> None:
    counts = np.arange(60)
    arl = lattice_cusum_arl(counts - 2.9, stats.poisson.pmf(counts, 2), 6.4, 0.1, exact=True)
    assert arl == pytest.approx(poisson_cusum_arl(2.9, 6.4, 2), rel=1e-9)


def test_exact_increments_off_the_lattice_are_refused() -> None:
    with pytest.raises(ValueError, match="multiples of the step"):
        lattice_cusum_arl([-0.5, 0.73], [0.5, 0.5], 3, 0.5, exact=True)


def exact_arl_of_single_jumps(rate: float, jump: float, drift: float, limit: float) -> float:
    """The reachable states are a * jump - b * drift: enumerate those with few jumps and solve their chain."""
    states, todo = {0.0: 0}, [(0.0, 0)]
    moves: list[tuple[int, int, float]] = []
    chances = stats.poisson.pmf(np.arange(9), rate)
    while todo:
        here, jumps = todo.pop()
        for number, chance in enumerate(chances):
            after = round(max(0.0, here + number * jump - drift), 9)
            if after >= limit or jumps + number > 32:
                continue
            if after not in states:
                states[after] = len(states)
                todo.append((after, 0 if after == 0 else jumps + number))
            moves.append((states[round(here, 9)], states[after], float(chance)))
    matrix = np.eye(len(states))
    for source, target, probability in moves:
        matrix[source, target] -= probability
    return float(np.linalg.solve(matrix, np.ones(len(states)))[0])


def test_a_cusum_of_one_kind_of_jump_agrees_with_its_exact_chain() -> None:
    exact = exact_arl_of_single_jumps(0.2, float(np.log(5)), 0.8, 8.0)
    for step, tolerance in ((0.02, 0.005), (0.01, 0.001)):
        values, chances = compound_poisson_increments([np.log(5)], [0.2], 0.8, step)
        assert lattice_cusum_arl(values, chances, 8.0, step) == pytest.approx(exact, rel=tolerance)


RATES = np.array([0.05, 0.02, 0.04, 0.01, 0.03, 0.025, 0.015])
JUMPS = np.log(np.array([1.2, 4.8, 2.1, 3.3, 1.05, 2.9, 5.0]))
DRIFT = float((RATES * np.expm1(JUMPS)).sum())


def jump_cusum_arl(limit: float, step: float, factor: float = 1.0) -> float:
    values, chances = compound_poisson_increments(JUMPS, RATES * factor, DRIFT, step)
    return lattice_cusum_arl(values, chances, limit, step)


def test_a_cusum_of_many_kinds_of_jumps_hardly_depends_on_the_step() -> None:
    fine = jump_cusum_arl(6.0, 0.005)
    assert jump_cusum_arl(6.0, 0.02) == pytest.approx(fine, rel=2e-3)
    assert jump_cusum_arl(6.0, 0.05) == pytest.approx(fine, rel=1e-2)


def test_a_cusum_of_many_kinds_of_jumps_agrees_with_simulation() -> None:
    rng = np.random.default_rng(5)
    runs, delays = 4000, []
    state, alive = np.zeros(runs), np.ones(runs, dtype=bool)
    for step in range(1, 400):
        increments = rng.poisson(4 * RATES, size=(runs, RATES.size)) @ JUMPS - DRIFT
        state = np.maximum(0.0, state + increments)
        alarmed = alive & (state >= 4.0)
        delays += [step] * int(alarmed.sum())
        alive &= ~alarmed
    assert not alive.any()
    standard_error = np.std(delays) / np.sqrt(runs)
    assert jump_cusum_arl(4.0, 0.02, factor=4.0) == pytest.approx(np.mean(delays), abs=3 * standard_error)


def test_the_run_length_rises_smoothly_with_the_limit() -> None:
    values, chances = compound_poisson_increments(JUMPS, RATES, DRIFT, 0.05)
    logs = np.log([lattice_cusum_arl(values, chances, limit, 0.05) for limit in np.arange(4.0, 4.4, 0.01)])
    assert (np.diff(logs) > 0.005).all()
    assert (np.diff(logs) < 0.015).all()


def test_the_mean_and_variance_of_compound_poisson_increments() -> None:
    values, chances = compound_poisson_increments([1.3, -0.4], [0.7, 2.0], 0.35, 0.01)
    assert chances.sum() == pytest.approx(1.0, abs=1e-9)
    mean = float(values @ chances)
    assert mean == pytest.approx(1.3 * 0.7 - 0.4 * 2.0 - 0.35, abs=1e-6)
    assert float((values - mean) ** 2 @ chances) == pytest.approx(1.69 * 0.7 + 0.16 * 2.0, rel=1e-3)


def test_the_limit_for_an_arl0_is_found_on_compound_increments() -> None:
    limit = compound_cusum_limit(JUMPS, RATES, DRIFT, 30_000, 0.02)
    assert jump_cusum_arl(limit, 0.02) == pytest.approx(30_000, rel=1e-3)


@pytest.mark.parametrize("start", [0.01, 1.0, 500.0])
def test_a_limit_is_found_from_any_start(start: float) -> None:
    assert limit_for_arl0(lambda limit: np.exp(limit / 3), 1000, start) == pytest.approx(
        3 * np.log(1000), abs=1e-5
    )


def test_crosiers_steady_state_delay_is_shorter_than_from_zero() -> None:
    # Crosier 1986 table 5: 7.68, itself a coarse Markov-chain approximation, good to 1 %.
    assert two_sided_cusum_arl(0.5, 4, 1) == pytest.approx(8.38, abs=0.005)
    assert steady_state_delay(0.5, 4, 1, two_sided=True) == pytest.approx(7.68, rel=0.01)


def test_the_steady_state_delay_agrees_with_simulation() -> None:
    rng = np.random.default_rng(11)
    state = np.zeros(30_000)
    for _ in range(60):
        state = np.maximum(0.0, state + rng.standard_normal(state.size) - 0.5)
        state = state[state < 4]
    delays, alive = np.zeros(state.size), np.ones(state.size, dtype=bool)
    while alive.any():
        state = np.maximum(0.0, state + rng.standard_normal(state.size) + 0.5)
        delays += alive
        alive &= state < 4
    assert steady_state_delay(0.5, 4, 1) == pytest.approx(
        delays.mean(), abs=3 * delays.std() / np.sqrt(delays.size)
    )


def test_a_run_of_the_recursion_has_the_promised_mean_length() -> None:
    rng = np.random.default_rng(3)
    lengths = [cusum_path(rng.standard_normal(200) + 0.5, 4.0).alarm for _ in range(3000)]
    assert None not in lengths
    mean = np.mean([length + 1 for length in lengths if length is not None])
    assert mean == pytest.approx(one_sided_cusum_arl(0.5, 4.0, 1.0), rel=0.03)


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_a_limit_that_is_not_positive_is_refused(limit: float) -> None:
    with pytest.raises(ValueError, match="limit above 0"):
        one_sided_cusum_arl(0.5, limit)
    with pytest.raises(ValueError, match=r"limit"):
        poisson_cusum_arl(1.0, limit, 0.5)


def test_a_bernoulli_cusum_needs_room_to_rise() -> None:
    with pytest.raises(ValueError, match="1/gamma"):
        bernoulli_cusum_arl(1, 10, 0.1)
