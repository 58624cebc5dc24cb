"""Periods of defects along the strip and the rolls behind them.

Sources: Rayleigh's test of the pingouin documentation (Zar's formula; astropy's Wilkie series differs); Z^2_n of
Buccheri et al. 1983; the comb experiment, the null quantile and the roll of "correlation.md" 2.8.
"""

import numpy as np
import numpy.typing as npt
import pytest

from services.domain.periodicity.event_grid import event_grid
from services.domain.periodicity.rayleigh import rayleigh_test
from services.domain.periodicity.rolls import RollCandidate, match_rolls, turn_length
from services.domain.periodicity.search import Period, SearchPolicy, find_period
from services.domain.periodicity.z_squared import z_squared
from tests.golden.printed import off_by

Floats = npt.NDArray[np.float64]

TURN_M = 1.618
QUICK = SearchPolicy(permutations=19, max_p_value=0.05)


def marks(
    rng: np.random.Generator, length_m: float, detection: float, background: float, turn_m: float = TURN_M
) -> Floats:
    """Marks of one roll with 5 mm jitter, some missed, among random defects of this mean number."""
    turns = np.arange(rng.random() * turn_m, length_m, turn_m)
    seen = turns[rng.random(turns.size) < detection]
    seen = seen + rng.normal(0, 0.005, seen.size)
    everything = np.concatenate((seen, rng.random(rng.poisson(background)) * length_m))
    return np.asarray(np.sort(everything), dtype=np.float64)


def framed(positions: Floats, pitch_m: float) -> Floats:
    """Centres of the frames that show something."""
    return np.asarray(np.unique(np.floor(positions / pitch_m)) * pitch_m + pitch_m / 2, dtype=np.float64)


def test_rayleigh_on_the_documented_angles() -> None:
    test = rayleigh_test([0.785, 1.57, 3.141, 0.839, 5.934])
    assert not off_by([test.mean_resultant, test.z, test.p_value], ".497230 1.23619 .304844")
    assert not off_by(rayleigh_test(np.deg2rad([130, 90, 0, 145])).p_value, ".254678")


@pytest.mark.parametrize("angles", [[], [float("nan")]])
def test_rayleigh_refuses_what_is_no_angle(angles: list[float]) -> None:
    with pytest.raises(ValueError, match="angle"):
        rayleigh_test(angles)


def test_a_perfect_comb_has_the_most_power_that_there_is_at_its_turn_and_at_its_half() -> None:
    comb = np.arange(200, dtype=np.float64) * np.float64(TURN_M)
    powers = z_squared([comb], [1 / TURN_M, 2 / TURN_M, 0.5 / TURN_M, 1.5 / TURN_M])
    assert powers == pytest.approx([1200, 1200, 400, 400], rel=1e-6)


def test_powers_of_coils_add_up_whatever_their_phases() -> None:
    comb = np.arange(50, dtype=np.float64) * np.float64(TURN_M)
    together = z_squared([comb, comb[:30] + 0.77], [1 / TURN_M], harmonics=1)
    assert together[0] == pytest.approx(2 * (50**2 + 30**2) / 80)


def test_the_fast_spectrum_is_the_direct_one() -> None:
    rng = np.random.default_rng(0)
    coils = [framed(marks(rng, 100.0, 0.5, 10), 0.5) for _ in range(4)]
    grid = event_grid(coils, 0.8, 0.5, 3)
    orders = np.arange(300, 900, dtype=np.intp)
    orders = orders[np.abs((3 * grid.frequencies(orders) * 0.5 + 0.5) % 1 - 0.5) > 0.05]
    ours = grid.harmonic_powers(orders, 1)[0]
    direct = z_squared(coils, grid.frequencies(orders), harmonics=1)
    assert np.corrcoef(ours, direct)[0, 1] > 0.98
    # Counts of frames that are either empty or not vary less than counts without bound, by the occupied share.
    assert ours.mean() / direct.mean() == pytest.approx(1 / (1 - sum(map(len, coils)) / 800), rel=0.1)


def test_the_largest_power_of_random_positions() -> None:
    rng = np.random.default_rng(6)
    maxima = []
    for _ in range(150):
        grid = event_grid([np.sort(rng.random(150) * 300.0)], 0.3, None, 3)
        orders = np.arange(int(0.25 / grid.frequency_step), int((1 / 0.3) / grid.frequency_step), dtype=np.intp)
        assert 7000 < orders.size < 8000  # 7,709 in the experiment; here the coil ends at its last event
        maxima.append(grid.harmonic_powers(orders, 3).sum(axis=0).max())
    assert np.quantile(maxima, 0.95) == pytest.approx(32.6, abs=1.8)


@pytest.mark.parametrize(
    ("detection", "background"),
    [
        pytest.param(1.0, 0, id="all_marks"),
        pytest.param(0.8, 50, id="most_marks"),
        pytest.param(0.5, 100, id="half_the_marks"),
    ],
)
def test_exact_positions_on_300_m_give_the_turn_and_not_its_half(detection: float, background: float) -> None:
    errors = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        period = find_period([marks(rng, 300.0, detection, background)], 0.3, 4.0, None, rng, QUICK)
        assert period is not None
        assert period.period_m == pytest.approx(TURN_M, rel=0.002)
        assert period.aliases_m == ()
        errors.append(period.period_m / TURN_M - 1)
    assert np.sqrt(np.mean(np.square(errors))) < 1e-4


def test_the_precision_of_190_turns_is_what_theory_says() -> None:
    rng = np.random.default_rng(12)
    errors, claimed = [], []
    for _ in range(12):
        period = find_period([marks(rng, 190 * TURN_M, 1.0, 0)], 1.0, 2.5, None, rng, QUICK)
        assert period is not None
        assert 188 <= period.turns <= 190
        errors.append(period.period_m / TURN_M - 1)
        claimed.append(period.relative_sd)
    theory = 0.005 * np.sqrt(12) / 190**1.5 / TURN_M
    assert theory * TURN_M == pytest.approx(6.6e-6, rel=0.01)
    assert np.mean(claimed) == pytest.approx(theory, rel=0.1)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(theory, rel=0.6)


def test_frame_centres_of_half_a_metre_give_the_turn_within_two_per_mille() -> None:
    found = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        coils = [framed(marks(rng, 100.0, 0.5, 10), 0.5) for _ in range(20)]
        period = find_period(coils, 0.3, 4.0, 0.5, rng, QUICK)
        found.append(np.inf if period is None else abs(period.period_m / TURN_M - 1))
    assert np.mean(np.array(found) < 0.002) >= 0.95


@pytest.mark.parametrize(
    ("turn_m", "pitch_m"),
    [
        pytest.param(1.618, 0.25, id="short_frames"),
        pytest.param(1.5, 0.5, id="three_frames_a_turn"),
        pytest.param(2.5, 1.0, id="five_frames_in_two_turns"),
        pytest.param(1.514, 0.5, id="close_to_three_frames"),
        pytest.param(1.2, 0.5, id="few_frames_a_turn"),
    ],
)
def test_turns_and_frames_of_other_lengths(turn_m: float, pitch_m: float) -> None:
    errors = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        coils = [framed(marks(rng, 100.0, 0.5, 10, turn_m), pitch_m) for _ in range(20)]
        period = find_period(coils, 0.5, 4.0, pitch_m, rng, QUICK)
        assert period is not None
        errors.append(abs(period.period_m / turn_m - 1) / period.relative_sd)
        assert period.period_m == pytest.approx(turn_m, rel=0.003)
    assert np.sqrt(np.mean(np.square(errors))) < 2.5


def test_frames_whose_lattices_differ_from_camera_to_camera_still_give_the_turn() -> None:
    rng = np.random.default_rng(1)
    coils = []
    for _ in range(20):
        seen = marks(rng, 100.0, 0.6, 6)
        coils.append(np.concatenate((framed(seen[::2], 0.5), framed(seen[1::2] - 0.19, 0.5) + 0.19)))
    period = find_period(coils, 0.3, 4.0, 0.5, rng, QUICK)
    assert period is not None
    assert period.period_m == pytest.approx(TURN_M, rel=0.002)


def test_a_turn_too_short_for_the_frames_is_among_the_aliases() -> None:
    rng = np.random.default_rng(3)
    coils = [framed(marks(rng, 100.0, 0.5, 10, 0.8), 0.5) for _ in range(20)]
    period = find_period(coils, 0.3, 4.0, 0.5, rng, QUICK)
    assert period is not None
    assert period.period_m == pytest.approx(1 / (1 / 0.5 - 1 / 0.8), rel=0.002)
    assert min(abs(alias / 0.8 - 1) for alias in period.aliases_m) < 0.002
    for alias in (period.period_m, *period.aliases_m):
        turns = np.array([1 / alias, 1 / period.period_m]) * 0.5
        offset = np.minimum(turns % 1, 1 - turns % 1)
        assert offset[0] == pytest.approx(offset[1], abs=1e-9)


@pytest.mark.parametrize("pitch_m", [None, 0.5])
def test_random_defects_have_a_period_no_more_often_than_promised(pitch_m: float | None) -> None:
    policy = SearchPolicy(permutations=49, max_p_value=0.1)
    found = 0
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)
        coils = [np.asarray(np.sort(rng.random(rng.poisson(25)) * 60.0), dtype=np.float64) for _ in range(4)]
        coils = coils if pitch_m is None else [framed(each, pitch_m) for each in coils]
        found += find_period(coils, 0.4, 4.0, pitch_m, rng, policy) is not None
    # 4 of 40 are expected; more than 10 happens once in a thousand.
    assert found <= 10


def test_the_pitch_of_the_frames_is_no_period() -> None:
    rng = np.random.default_rng(2)
    coils = [np.flatnonzero(rng.random(300) < 0.7) * 0.5 for _ in range(6)]
    period = find_period(coils, 0.24, 0.6, 0.5, rng)
    assert period is None


def test_all_power_of_the_frame_pitch_is_taken_out() -> None:
    rng = np.random.default_rng(2)
    coils = [np.asarray(np.flatnonzero(rng.random(300) < 0.7) * 0.5, dtype=np.float64) for _ in range(6)]
    grid = event_grid(coils, 0.24, 0.5, 3)
    orders = np.array([grid.transform_length, grid.transform_length + 1], dtype=np.intp)
    at_pitch, beside = grid.harmonic_powers(orders, 1)[0]
    assert 1 / grid.frequencies(orders)[0] == pytest.approx(0.5)
    assert at_pitch == pytest.approx(0.0, abs=1e-6)
    assert beside < 2


def test_coils_that_are_worse_at_their_head_show_no_period_at_the_frame_pitch() -> None:
    rng = np.random.default_rng(5)
    worse_at_head = np.linspace(0.95, 0.05, 200)
    coils = [np.flatnonzero(rng.random(200) < worse_at_head) * 0.5 for _ in range(20)]
    assert find_period(coils, 0.3, 0.9, 0.5, rng) is None


def test_defects_that_last_for_several_frames_are_no_period() -> None:
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        coils = []
        for _ in range(20):
            starts = rng.integers(0, 200, 8)
            coils.append(
                np.unique(np.concatenate([np.arange(each, each + rng.integers(2, 7)) for each in starts])) * 0.5
            )
        found += find_period(coils, 0.3, 4.0, 0.5, rng) is not None
    assert found <= 1


def test_marks_that_always_fall_on_the_same_frames_are_known_to_a_frame_in_each_coil() -> None:
    coils = [np.arange(0.25, 100.0, 1.5) for _ in range(20)]
    period = find_period(coils, 0.3, 4.0, 0.5, np.random.default_rng(0), QUICK)
    assert period is not None
    assert period.period_m == pytest.approx(1.5, rel=1e-4)
    assert period.relative_sd == pytest.approx(0.5 / np.sqrt(12 * 20) / 99.0, rel=1e-3)


@pytest.mark.parametrize(
    ("positions", "shortest_m"),
    [
        pytest.param([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 0.5, id="seven_events"),
        pytest.param([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0], 1.0, id="four_turns"),
        pytest.param([], 0.5, id="nothing"),
    ],
)
def test_too_little_to_tell_gives_no_period(positions: list[float], shortest_m: float) -> None:
    assert find_period([positions], shortest_m, 4.0, None, np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("shortest_m", "longest_m", "pitch_m"),
    [(2.0, 1.0, None), (0.0, 1.0, None), (0.5, 1.0, 0.0)],
    ids=["backwards", "zero", "no_pitch"],
)
def test_an_impossible_search_is_refused(shortest_m: float, longest_m: float, pitch_m: float | None) -> None:
    with pytest.raises(ValueError, match="two lengths above 0"):
        find_period([[1.0, 2.0]], shortest_m, longest_m, pitch_m, np.random.default_rng(0))


def test_the_turn_of_the_documented_roll() -> None:
    assert not off_by([turn_length(0.5), turn_length(0.5, 0.03)], "1.57080 1.61792")
    assert not off_by(turn_length(0.5, 0.03, stretch=1.2 / 0.6), "3.2358")


def period_of(length_m: float, relative_sd: float = 1e-4, aliases_m: tuple[float, ...] = ()) -> Period:
    return Period(length_m, 100.0, 0.005, 60, relative_sd, aliases_m)


WORK = RollCandidate("work", "mill", 0.5, 0.02, 0.04)
BRIDLE = RollCandidate("bridle", "leveller", 0.8)


def test_the_one_roll_that_fits_is_matched_with_the_slip_it_implies() -> None:
    match = match_rolls(period_of(1.61792), (WORK, BRIDLE))
    assert match.matched_roll == "work"
    assert match.options[0].machine_id == "mill"
    assert match.options[0].implied_slip == pytest.approx(0.03, abs=1e-5)


def test_a_later_reduction_doubles_the_turn() -> None:
    reduced = RollCandidate("work", "mill", 0.5, 0.02, 0.04, stretch=2.0)
    assert match_rolls(period_of(3.2358), (reduced, WORK, BRIDLE)).ambiguity_set == ("work",)


def test_rolls_within_the_slip_band_stay_ambiguous_and_the_likelier_slip_comes_first() -> None:
    top, bottom = RollCandidate("top", "mill", 0.480, 0.0, 0.04), RollCandidate("bottom", "mill", 0.482, 0.0, 0.04)
    period = period_of(turn_length(0.482, 0.02))
    match = match_rolls(period, (top, bottom))
    assert match.matched_roll is None
    assert match.ambiguity_set == ("bottom", "top")
    assert match_rolls(period, (top, bottom), slip_expected=0.03).ambiguity_set == ("top", "bottom")


def test_no_roll_fits_a_period_outside_all_ranges() -> None:
    match = match_rolls(period_of(2.0), (WORK, BRIDLE))
    assert (match.options, match.matched_roll) == ((), None)


@pytest.mark.parametrize(("relative_sd", "fits"), [(6e-4, True), (4e-4, False)])
def test_ranges_are_widened_by_two_standard_deviations_of_the_period(relative_sd: float, fits: bool) -> None:
    period = period_of(turn_length(0.8) * 1.001, relative_sd)
    assert bool(match_rolls(period, (BRIDLE,)).options) is fits


def test_a_roll_may_explain_an_alias_of_the_period() -> None:
    short = RollCandidate("deflector", "leveller", 0.8 / np.pi)
    match = match_rolls(period_of(4 / 3, aliases_m=(0.8, 0.36)), (short, WORK))
    assert match.matched_roll == "deflector"
    assert match.options[0].period_m == 0.8


@pytest.mark.parametrize(
    ("diameter_m", "slips", "stretch"),
    [(0.0, (0, 0), 1.0), (0.5, (0.04, 0.02), 1.0), (0.5, (-1.0, 0.0), 1.0), (0.5, (0, 0), 0.0)],
    ids=["no_diameter", "empty_band", "stands_still", "no_stretch"],
)
def test_an_impossible_roll_is_refused(diameter_m: float, slips: tuple[float, float], stretch: float) -> None:
    with pytest.raises(ValueError, match="roll 'x' needs"):
        RollCandidate("x", "m", diameter_m, *slips, stretch)
