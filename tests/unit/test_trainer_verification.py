"""What the verification looks at, without a network."""

import numpy as np
import pytest

from services.domain.classes import SURFACE_LABELS
from services.trainer.frames import Box, LabelledFrame
from services.trainer.sampling import RESERVED_RENDER_SEEDS
from services.trainer.verification import HeldOut, clean_windows, cross_fitted_error, rendered_frames


def held_out(coils: int, per_coil: int = 40) -> HeldOut:
    frames = [LabelledFrame(f"{c}-{n}", n % 11, f"coil-{c}") for c in range(coils) for n in range(per_coil)]
    return HeldOut(frames, [np.zeros((224, 224), np.uint8)] * len(frames))


def logits_of_share(frames: HeldOut, share_right: float, sharpness: float) -> np.ndarray:
    """Logits that are right for a share of the frames and as sure of the wrong ones."""
    rng = np.random.default_rng(2)
    answers = [label if rng.random() < share_right else (label + 1) % 11 for label in frames.labels]
    return sharpness * np.eye(11)[answers]


def test_a_temperature_of_other_coils_mends_an_overconfident_model() -> None:
    frames = held_out(20)
    logits = logits_of_share(frames, 0.7, 8.0)
    error = cross_fitted_error(logits, frames)
    assert error is not None
    assert error < 0.08  # uncorrected, its confidence of nearly 1 is off by 0.3


def test_one_coil_alone_cannot_be_cross_fitted() -> None:
    frames = held_out(1)
    assert cross_fitted_error(logits_of_share(frames, 0.5, 3.0), frames) is None


def test_rendered_frames_use_reserved_seeds_and_all_labels() -> None:
    images, labels = rendered_frames(2, 10)
    assert [labels.count(label) for label in range(len(SURFACE_LABELS))] == [2] * len(SURFACE_LABELS)
    assert {image.shape for image in images} == {(224, 224)}
    assert RESERVED_RENDER_SEEDS > 12


def test_clean_windows_come_only_from_frames_with_marks() -> None:
    image = np.full((224, 224), 100, np.uint8)
    unmarked = HeldOut([LabelledFrame("a", 0, "a")], [image])
    assert clean_windows(unmarked) == []
    marked = [LabelledFrame(f"{n}", 0, "a", (Box(0, 0.0, 0.0, 0.05, 0.05),)) for n in range(8)]
    windows = clean_windows(HeldOut(marked, [image] * 8))
    assert windows
    assert {window.shape for window in windows} == {(224, 224)}


@pytest.mark.parametrize("coils", [2, 5])
def test_a_perfect_model_stays_perfect(coils: int) -> None:
    frames = held_out(coils)
    assert (cross_fitted_error(logits_of_share(frames, 1.0, 30.0), frames) or 0) < 0.01
