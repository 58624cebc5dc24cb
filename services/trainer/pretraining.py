"""A start that has seen no picture of any set: weights fitted to rendered frames alone.

Every split of every set may start from it, all folds of a cross-validation too, which a published version may not:
it has seen pictures that the other folds hold out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras

from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.lineage import WEIGHTS_SUFFIX, note_file
from services.trainer.network import build_network
from services.trainer.plan import TrainingPlan
from services.trainer.ports import TrainingObserver
from services.trainer.repository import sha256_of, write_whole
from services.trainer.sampling import BatchMix, BatchSource
from services.trainer.training import Trainer
from services.trainer.work_dir import claim

_EVENLY = 1 / len(SURFACE_LABELS)


def pretrain(plan: TrainingPlan, work_dir: Path, out: Path, command: str, observer: TrainingObserver) -> None:
    """Train a fresh network on rendered frames of all labels, each as often, and save its weights.

    A note beside the file says what the weights have seen; a run that starts from them puts it on its card.

    Args:
        plan: The recipe; its mix and its start are not used.
        work_dir: Checkpoints; the same call with the same directory goes on where it stopped.
        out: The file to write, named like `rendered.weights.h5`.
        command: How the run was started.
        observer: Told of the progress.

    Raises:
        ConfigurationError: The file has another name or cannot be written, or the directory holds another run.
    """
    if not out.name.endswith(WEIGHTS_SUFFIX):
        raise ConfigurationError(f"{out} must end in {WEIGHTS_SUFFIX}, which tells Keras what it holds.")
    plan = replace(plan, weights="none", mix=BatchMix(rendered=1.0, rendered_clean=_EVENLY))
    claim(work_dir, json.dumps(plan.as_json(), sort_keys=True), command)
    keras.utils.set_random_seed(plan.seed)
    network = build_network(len(SURFACE_LABELS), dropout=plan.dropout)
    observer.stage("training on rendered frames")
    trainer = Trainer(network, plan, BatchSource([], [], plan.seed, plan.mix), work_dir)
    trainer.run(observer)
    drawn = sum(report.images_per_s * report.duration_s for report in trainer.history)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        network.model.save_weights(out)
        note = {"sha256": sha256_of(out), "seen": f"{round(drawn)} rendered frames and no picture of a data set"}
        write_whole(note_file(out), json.dumps(note, indent=1) + "\n")
    except OSError as error:
        raise ConfigurationError(f"The weights {out} cannot be written: {error.strerror}.") from error
