"""What the trainer asks of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EpochReport:
    """Figures of one finished epoch, measured on the augmented training batches.

    Attributes:
        epoch: Counts from 1 over all sessions of the run.
        progress: Share of the whole run that is done, 0 to 1.
        image_px: Image size of this epoch.
        loss: Mean cross entropy.
        accuracy: Share of images whose most probable class is their (heavier) label.
        learning_rate: At the end of the epoch.
        duration_s: Working time of the epoch.
        images_per_s: Training speed.
    """

    epoch: int
    progress: float
    image_px: int
    loss: float
    accuracy: float
    learning_rate: float
    duration_s: float
    images_per_s: float


class TrainingObserver(Protocol):
    """Watches a run, for a progress display."""

    def step_done(self, progress: float, loss: float, accuracy: float) -> None:
        """One batch is trained; progress is the share of the run, loss and accuracy are this batch's."""

    def epoch_done(self, report: EpochReport) -> None:
        """One epoch is trained and saved."""

    def stage(self, sentence: str) -> None:
        """Something else than training begins."""
