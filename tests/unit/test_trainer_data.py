"""Training data: clear refusals, coils never on both sides, batches that can be drawn again."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.adapters.cameras.renderer import render
from services.contracts.errors import ConfigurationError
from services.domain.classes import DEFECT_CLASSES, NO_DEFECT, SURFACE_LABELS
from services.trainer.frames import (
    Box,
    LabelledFrame,
    check_classes,
    image_files,
    load_images,
    read_frames,
)
from services.trainer.plan import Phase, TrainingPlan
from services.trainer.samples import clean_window, defect_window
from services.trainer.sampling import (
    BatchMix,
    BatchSource,
)
from services.trainer.settings import RunSettings
from services.trainer.split import CoilSplit, split_by_coil

SIZE = 224
NO_DEFECT_LABEL = SURFACE_LABELS.index(NO_DEFECT)


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def frames_of_coils(coils_per_class: int = 5, frames_per_coil: int = 3) -> list[LabelledFrame]:
    return [
        LabelledFrame(f"{label}/{coil}-{number}.jpg", label, f"{label}-{coil}")
        for label in range(len(DEFECT_CLASSES))
        for coil in range(coils_per_class)
        for number in range(frames_per_coil)
    ]


def test_class_numbers_and_names_mean_the_same(tmp_path: Path) -> None:
    numbers = write_csv(tmp_path / "n.csv", [{"image_path": "a.jpg", "target": "3"}])
    names = write_csv(tmp_path / "s.csv", [{"image_path": "a.jpg", "label": "oil_spot", "coil": "7"}])
    assert [f.label for f in read_frames(numbers)] == [f.label for f in read_frames(names)] == [3]
    assert read_frames(names)[0].coil == "7"


def test_boxes_are_read_as_fractions_of_the_frame(tmp_path: Path) -> None:
    row = {"image_path": "a.jpg", "label": "crease", "boxes_2048x1000": '[["crease", 512, 250, 1024, 750]]'}
    (frame,) = read_frames(write_csv(tmp_path / "b.csv", [row]))
    assert frame.boxes == (Box(0, 0.25, 0.25, 0.5, 0.75),)
    assert frame.boxes[0].area == pytest.approx(0.125)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        pytest.param({"image_path": "a.jpg", "target": "10"}, "line 2: '10' is no known class", id="number"),
        pytest.param({"image_path": "a.jpg", "target": "rust"}, "line 2: 'rust' is no known class", id="name"),
        pytest.param({"image_path": "a.jpg"}, "needs the columns", id="column"),
        pytest.param(
            {"image_path": "a.jpg", "target": "1", "boxes_2048x1000": "[1]"}, "must be a JSON list", id="boxes"
        ),
    ],
)
def test_a_bad_csv_is_refused_with_its_place(tmp_path: Path, row: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        read_frames(write_csv(tmp_path / "bad.csv", [row]))


def test_a_missing_csv_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_frames(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("image_path,target\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="names no images"):
        read_frames(tmp_path / "empty.csv")


def test_one_class_and_an_empty_class_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="All images show oil_spot"):
        check_classes([LabelledFrame("a", 3, "a")])
    with pytest.raises(ConfigurationError, match="No image shows crease"):
        check_classes([frame for frame in frames_of_coils() if frame.label != 0])
    check_classes(frames_of_coils())


def test_missing_and_unreadable_images_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"1 of 1 images are missing .* first gone\.jpg"):
        image_files(tmp_path, [LabelledFrame("gone.jpg", 0, "c")])
    (tmp_path / "bad.jpg").write_bytes(b"no image at all")
    with pytest.raises(ConfigurationError, match=r"bad\.jpg cannot be read"):
        load_images(tmp_path, [LabelledFrame("bad.jpg", 0, "c")])
    with pytest.raises(ConfigurationError, match=r"directory .* does not exist"):
        image_files(tmp_path / "nowhere", [LabelledFrame("a.jpg", 0, "c")])


def test_images_are_loaded_at_the_model_size(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), render("crease", 1, 512, 250))
    (image,) = load_images(tmp_path, [LabelledFrame("a.jpg", 0, "c")])
    assert image.shape == (SIZE, SIZE)


def test_no_coil_is_on_both_sides_and_every_class_is() -> None:
    frames = frames_of_coils()
    split = split_by_coil(frames, share=0.2, seed=1)
    held = [frame for frame in frames if split.is_held_out(frame)]
    kept = [frame for frame in frames if not split.is_held_out(frame)]
    assert not {frame.coil for frame in held} & {frame.coil for frame in kept}
    assert {frame.label for frame in held} == set(range(10))
    assert len(held) == len(frames) // 5


def test_a_split_is_the_same_again_and_after_saving(tmp_path: Path) -> None:
    frames = frames_of_coils()
    split = split_by_coil(frames, share=0.4, seed=9)
    assert split == split_by_coil(list(reversed(frames)), share=0.4, seed=9)
    (tmp_path / "split.json").write_text(split.as_text(), encoding="utf-8")
    assert CoilSplit.load(tmp_path / "split.json") == split
    with pytest.raises(ConfigurationError, match="cannot be read"):
        CoilSplit.load(tmp_path / "none.json")


def source(mix: BatchMix | None = None) -> BatchSource:
    box = (Box(3, 0.4, 0.4, 0.5, 0.5),)
    frames = [LabelledFrame(f"{n}", label, f"{n}", box) for n, label in enumerate([3] * 5 + [6] * 45)]
    images = [render(SURFACE_LABELS[frame.label], n) for n, frame in enumerate(frames)]
    return BatchSource(frames, images, 5, mix or BatchMix())


def test_a_step_gives_the_same_batch_again_and_another_step_another() -> None:
    first, again, other = source().batch(4, 8, 64), source().batch(4, 8, 64), source().batch(6, 8, 64)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.pixels.shape == (8, 64, 64)
    assert not np.array_equal(first.pixels, other.pixels)


def test_every_second_batch_is_mixed_and_labels_stay_shares() -> None:
    plain, mixed = source().batch(0, 32, 32), source().batch(1, 32, 32)
    assert set(np.unique(plain.targets)) == {0.0, 1.0}
    np.testing.assert_allclose(mixed.targets.sum(axis=1), 1, atol=1e-6)
    assert len(np.unique(mixed.targets)) > 2


def test_a_rare_class_is_drawn_more_often_than_it_occurs() -> None:
    mix = BatchMix(defect_windows=0, clean_windows=0, rendered=0, class_balance=1.0)
    labels = source(mix).batch(0, 200, 32).targets.argmax(axis=1)
    assert 70 < np.sum(labels == 3) < 130


def test_clean_windows_touch_no_box_and_defect_windows_hold_one() -> None:
    image = np.full((SIZE, SIZE), 120, np.uint8)
    image[20:64, 20:64] = 250
    frame = LabelledFrame("a", 3, "c", (Box(3, 20 / SIZE, 20 / SIZE, 64 / SIZE, 64 / SIZE),))
    rng = np.random.default_rng(1)
    cut = [clean_window(frame, image, rng) for _ in range(300)]
    clean = [window for window in cut if window is not None]
    assert clean
    assert max(int(window.max()) for window in clean) == 120
    defects = [defect_window(frame, image, rng) for _ in range(50)]
    assert all(each.label == 3 and each.image.max() == 250 and each.boxes for each in defects)


def test_rendered_batches_need_no_images_and_show_clean_strip_too() -> None:
    batch = BatchSource([], [], 3, BatchMix()).batch(0, 60, 32)
    counts = batch.targets.sum(axis=0)
    assert counts[NO_DEFECT_LABEL] > 4
    assert counts[:NO_DEFECT_LABEL].sum() > 30


def test_the_plan_walks_through_its_image_sizes() -> None:
    plan = TrainingPlan(phases=(Phase(112, 0.5), Phase(224, 1.0)))
    assert [plan.image_px(p) for p in (0.0, 0.49, 0.5, 1.0)] == [112, 112, 224, 224]
    assert not plan.same_phase(0.49, 0.5)
    with pytest.raises(ConfigurationError, match="not possible"):
        TrainingPlan(phases=(Phase(100, 1.0),))


def test_rendered_frames_are_marked_where_their_defect_is_and_clean_strip_nowhere() -> None:
    rendered = BatchSource([], [], 3, BatchMix(rendered_clean=0.5)).batch(0, 40, 224)
    clean = rendered.targets[:, NO_DEFECT_LABEL] == 1
    assert rendered.marked.all()
    assert 5 < clean.sum() < 35
    assert not rendered.marks[clean].any()
    own = np.take_along_axis(
        rendered.marks.max(axis=(1, 2)), rendered.targets.argmax(axis=1)[:, None], axis=1
    )[:, 0]  # fmt: skip
    assert np.mean(own[~clean] > 0.2) > 0.75  # a shift pushes some out of the picture


def test_several_image_sizes_share_the_run_equally_and_none_leaves_the_recipe() -> None:
    phases = RunSettings(image_px=(160, 224)).plan().phases
    assert phases == (Phase(160, 0.5), Phase(224, 1.0))
    assert RunSettings().plan().phases == TrainingPlan().phases
