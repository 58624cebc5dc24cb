"""What a training run is told to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from services.contracts.errors import ConfigurationError
from services.trainer.frames import STRIDE_PX
from services.trainer.sampling import BatchMix


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run at one image size, until a share of the whole run is done."""

    image_px: int
    until: float


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The recipe. A run of the same plan, seed and data sees the same batches.

    Attributes:
        epochs: Length of the run when no time budget is given.
        steps_per_epoch: Optimiser steps between two checkpoints.
        time_budget_s: Ends the run by working time instead of epochs, with the learning-rate schedule
            stretched to fit; survives interruptions. None: by epochs.
        mark_weight: Weight of the cross entropy of the marks against that of the label.
        averaging: Share of the running average of the weights that a step keeps; the average is published.
        phases: Image sizes, small ones first.
        weights: Where the run starts: `none`, `imagenet`, a weights file or MODEL@VERSION.
    """

    epochs: int = 40
    steps_per_epoch: int = 50
    batch_size: int = 32
    seed: int = 20261123
    peak_learning_rate: float = 1e-3
    warm_up: float = 0.03
    weight_decay: float = 0.02
    label_smoothing: float = 0.1
    dropout: float = 0.3
    mark_weight: float = 1.0
    averaging: float = 0.98
    time_budget_s: float | None = None
    phases: tuple[Phase, ...] = (Phase(112, 0.4), Phase(160, 0.7), Phase(224, 1.0))
    weights: str = "none"
    mix: BatchMix = field(default_factory=BatchMix)

    def __post_init__(self) -> None:
        """Refuse sizes the network cannot take."""
        for phase in self.phases:
            if phase.image_px < STRIDE_PX or phase.image_px % STRIDE_PX not in (0, 16):
                raise ConfigurationError(
                    f"Image size {phase.image_px} px is not possible: use a multiple of 16, at least 32."
                )

    def image_px(self, progress: float) -> int:
        """Image size at a progress of 0 to 1."""
        return next((p.image_px for p in self.phases if progress < p.until), self.phases[-1].image_px)

    def same_phase(self, progress: float, later: float) -> bool:
        """Tell whether a later point of the run still belongs to the phase of an earlier one."""
        return later < 1 and self.image_px(progress) == self.image_px(later)

    def as_json(self) -> dict[str, Any]:
        """Return the plan for the model card."""
        return asdict(self)
