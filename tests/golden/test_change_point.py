"""Change points and onsets.

Source: British coal-mining disasters by year, 1851 to 1962 (Jarrett, Biometrika 66, 1979; the standard example of
Carlin, Gelfand and Smith, Applied Statistics 41, 1992); numbers of "correlation.md" 2.3.
"""

import numpy as np
import pytest

from services.domain.spc.change_point import change_p_value, poisson_change_point, poisson_change_posterior
from services.domain.spc.cusum import bernoulli_increments, cusum_path, normal_increments, poisson_increments
from tests.golden.printed import off_by

DISASTERS = np.array(
    [
        int(digit)
        for digit in "4541043406334026335453144155342522342132211113001011003103220111010100021000110233112"
    ]
    + [int(digit) for digit in "111124200014000100000100101"]
)
YEARS = np.ones(112)


def test_the_series_is_the_published_one() -> None:
    assert (DISASTERS.size, DISASTERS.sum()) == (112, 191)


def test_the_most_likely_change_is_after_1891() -> None:
    change = poisson_change_point(DISASTERS, YEARS)
    assert (change.split, 1850 + change.split) == (41, 1891)
    assert not off_by([change.rate_before, change.rate_after], "3.0976 0.9014")
    assert not off_by(change.statistic, "69.988")
    assert change.earliest < 41 < change.latest
    assert change_p_value(DISASTERS, YEARS) < 1e-12


def test_the_interval_holds_all_splits_that_lose_less_than_two_nats_or_so() -> None:
    def log_likelihood(split: int) -> float:
        sides = (DISASTERS[:split], DISASTERS[split:])
        return float(sum(side.sum() * np.log(side.mean()) for side in sides))

    best = log_likelihood(41)
    inside = [split for split in range(1, 112) if 2 * (best - log_likelihood(split)) <= 3.84]
    change = poisson_change_point(DISASTERS, YEARS)
    assert (change.earliest, change.latest) == (inside[0], inside[-1])


def test_the_posterior_over_the_split() -> None:
    posterior = poisson_change_posterior(DISASTERS, YEARS)
    assert posterior.mode == 41
    assert not off_by(posterior.probabilities[40], ".2450")
    assert not off_by(posterior.mean, "40.07")
    assert not off_by(posterior.probabilities[38:43].sum(), ".7129")
    assert not off_by(posterior.log_bayes_factor, "28.942")


def test_the_shortest_credible_interval_holds_what_it_says_and_no_shorter_one_does() -> None:
    posterior = poisson_change_posterior(DISASTERS, YEARS)
    first, last = posterior.interval(0.9)
    held = posterior.probabilities[first - 1 : last].sum()
    windows = np.convolve(posterior.probabilities, np.ones(last - first), "valid")
    assert held >= 0.9 > windows.max()
    assert first <= posterior.mode <= last


def test_exposure_counts_and_not_the_number_of_observations() -> None:
    # Five coils of the same rate whose lengths differ, then five of three times the rate.
    exposures = np.array([100, 400, 50, 250, 200, 100, 400, 50, 250, 200], dtype=float)
    counts = np.round(exposures * np.repeat([0.04, 0.12], 5))
    change = poisson_change_point(counts, exposures)
    assert change.split == 5
    assert change.rate_after / change.rate_before == pytest.approx(3.0)


def test_counts_without_a_change_speak_against_one() -> None:
    counts = np.random.default_rng(4).poisson(3.0, 80)
    assert poisson_change_posterior(counts, np.ones(80)).log_bayes_factor < 0
    assert change_p_value(counts, np.ones(80)) > 0.05


def test_no_event_at_all_is_no_change() -> None:
    assert poisson_change_point(np.zeros(6), np.ones(6)).statistic == 0.0


@pytest.mark.parametrize(
    ("counts", "exposures"),
    [([3], [1.0]), ([3, 4], [1.0]), ([3, 4], [1.0, 0.0]), ([-1, 4], [1.0, 1.0])],
    ids=["one_point", "shapes_differ", "no_exposure", "negative"],
)
def test_what_has_no_change_point_is_refused(counts: list[int], exposures: list[float]) -> None:
    with pytest.raises(ValueError, match="change point needs"):
        poisson_change_point(counts, exposures)


def test_a_path_follows_the_recursion_with_a_new_exposure_at_every_step() -> None:
    counts, exposures = np.array([0, 2, 1, 0, 4, 3]), np.array([100.0, 40, 80, 0, 120, 100])
    increments = poisson_increments(counts, exposures, 0.01, 3.0)
    state, by_hand = 0.7, []
    for count, exposure in zip(counts, exposures, strict=True):
        state = max(0.0, state + count * np.log(3) - 2 * 0.01 * exposure)
        by_hand.append(state)
    path = cusum_path(increments, 4.0, head_start=0.7)
    assert path.statistic == pytest.approx(by_hand)
    assert increments[3] == 0.0
    assert path.alarm == int(np.argmax(np.array(by_hand) >= 4.0)) == 5


def test_the_alarm_is_at_the_limit_and_not_only_above_it() -> None:
    assert cusum_path([1.0, 1.0], 2.0).alarm == 1
    assert cusum_path([1.0, 0.999], 2.0).alarm is None


def test_the_onset_is_the_observation_after_the_last_zero_before_the_alarm() -> None:
    path = cusum_path([1.0, -2.0, -1.0, 1.5, 1.0, 2.0, -9.0], 4.0)
    assert (path.alarm, path.onset) == (5, 3)
    assert cusum_path([1.0, 2.0], 2.5).onset == 0
    assert cusum_path([1.0, -2.0], 2.5).onset == 2


def test_yes_no_frames_and_their_sums_give_the_same_evidence() -> None:
    frames = np.array([0, 0, 1, 0, 1])
    alone = bernoulli_increments(frames, np.ones(5), 0.01, 0.03).sum()
    assert alone == pytest.approx(bernoulli_increments([2], [5], 0.01, 0.03)[0])
    assert alone == pytest.approx(2 * np.log(3) + 3 * np.log(0.97 / 0.99))


def test_a_normal_increment_is_the_value_less_the_reference() -> None:
    assert normal_increments([1.0, -0.5], 0.5).tolist() == [0.5, -1.0]
