"""Delay of the best detectors at a given ARL0, exact and by formula.

Sources: Lorden 1971 and Moustakides 1986 for the optimum; Reynolds and Stoumbos 1999 for the Bernoulli CUSUM; the
table of "correlation.md" 2.6, computed with an independent Markov chain.
"""

import numpy as np
import pytest

from services.domain.spc.lattice_run_length import bernoulli_cusum_arl, poisson_cusum_arl
from services.domain.spc.limits import bernoulli_cusum_limit, poisson_cusum_limit
from services.domain.spc.run_length import delay_lower_bound, one_sided_cusum_arl
from tests.golden.printed import off_by


def poisson_information(before: float, after: float) -> float:
    return float(after * np.log(after / before) - (after - before))


def bernoulli_information(before: float, after: float) -> float:
    return float(after * np.log(after / before) + (1 - after) * np.log((1 - after) / (1 - before)))


@pytest.mark.parametrize(
    ("limit", "arl0", "exact", "formula", "first_order"),
    [(4.3891, 500, "9.16", "9.04", "12.43"), (7.3608, 10_000, "15.09", "15.03", "18.42")],
)
def test_a_normal_mean_that_moves_by_one(
    limit: float, arl0: float, exact: str, formula: str, first_order: str
) -> None:
    assert one_sided_cusum_arl(0.5, limit) == pytest.approx(arl0, rel=1e-4)
    assert not off_by(one_sided_cusum_arl(0.5, limit, 1), exact)
    assert not off_by(delay_lower_bound(arl0, 0.5), formula)
    assert not off_by(np.log(arl0) / 0.5, first_order)


@pytest.mark.parametrize(
    ("before", "after", "reference", "limit", "row"),
    [
        pytest.param(2, 4, 2.9, 6.4, ".7726 521 6.49 6.47 8.10", id="2_to_4"),
        pytest.param(5, 7.5, 6.2, 10.5, ".541 514 8.57 8.55 11.54", id="5_to_7.5"),
        pytest.param(1, 3, 1.8, 4.3, "1.296 569 4.39 4.32 4.90", id="1_to_3"),
        pytest.param(0.5, 1, 0.7, 5.8, ".193 520 18.39 18.7 32.4", id="0.5_to_1"),
    ],
)
def test_a_poisson_mean_that_rises(before: float, after: float, reference: float, limit: float, row: str) -> None:
    information = poisson_information(before, after)
    arl0 = poisson_cusum_arl(reference, limit, before)
    exact = poisson_cusum_arl(reference, limit, after)
    computed = [information, arl0, exact, delay_lower_bound(arl0, information), np.log(arl0) / information]
    assert not off_by(computed, row, last_digit=0.6)


@pytest.mark.parametrize(
    ("before", "after", "gamma_steps", "limit_steps", "row"),
    [
        pytest.param(0.01, 0.03, 55, 208, "10084 276 295 700", id="3_times"),
        pytest.param(0.01, 0.02, 69, 327, "10047 670 683 2355", id="2_times"),
        pytest.param(0.005, 0.02, 92, 262, "10025 276 300 718", id="4_times"),
        pytest.param(0.05, 0.10, 14, 65, "2030 130 133 369", id="frequent"),
    ],
)
def test_a_share_of_defective_frames_that_rises(
    before: float, after: float, gamma_steps: int, limit_steps: int, row: str
) -> None:
    information = bernoulli_information(before, after)
    arl0 = bernoulli_cusum_arl(gamma_steps, limit_steps, before)
    exact = bernoulli_cusum_arl(gamma_steps, limit_steps, after)
    computed = [arl0, exact, delay_lower_bound(arl0, information), np.log(arl0) / information]
    assert not off_by(computed, row, last_digit=0.6)


def test_the_smallest_lattice_limit_that_keeps_the_promise() -> None:
    limit = poisson_cusum_limit(2.9, 2, 520, 0.1)
    assert limit == pytest.approx(6.4)
    assert poisson_cusum_arl(2.9, limit - 0.1, 2) < 520
    steps = bernoulli_cusum_limit(55, 0.01, 10_000)
    assert steps == 208
    assert bernoulli_cusum_arl(55, steps - 1, 0.01) < 10_000
