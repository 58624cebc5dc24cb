"""Machine or lens? Each condition is found where it is, and not where something else looks like it."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from services.domain import fixed_place
from services.domain.camera_condition import (
    UNKNOWN_HASH,
    CameraCondition,
    CameraFinding,
    CameraFrames,
    camera_findings,
    frozen,
    silent,
)

Floats = npt.NDArray[np.float64]
CLASSES = ("inclusion", "oil_spot", "rolled_pit")
FRAMES = 160
USUAL_SHARPNESS = 200.0


def working(count: int = FRAMES, **changes: Any) -> CameraFrames:
    """A coil as a working camera shows it: no two pictures alike, light and focus vary, no defects."""
    rng = np.random.default_rng(11)
    frames = CameraFrames(
        captured_s=1e9 + 0.5 * np.arange(count, dtype=np.float64),
        brightness=rng.uniform(0.15, 0.6, count),
        saturated=rng.uniform(0, 0.05, count),
        sharpness=rng.lognormal(np.log(USUAL_SHARPNESS), 0.5, count),
        picture_hash=np.arange(1, count + 1),
        label=np.full(count, -1),
        spot=np.full((count, 2), np.nan),
        classes=CLASSES,
    )
    return replace(frames, **changes)


def with_spots(spots: Floats, label: int = 1, frames: CameraFrames | None = None) -> CameraFrames:
    """Put defects of one class with these spots on frames that are clean so far."""
    frames = frames or working()
    rows = np.flatnonzero(frames.label < 0)[: len(spots)]
    labels, places = frames.label.copy(), frames.spot.copy()
    labels[rows], places[rows] = label, spots
    return replace(frames, label=labels, spot=places)


def uniform(count: int, seed: int = 3) -> Floats:
    return np.random.default_rng(seed).uniform(0, 1, (count, 2))


def blemish(count: int, at: tuple[float, float] = (0.7, 0.3), seed: int = 4) -> Floats:
    return np.random.default_rng(seed).normal(at, 0.02, (count, 2))


def lane(count: int, column: float = 0.5, seed: int = 5) -> Floats:
    """What a damaged roll or a scratch leaves: one column, any row."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(column, 0.02, count), rng.uniform(0.1, 0.9, count)])


def cells(spots: Floats) -> Floats:
    """As a 7 x 7 map without refinement places them."""
    return (np.floor(spots * 7) + 0.5) / 7


def runs(lengths: list[int]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(1, len(lengths) + 1), lengths)


def kinds(found: tuple[CameraFinding, ...]) -> list[str]:
    return [each.kind.value for each in found]


BRIGHT = np.full(FRAMES, 0.95)
FIRST_HALF = np.arange(FRAMES) < FRAMES / 2


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        pytest.param(working(), [], id="a working camera"),
        pytest.param(working(0), [], id="no frames and none expected"),
        pytest.param(
            working(brightness=np.full(FRAMES, 0.004), saturated=np.zeros(FRAMES)), ["black"], id="black"
        ),
        pytest.param(working(brightness=np.full(FRAMES, 0.03)), [], id="dark strip is not black"),
        pytest.param(
            working(brightness=np.full(FRAMES, 0.019), saturated=np.full(FRAMES, 0.01)),
            [],
            id="dark with bright points is not black",
        ),
        pytest.param(
            working(brightness=np.where(np.arange(FRAMES) < 70, 0.0, 0.3), saturated=np.zeros(FRAMES)),
            [],
            id="black for less than half of the coil",
        ),
        pytest.param(working(12, brightness=np.zeros(12), saturated=np.zeros(12)), [], id="too few black frames"),
        pytest.param(
            working(brightness=BRIGHT, saturated=np.full(FRAMES, 0.8)), ["over_exposed"], id="over-exposed"
        ),
        pytest.param(working(brightness=BRIGHT, saturated=np.full(FRAMES, 0.45)), [], id="a bright strip glares"),
        pytest.param(working(sharpness=np.full(FRAMES, 70.0)), ["defocused"], id="defocused"),
        pytest.param(working(sharpness=np.full(FRAMES, 90.0)), [], id="a little less sharp"),
        pytest.param(
            working(sharpness=np.where(FIRST_HALF, 20.0, 250.0) + np.arange(FRAMES)),
            [],
            id="half of the coil has little texture",
        ),
        pytest.param(working(sharpness=np.full(FRAMES, np.nan)), [], id="sharpness unknown"),
        pytest.param(working(picture_hash=np.full(FRAMES, 77)), ["frozen"], id="one picture for ever"),
        pytest.param(working(picture_hash=runs([1] * 75 + [5] + [1] * 80)), ["frozen"], id="five in a row"),
        pytest.param(working(picture_hash=runs([4] * 20 + [1] * 80)), [], id="four in a row, sometimes"),
        pytest.param(working(picture_hash=runs([4] * 40)), ["frozen"], id="every picture four times"),
        pytest.param(working(picture_hash=np.arange(FRAMES) % 3 + 1), ["frozen"], id="three buffers in turn"),
        pytest.param(working(picture_hash=np.arange(FRAMES) % 40 + 1), [], id="a folder of 40 pictures in a loop"),
        pytest.param(working(picture_hash=np.full(FRAMES, UNKNOWN_HASH)), [], id="nobody hashed"),
        pytest.param(working(picture_hash=np.full(FRAMES, 77), strip_moved=False), [], id="the strip stands"),
        pytest.param(with_spots(blemish(40)), ["dirty_lens"], id="blemish"),
        pytest.param(with_spots(cells(blemish(20))), ["dirty_lens"], id="blemish, twenty times, coarse map"),
        pytest.param(with_spots(blemish(15)), [], id="blemish seen too rarely"),
        pytest.param(
            with_spots(np.vstack([blemish(40), uniform(15)])), ["dirty_lens"], id="blemish and real ones"
        ),
        pytest.param(with_spots(np.vstack([blemish(20), uniform(35)])), [], id="most of them are real"),
        pytest.param(with_spots(uniform(80)), [], id="a machine that fails"),
        pytest.param(with_spots(lane(80)), [], id="roll marks in a lane"),
        pytest.param(with_spots(lane(20)), [], id="some roll marks in a lane"),
        pytest.param(with_spots(lane(80)[:, ::-1].copy()), [], id="one row, any column"),
        pytest.param(
            replace(with_spots(blemish(40)), strip_moved=False),
            [],
            id="a defect under a camera while the strip stands",
        ),
        pytest.param(with_spots(np.full((40, 2), np.nan)), [], id="defects without a place"),
        pytest.param(
            with_spots(blemish(12), 0, with_spots(blemish(12), 1)), [], id="two classes are not added up"
        ),
        pytest.param(
            with_spots(uniform(60), 2, with_spots(blemish(30), 1)), ["dirty_lens"], id="beside a failing machine"
        ),
        pytest.param(
            with_spots(
                blemish(40), frames=working(sharpness=np.full(FRAMES, 9.0), picture_hash=np.full(FRAMES, 5))
            ),
            ["frozen", "defocused", "dirty_lens"],
            id="everything at once",
        ),
        pytest.param(
            working(
                brightness=np.zeros(FRAMES),
                saturated=np.zeros(FRAMES),
                sharpness=np.zeros(FRAMES),
                picture_hash=np.full(FRAMES, 9),
            ),
            ["black"],
            id="of a black picture nothing else is said",
        ),
    ],
)
def test_a_camera_is_found_in_its_condition(frames: CameraFrames, expected: list[str]) -> None:
    assert kinds(camera_findings(frames, USUAL_SHARPNESS)) == expected


@pytest.mark.parametrize(
    ("frames", "reason", "count", "share"),
    [
        pytest.param(
            working(brightness=np.full(FRAMES, 0.004), saturated=np.zeros(FRAMES)),
            "160 of 160 frames are black: the median brightness is 0.4% of white.",
            160,
            1.0,
            id="black",
        ),
        pytest.param(
            working(saturated=np.where(np.arange(FRAMES) < 120, 0.8, 0.1)),
            "120 of 160 frames are over-exposed: the median frame has 80% white pixels.",
            120,
            0.75,
            id="over_exposed",
        ),
        pytest.param(
            working(picture_hash=runs([5, 3, *[1] * 152])),
            "6 of 160 frames repeat an earlier picture while the strip moves;"
            " the longest run of equal pictures has 5.",
            6,
            6 / 160,
            id="frozen",
        ),
        pytest.param(
            working(sharpness=np.where(np.arange(FRAMES) < 100, 50.0, 300.0)),
            "100 of 160 frames are blurred: the median sharpness is 25% of the usual.",
            100,
            0.625,
            id="defocused",
        ),
        pytest.param(
            with_spots(np.tile([[0.7, 0.3]], (32, 1))),
            "32 of 32 frames with oil_spot show it at the same place of the image (70% from the left,"
            " 30% from the top) while the strip moves.",
            32,
            0.2,
            id="dirty_lens",
        ),
    ],
)
def test_a_finding_says_what_was_seen(frames: CameraFrames, reason: str, count: int, share: float) -> None:
    (finding,) = camera_findings(frames, USUAL_SHARPNESS)
    assert (finding.reason, finding.frames) == (reason, count)
    assert finding.share == pytest.approx(share)


@pytest.mark.parametrize(
    ("expected", "seen", "is_silent"),
    [
        pytest.param(160, 0, True, id="not one of 160"),
        pytest.param(160, 1, False, id="one frame is no silence"),
        pytest.param(10, 0, True, id="just enough missing"),
        pytest.param(9, 0, False, id="a late start"),
        pytest.param(0, 0, False, id="nobody delivered"),
    ],
)
def test_a_camera_is_silent_when_others_deliver(expected: int, seen: int, is_silent: bool) -> None:
    finding = silent(expected, seen)
    assert (finding is not None) == is_silent
    if finding is not None:
        assert (finding.kind, finding.frames, finding.share) == (CameraCondition.SILENT, expected, 1.0)
        assert f"{expected} were expected" in finding.reason


def test_a_silent_camera_is_found_among_the_others() -> None:
    assert kinds(camera_findings(working(0), USUAL_SHARPNESS, expected_frames=160)) == ["silent"]
    assert kinds(camera_findings(working(), USUAL_SHARPNESS, expected_frames=200)) == []


def test_focus_is_not_judged_before_the_usual_sharpness_is_known() -> None:
    blurred = working(sharpness=np.full(FRAMES, 1.0))
    assert camera_findings(blurred, None) == ()
    assert kinds(camera_findings(blurred, USUAL_SHARPNESS)) == ["defocused"]


def test_the_order_of_the_rows_does_not_matter() -> None:
    frames = with_spots(blemish(40), frames=working(picture_hash=runs([5, *[1] * 155])))
    shuffled = np.random.default_rng(1).permutation(FRAMES)
    columns = ("captured_s", "brightness", "saturated", "sharpness", "picture_hash", "label", "spot")
    mixed = replace(frames, **{name: getattr(frames, name)[shuffled] for name in columns})
    assert frozen(mixed) is not None
    assert camera_findings(mixed, USUAL_SHARPNESS) == camera_findings(frames, USUAL_SHARPNESS)


def test_frames_that_nobody_measured_are_left_out() -> None:
    half_known = working(
        brightness=np.where(FIRST_HALF, np.nan, 0.001),
        saturated=np.where(FIRST_HALF, np.nan, 0.0),
    )
    (finding,) = camera_findings(half_known, USUAL_SHARPNESS)
    assert (finding.kind, finding.frames, finding.share) == (CameraCondition.BLACK, 80, 1.0)


def test_a_clean_lens_is_hardly_ever_called_dirty() -> None:
    """Spots anywhere, and spots in a lane: 0.6 of 6,000 coils are allowed."""
    rng = np.random.default_rng(2)
    called = 0
    for _ in range(3_000):
        spots = rng.uniform(0, 1, (int(rng.integers(8, 81)), 2))
        called += fixed_place.is_fixed(spots)
        spots[:, 0] = 0.5
        called += fixed_place.is_fixed(spots)
    assert called <= 2  # 1 in 40 by chance to see more, if the bound were just kept


def test_the_least_number_of_spots_is_the_one_from_which_chance_is_ruled_out() -> None:
    least = fixed_place.LEAST_SPOTS
    spots = np.tile([[0.5, 0.5]], (least, 1))
    assert fixed_place.chance_of(spots) < fixed_place.HIGHEST_CHANCE < fixed_place.chance_of(spots[1:])


def test_a_blemish_is_found_again_in_other_classes_by_its_place() -> None:
    frames = with_spots(blemish(30), 0, with_spots(blemish(60), 1))
    (finding,) = camera_findings(frames, USUAL_SHARPNESS)
    assert finding.frames == 60
    assert finding.place is not None
    assert finding.place == pytest.approx((0.7, 0.3), abs=0.02)
    assert fixed_place.near(frames.spot, finding.place).sum() == 90


def test_only_a_blemish_has_a_place() -> None:
    (finding,) = camera_findings(working(sharpness=np.full(FRAMES, 70.0)), USUAL_SHARPNESS)
    assert finding.place is None


def test_spots_far_from_their_median_are_no_crowd() -> None:
    corners = np.array([[0.0, 0.0], [1.0, 1.0]] * 10)
    assert fixed_place.chance_of(corners) == 1.0
    assert not fixed_place.is_fixed(corners)
