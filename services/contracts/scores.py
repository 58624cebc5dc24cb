"""What a model answers about a batch of images."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.domain.classes import NO_DEFECT
from services.domain.inspection import Verdict

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One row per image, in the order of the images.

    Attributes:
        labels: Class names in the order of the last axis of `probabilities` and `evidence`.
        probabilities: [images, classes], each row sums to 1.
        evidence: [images, rows, columns, classes], the class evidence maps, or None where the model has none.
        model_name: The model that was asked.
        model_version: The version that answered, as the server reports it.
    """

    labels: tuple[str, ...]
    probabilities: Floats
    evidence: Floats | None
    model_name: str
    model_version: str

    def verdicts(self) -> list[Verdict]:
        """Return one verdict per image; only defects carry their evidence map."""
        best = self.probabilities.argmax(axis=1).tolist()
        return [
            self._verdict(row, probabilities, winner)
            for row, (probabilities, winner) in enumerate(zip(self.probabilities.tolist(), best, strict=True))
        ]

    def _verdict(self, row: int, probabilities: list[float], winner: int) -> Verdict:
        label = self.labels[winner]
        evidence = None
        if self.evidence is not None and label != NO_DEFECT:
            evidence = tuple(tuple(line) for line in self.evidence[row, :, :, winner].tolist())
        return Verdict(dict(zip(self.labels, probabilities, strict=True)), label, probabilities[winner], evidence)
