"""How long and how often a run measures."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.bench.figures import Part

ALL_PARTS: Final = frozenset(Part) - {Part.SOAK}


_NEEDS: Final = {Part.LATENCY: Part.END_TO_END, Part.SOAK: Part.END_TO_END}


def parts_of(names: Iterable[str], soak: bool) -> frozenset[Part]:  # noqa: FBT001 - a wish, not a mode
    """Return what is measured when these parts are named (all, when none is), with what they rest on."""
    parts = {Part(name) for name in names} or set(ALL_PARTS)
    if soak:
        parts.add(Part.SOAK)
    return frozenset(parts | {_NEEDS[part] for part in parts if part in _NEEDS})


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of one run.

    Attributes:
        parts: What is measured.
        rounds: How often the rates are measured, each round one after the other; the ratios are paired by round.
        slice_s: Seconds that the engine, Triton and the reference run in a round.
        trial_s: Seconds for each configuration that is tried beforehand.
        end_to_end_frames: Frames that wait in Kafka in a round.
        reference_rounds: Rounds that measure the reference too: it is slow.
        latency_s: Seconds of Poisson arrivals at each load.
        ceiling_frames: Frames for the classifier with the stub in a round.
        ceiling_rounds: How often that is done.
        image_count: Different images.
        soak_s: Seconds of steady load under which memory is watched, 0 for none.
        images: Directory of images, None for rendered ones.
        model_repository: Triton's directory of models.
        is_rough: Whether the sizes are too small for figures worth keeping.
    """

    parts: frozenset[Part] = ALL_PARTS
    rounds: int = 6
    slice_s: float = 6.0
    trial_s: float = 3.0
    end_to_end_frames: int = 800
    reference_rounds: int = 3
    latency_s: float = 90.0
    ceiling_frames: int = 10_000
    ceiling_rounds: int = 3
    image_count: int = 256
    soak_s: float = 0.0
    images: Path | None = None
    model_repository: Path = Path("model_repository")
    is_rough: bool = False

    def wants(self, part: Part) -> bool:
        """Whether this part is to be measured."""
        return part in self.parts


QUICK: Final = Plan(
    rounds=2,
    slice_s=1.0,
    trial_s=0.3,
    end_to_end_frames=96,
    reference_rounds=1,
    latency_s=4.0,
    ceiling_frames=1_000,
    ceiling_rounds=1,
    image_count=64,
    is_rough=True,
)
"""Proves that every figure is produced; the figures themselves are worth little."""
