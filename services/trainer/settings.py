"""The trainer's settings: environment variables `TRAINER_<GROUP>__<NAME>`."""

import os
from dataclasses import replace
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import SettingsGroup
from services.trainer.plan import Phase, TrainingPlan
from services.trainer.sampling import BatchMix

_NATIVE_LOG_LEVEL = "2"


class DataSettings(SettingsGroup):
    """What to train on."""

    images_dir: Path = Field(description="Directory that the CSV's image paths are relative to")
    csv_file: Path = Field(description="Columns image_path and target (or label)")
    held_out_share: float = Field(default=0.2, gt=0, lt=0.9, description="Share of coils not trained on")
    split_file: Path | None = Field(default=None, description="A saved split instead of a drawn one")


class RunSettings(SettingsGroup):
    """How long and on what to train."""

    work_dir: Path = Field(default=Path(".millsight/training"), description="Checkpoints")
    epochs: int = Field(default=40, ge=1)
    steps_per_epoch: int = Field(default=50, ge=1)
    batch_size: int = Field(default=32, ge=2, le=512)
    time_budget_min: float | None = Field(default=None, gt=0, description="Ends the run by working time")
    image_px: tuple[int, ...] = Field(
        default=(), description="Image sizes of equal shares of the run; none: 112, 160, 224"
    )
    seed: int = Field(default=20261123, ge=0)
    weights: str = Field(default="none", description="Start: none, imagenet, a weights file or MODEL@VERSION")
    peak_learning_rate: float = Field(default=1e-3, gt=0, le=0.1, description="Highest of the schedule")
    rendered_share: float = Field(default=0.25, ge=0, le=0.9, description="Share of rendered frames in a batch")
    threads: int = Field(default=0, ge=0, description="0: all cores")

    def plan(self) -> TrainingPlan:
        """Return the recipe these settings ask for."""
        plan = TrainingPlan(
            epochs=self.epochs,
            steps_per_epoch=self.steps_per_epoch,
            batch_size=self.batch_size,
            seed=self.seed,
            weights=self.weights,
            peak_learning_rate=self.peak_learning_rate,
            mix=BatchMix(rendered=self.rendered_share),
            time_budget_s=None if self.time_budget_min is None else 60 * self.time_budget_min,
        )
        sizes = self.image_px
        shares = tuple(Phase(size, (number + 1) / len(sizes)) for number, size in enumerate(sizes))
        return replace(plan, phases=shares) if shares else plan


class RepositorySettings(SettingsGroup):
    """Where the result goes."""

    directory: Path = Path("model_repository")
    model_name: str = "surface_defects"
    replace: bool = Field(default=False, description="Take the place of the newest version")


class TrainerSettings(BaseSettings):
    """All settings of the room."""

    model_config = SettingsConfigDict(
        env_prefix="TRAINER_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    data: DataSettings
    run: RunSettings = RunSettings()
    repository: RepositorySettings = RepositorySettings()


def prepare_tensorflow(threads: int) -> None:
    """Choose oneDNN and the number of threads; call before tensorflow is imported.

    TensorFlow uses oneDNN by itself only on CPUs with AVX-512; it doubles the speed of others too.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _NATIVE_LOG_LEVEL)  # noqa: TID251 - read by the library
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # noqa: TID251 - read by the library
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
