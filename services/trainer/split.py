"""Hold-out split by coil: no coil has frames on both sides."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.contracts.errors import ConfigurationError
from services.trainer.frames import LabelledFrame

SPLIT_FILE = "split.json"
RANDOM_SPLIT_FILE = "split_random.json"


@dataclass(frozen=True, slots=True)
class CoilSplit:
    """Which coils are held out, and how they were chosen; of a random split, which images."""

    seed: int
    held_out_share: float
    held_out_coils: frozenset[str]
    held_out_images: frozenset[str] = frozenset()

    def is_held_out(self, frame: LabelledFrame) -> bool:
        """Tell whether the frame must not be trained on."""
        return frame.coil in self.held_out_coils or frame.image_path in self.held_out_images

    @property
    def is_random(self) -> bool:
        """Whether images were drawn, whatever coil they are of: such a split leaks where a coil has several."""
        return bool(self.held_out_images)

    def as_text(self) -> str:
        """Return the split as JSON, coils sorted."""
        key, chosen = (
            ("held_out_images", self.held_out_images)
            if self.is_random
            else ("held_out_coils", self.held_out_coils)
        )
        document = {"seed": self.seed, "held_out_share": self.held_out_share, key: sorted(chosen)}
        return json.dumps(document, indent=1) + "\n"

    @staticmethod
    def load(path: Path) -> CoilSplit:
        """Read a saved split.

        Raises:
            ConfigurationError: The file is missing or not such a split.
        """
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            images = frozenset(str(image) for image in document.get("held_out_images", ()))
            coils = frozenset(str(coil) for coil in ([] if images else document["held_out_coils"]))
            return CoilSplit(int(document["seed"]), float(document["held_out_share"]), coils, images)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"The split file {path} cannot be read: {error}.") from error


def split_by_coil(frames: Sequence[LabelledFrame], *, share: float, seed: int) -> CoilSplit:
    """Hold out a share of the coils of every class.

    A coil counts for the class that most of its frames show; of each class's coils a fixed share,
    drawn with the seed, is held out.
    """
    labels_of_coil: dict[str, Counter[int]] = defaultdict(Counter)
    for frame in frames:
        labels_of_coil[frame.coil][frame.label] += 1
    coils_of_label: dict[int, list[str]] = defaultdict(list)
    for coil in sorted(labels_of_coil):
        coils_of_label[labels_of_coil[coil].most_common(1)[0][0]].append(coil)
    rng = np.random.default_rng(seed)
    held_out: set[str] = set()
    for label in sorted(coils_of_label):
        coils = coils_of_label[label]
        count = round(share * len(coils))
        held_out.update(coils[index] for index in rng.permutation(len(coils))[:count])
    return CoilSplit(seed, share, frozenset(held_out))
