"""The renderer: same arguments same pixels, every class and size, defects that can be seen."""

from time import process_time

import numpy as np
import pytest

from services.adapters.cameras.renderer import render, render_marked
from services.domain.classes import DEFECT_CLASSES, SURFACE_LABELS


@pytest.mark.parametrize("label", SURFACE_LABELS)
def test_the_same_arguments_give_the_same_pixels(label: str) -> None:
    first, second = render(label, 42, 160, 96), render(label, 42, 160, 96)
    assert first.shape == (96, 160)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)


def test_another_seed_gives_another_surface() -> None:
    assert np.mean(render("no_defect", 1) != render("no_defect", 2)) > 0.5


@pytest.mark.parametrize("label", DEFECT_CLASSES)
@pytest.mark.parametrize("size", [(32, 32), (512, 250)])
def test_every_class_can_be_rendered_at_every_size(label: str, size: tuple[int, int]) -> None:
    frame = render(label, 3, *size)
    assert frame.shape == size[::-1]
    assert frame.std() > 1


def test_a_hole_is_black_and_round() -> None:
    for seed in range(5):
        frame = render("punching_hole", seed)
        dark = np.argwhere(frame < 40)
        assert len(dark) > 50


def test_a_weld_runs_over_the_whole_width_and_rolling_lines_do_not() -> None:
    def strongest_row_step(label: str) -> float:
        steps = []
        for seed in range(12):
            rows = render(label, seed).astype(float).mean(axis=1)
            steps.append(np.abs(np.diff(rows)).max() / rows.mean())
        return float(np.median(steps))

    assert strongest_row_step("welding_line") > 3 * strongest_row_step("no_defect")


def test_waist_folding_is_brighter_and_oil_darker_than_the_strip_around_it() -> None:
    def skew(label: str) -> float:
        values = []
        for seed in range(12):
            frame = render(label, seed).astype(float)
            detail = frame - np.median(frame, axis=0)
            values.append(np.mean(detail**3))
        return float(np.median(values))

    assert skew("waist_folding") > 0 > skew("oil_spot")


def test_a_frame_takes_a_few_milliseconds() -> None:
    started = process_time()
    for seed in range(20):
        render("rolled_pit", seed)
    assert (process_time() - started) / 20 < 0.03


@pytest.mark.parametrize(
    ("label", "size"),
    [pytest.param("rust", (224, 224), id="unknown class"), pytest.param("crease", (8, 224), id="too small")],
)
def test_an_impossible_frame_is_refused(label: str, size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=r"defect class|at least"):
        render(label, 1, *size)


@pytest.mark.parametrize("label", DEFECT_CLASSES)
def test_every_defect_is_marked_on_the_strip_and_the_frame_is_the_same(label: str) -> None:
    for seed in range(8):
        frame, marks = render_marked(label, seed, 320, 200)
        np.testing.assert_array_equal(frame, render(label, seed, 320, 200))
        assert label in {mark.defect_class for mark in marks}
        assert {mark.defect_class for mark in marks} <= {label, "welding_line"}
        assert all(0 <= mark.left < mark.right <= 1 and 0 <= mark.top < mark.bottom <= 1 for mark in marks)


def test_clean_strip_has_no_marks() -> None:
    assert [render_marked("no_defect", seed)[1] for seed in range(5)] == [()] * 5


def test_a_mark_lies_close_around_a_hole_and_a_weld_beside_it_is_marked_as_a_weld() -> None:
    welds = 0
    for seed in range(12):
        frame, marks = render_marked("punching_hole", seed)
        (hole,) = [mark for mark in marks if mark.defect_class == "punching_hole"]
        seam = [mark for mark in marks if mark.defect_class == "welding_line"]
        welds += bool(seam)
        assert all(mark.right - mark.left > 0.3 and mark.bottom - mark.top < 0.1 for mark in seam)
        rows = slice(round(hole.top * 224), round(hole.bottom * 224))
        columns = slice(round(hole.left * 224), round(hole.right * 224))
        assert 0.25 < np.mean(frame[rows, columns] < 40) < 0.95
    assert 2 < welds < 10


def test_what_the_strips_end_hides_is_not_marked() -> None:
    for seed in range(30):
        frame, marks = render_marked("silk_spot", seed)
        texture = np.abs(np.diff(frame.astype(float), axis=0)).mean(axis=0)
        strip = np.flatnonzero(texture > texture.max() / 6)
        assert all(mark.right * 224 <= strip[-1] + 4 and mark.left * 224 >= strip[0] - 4 for mark in marks), seed
