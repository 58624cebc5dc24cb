"""Where was a defect born? Posteriors of single defects, and which machines cameras can tell apart.

Source: "correlation.md" 2.1, worked by hand: three machines with a camera behind each, sensitivities .9, .8, .95,
false calls .01, .02, .01 per frame, priors .02 for each machine and .94 for "nothing there", one class, no wear.
Diagnosable groups: the "minimal diagnosable class" of Zhou, Ding, Chen and Shi, Technometrics 45 (2003).
"""

from itertools import product

import numpy as np
import pytest

from services.domain.attribution.likelihood import NOT_LOOKED, NOT_SEEN, Labels, detection_probability, likelihoods
from services.domain.attribution.parameters import CameraParameters
from services.domain.attribution.posterior import posterior
from services.domain.registration.layout import LineLayout
from tests.fakes.simulated_coils import a_line
from tests.golden.printed import off_by

BEHIND_EACH = np.array([0, 1, 2])


def three_cameras(survival: float = 1.0) -> CameraParameters:
    return CameraParameters(
        sensitivity=np.array([[0.9], [0.8], [0.95]]),
        false_per_frame=np.array([0.01, 0.02, 0.01]),
        false_labels=np.ones((3, 1)),
        confusion=np.ones((1, 1)),
        survival=np.full((3, 1), survival),
    )


def pattern(text: str) -> Labels:
    """Read '011': camera 1 saw nothing, cameras 2 and 3 saw a defect; '-': did not look."""
    codes = {"0": NOT_SEEN, "1": 0, "-": NOT_LOOKED}
    return np.array([[codes[each] for each in text]], dtype=np.int16)


@pytest.mark.parametrize(
    ("seen", "printed"),
    [
        ("011", ".0887 .8784 .0220 .0109"),
        ("001", ".0120 .1187 .5816 .2877"),
        ("111", ".9886 .0110 .0003 .0001"),
        ("101", ".9153 .0102 .0498 .0247"),
        ("010", ".0041 .0410 .0010 .9538"),
        ("100", ".0193 .0002 .0011 .9794"),
    ],
)
def test_posterior_of_three_machines_and_of_nothing(seen: str, printed: str) -> None:
    found = posterior(likelihoods(pattern(seen), BEHIND_EACH, three_cameras()), np.full((3, 1), 0.02), 0.94)
    assert not off_by([*found.born[0, :, 0], found.false[0]], printed)


def test_a_camera_asked_on_several_frames_has_several_chances_of_a_false_call() -> None:
    """1 - (1 - f)^n instead of f where it called, (1 - f)^n instead of 1 - f where it was silent."""
    asked = np.array([[2, 3, 1]])
    found = likelihoods(pattern("101"), BEHIND_EACH, three_cameras(), asked)
    quiet = 0.98**3
    assert found.false[0] == pytest.approx((1 - 0.99**2) * quiet * 0.01)
    assert found.born[0, 2, 0] == pytest.approx((1 - 0.99**2) * quiet * 0.95)
    assert found.born[0, 0, 0] == pytest.approx(0.9 * 0.2 * 0.95)
    unseen = likelihoods(pattern("--1"), BEHIND_EACH, three_cameras(), asked)
    assert unseen.false[0] == pytest.approx(0.01)


def test_likelihoods_of_seen_by_the_last_two() -> None:
    found = likelihoods(pattern("011"), BEHIND_EACH, three_cameras())
    assert not off_by([*found.born[0, :2, 0]], ".0760 .7524")
    assert not off_by(found.born[0, 2, 0], ".01881")
    assert not off_by(found.false[0], ".000198")


def test_the_likelihoods_of_all_patterns_sum_to_one() -> None:
    labels = np.concatenate([pattern("".join(each)) for each in product("01", repeat=3)])
    found = likelihoods(labels, BEHIND_EACH, three_cameras(survival=0.9))
    np.testing.assert_allclose(found.born.sum(axis=0), 1.0)
    assert found.false.sum() == pytest.approx(1.0)


def test_with_labels_too_the_likelihoods_of_all_patterns_sum_to_one() -> None:
    parameters = CameraParameters(
        sensitivity=np.array([[0.9, 0.5], [0.8, 0.7], [0.95, 0.6]]),
        false_per_frame=np.array([0.01, 0.02, 0.01]),
        false_labels=np.array([[0.3, 0.7], [0.5, 0.5], [1.0, 0.0]]),
        confusion=np.array([[0.8, 0.2], [0.35, 0.65]]),
        survival=np.array([[1.0, 1.0], [0.9, 0.7], [0.8, 0.95]]),
    )
    labels = np.array(list(product((NOT_SEEN, 0, 1), repeat=3)), dtype=np.int16)
    found = likelihoods(labels, BEHIND_EACH, parameters)
    np.testing.assert_allclose(found.born.sum(axis=0), 1.0)
    assert found.false.sum() == pytest.approx(1.0)


def test_a_defect_that_wears_off_is_the_sum_of_both_fates() -> None:
    """By hand, born at machine 1, pattern 100: seen (.9), then never again visible, or missed while visible."""
    found = likelihoods(pattern("100"), BEHIND_EACH, three_cameras(survival=0.9))
    gone_at_2 = 0.1 * 0.98 * 0.99
    gone_at_3 = 0.9 * 0.2 * 0.1 * 0.99
    never_gone = 0.9 * 0.2 * 0.9 * 0.05
    assert found.born[0, 0, 0] == pytest.approx(0.9 * (gone_at_2 + gone_at_3 + never_gone))


def test_a_camera_that_did_not_look_says_nothing() -> None:
    """By hand: without camera 2 the pattern is that of two cameras."""
    found = likelihoods(pattern("0-1"), BEHIND_EACH, three_cameras())
    np.testing.assert_allclose(found.born[0, :, 0], [0.1 * 0.95, 0.99 * 0.95, 0.99 * 0.95])
    assert found.false[0] == pytest.approx(0.99 * 0.01)


@pytest.mark.parametrize(
    ("looked", "expected"),
    [
        pytest.param((1, 1, 1), [1 - 0.1 * 0.2 * 0.05, 1 - 0.2 * 0.05, 0.95], id="all"),
        pytest.param((1, 0, 1), [1 - 0.1 * 0.05, 0.95, 0.95], id="the_second_did_not_look"),
        pytest.param((1, 1, 0), [1 - 0.1 * 0.2, 0.8, 0.0], id="the_last_did_not_look"),
        pytest.param((0, 0, 0), [0.0, 0.0, 0.0], id="nobody"),
    ],
)
def test_chance_that_a_defect_is_reported_at_least_once(looked: tuple[int, ...], expected: list[float]) -> None:
    chance = detection_probability(np.array([looked], dtype=np.bool_), BEHIND_EACH, three_cameras())
    np.testing.assert_allclose(chance[0, :, 0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("behind", "groups"),
    [
        pytest.param((1, 2, 4, 6), ["m1", "m2", "m3+m4", "m5+m6"], id="cameras_1_2_4_6"),
        pytest.param((1, 2, 3, 4, 5, 6), ["m1", "m2", "m3", "m4", "m5", "m6"], id="a_camera_behind_each"),
        pytest.param((6,), ["m1+m2+m3+m4+m5+m6"], id="one_camera_at_the_end"),
        pytest.param((2, 2, 6), ["m1+m2", "m3+m4+m5+m6"], id="two_cameras_at_one_machine"),
    ],
)
def test_machines_between_two_cameras_are_one_group(behind: tuple[int, ...], groups: list[str]) -> None:
    layout = LineLayout.of(a_line(sorted(behind), machines=6))
    assert [group.group_id for group in layout.groups] == groups
    assert layout.unseen is None


def test_machines_behind_the_last_camera_are_unseen() -> None:
    layout = LineLayout.of(a_line((1, 4), machines=6))
    assert [group.group_id for group in layout.groups] == ["m1", "m2+m3+m4"]
    assert layout.unseen is not None
    assert (layout.unseen.machine_ids, layout.unseen.first_camera) == (("m5", "m6"), None)


def test_no_pattern_tells_machines_of_one_group_apart() -> None:
    """What a group means: its machines' columns of P(pattern | machine) coincide, and no two groups' do."""
    stations = np.array([0, 1, 2, 2, 3, 3])  # first camera behind each of six machines, cameras behind 1, 2, 4, 6
    labels = np.array(list(product((NOT_SEEN, 0), repeat=4)), dtype=np.int16)
    parameters = CameraParameters(
        np.full((4, 1), 0.85), np.full(4, 0.01), np.ones((4, 1)), np.ones((1, 1)), np.full((4, 1), 0.98)
    )
    columns = {camera: likelihoods(labels, np.array([camera]), parameters).born[:, 0, 0] for camera in range(4)}
    by_machine = [columns[camera] for camera in stations]
    same = [[np.allclose(one, two) for two in by_machine] for one in by_machine]
    assert np.array_equal(same, stations[:, None] == stations[None, :])
