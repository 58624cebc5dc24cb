"""The training loop: resumable, with a schedule by epochs or by working time."""

from __future__ import annotations

import json
import logging
import math
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from services.contracts.errors import ConfigurationError
from services.trainer.arithmetic import bfloat16_arithmetic
from services.trainer.network import Network
from services.trainer.plan import TrainingPlan
from services.trainer.ports import EpochReport, TrainingObserver
from services.trainer.sampling import Batch, BatchSource

_log = logging.getLogger(__name__)

_BATCHES_AHEAD = 3
_SETTLING_BATCHES = 40
_SETTLING_FIRST_STEP = 1_000_000_000
_HISTORY_FILE = "history.json"


@dataclass(slots=True)
class _State:
    step: int = 0
    worked_s: float = 0.0


class Trainer:
    """Trains a network by a plan, checkpointing every epoch into a directory."""

    def __init__(self, network: Network, plan: TrainingPlan, source: BatchSource, directory: Path) -> None:
        """Prepare the optimiser and pick up the last checkpoint in the directory, if there is one."""
        self._model = network.model
        self._plan = plan
        self._source = source
        self._directory = directory
        self._history_file = directory / _HISTORY_FILE
        self._optimizer = _optimizer(network.model, plan)
        self._loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=plan.label_smoothing)
        checkpoint = tf.train.Checkpoint(model=self._model, optimizer=self._optimizer)
        self._checkpoints = tf.train.CheckpointManager(checkpoint, str(directory), max_to_keep=2)
        self._state = _State()
        self.history: list[EpochReport] = []
        self._resume()
        self._train_step = tf.function(self._step, reduce_retracing=True)

    def _resume(self) -> None:
        latest = self._checkpoints.restore_or_initialize()
        if latest is None or not self._history_file.is_file():
            return
        document = json.loads(self._history_file.read_text(encoding="utf-8"))
        self._state = _State(int(document["step"]), float(document["worked_s"]))
        self.history = [EpochReport(**entry) for entry in document["epochs"]]
        _log.info("resumed at step %d after %.0f s of work", self._state.step, self._state.worked_s)

    def run(self, observer: TrainingObserver) -> None:
        """Train to the end of the plan; a plan that is done already returns at once.

        Raises:
            ConfigurationError: A checkpoint cannot be written.
        """
        with bfloat16_arithmetic():
            while (progress := self._progress(0.0)) < 1:
                report = self._run_epoch(progress, observer)
                self.history.append(report)
                self._save()
                observer.epoch_done(report)
        self._optimizer.finalize_variable_values(self._model.trainable_variables)

    def _progress(self, since_s: float, steps: int = 0) -> float:
        """Share of the run that is done, with seconds and steps since the state was last updated."""
        if self._plan.time_budget_s is not None:
            return min(1.0, (self._state.worked_s + since_s) / self._plan.time_budget_s)
        return (self._state.step + steps) / (self._plan.epochs * self._plan.steps_per_epoch)

    def _run_epoch(self, progress: float, observer: TrainingObserver) -> EpochReport:
        image_px = self._plan.image_px(progress)
        started = time.monotonic()
        losses: list[float] = []
        hits: list[float] = []
        for batch in self._batches(image_px):
            rate = self._learning_rate(self._progress(time.monotonic() - started, len(losses)))
            self._optimizer.learning_rate.assign(rate)
            pixels = tf.constant(np.repeat(batch.pixels[..., None], 3, axis=3))
            loss, accuracy = self._train_step(
                pixels, tf.constant(batch.targets), tf.constant(batch.marks), tf.constant(batch.marked)
            )
            losses.append(float(loss))
            hits.append(float(accuracy))
            now = self._progress(time.monotonic() - started, len(losses))
            observer.step_done(now, losses[-1], hits[-1])
            if self._plan.time_budget_s is not None and not self._plan.same_phase(progress, now):
                break
        duration_s = time.monotonic() - started
        self._state.step += len(losses)
        self._state.worked_s += duration_s
        return EpochReport(
            epoch=len(self.history) + 1,
            progress=self._progress(0.0),
            image_px=image_px,
            loss=float(np.mean(losses)),
            accuracy=float(np.mean(hits)),
            learning_rate=float(self._optimizer.learning_rate.numpy()),
            duration_s=duration_s,
            images_per_s=len(losses) * self._plan.batch_size / duration_s,
        )

    def _batches(self, image_px: int) -> Iterator[Batch]:
        """Draw the epoch's batches in a thread, a few ahead of the optimiser."""
        first, count = self._state.step, self._plan.steps_per_epoch
        ahead: queue.Queue[Batch] = queue.Queue(_BATCHES_AHEAD)
        stopped = threading.Event()

        def draw() -> None:
            for step in range(first, first + count):
                ahead.put(self._source.batch(step, self._plan.batch_size, image_px))
                if stopped.is_set():
                    return

        threading.Thread(target=draw, name="batches", daemon=True).start()
        try:
            for _ in range(count):
                yield ahead.get()
        finally:
            stopped.set()
            while not ahead.empty():
                ahead.get_nowait()

    def _learning_rate(self, progress: float) -> float:
        plan = self._plan
        if progress < plan.warm_up:
            return plan.peak_learning_rate * (0.02 + 0.98 * progress / plan.warm_up)
        done = (progress - plan.warm_up) / (1 - plan.warm_up)
        return plan.peak_learning_rate * (0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * done)))

    def _step(
        self, pixels: tf.Tensor, targets: tf.Tensor, marks: tf.Tensor, marked: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            logits, said = self._model(pixels, training=True)
            loss = self._loss(targets, logits) + self._plan.mark_weight * _mark_loss(marks, said, marked)
        variables = self._model.trainable_variables
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), 5.0)
        self._optimizer.apply_gradients(zip(gradients, variables, strict=True))
        right = tf.equal(tf.argmax(logits, 1), tf.argmax(targets, 1))
        return loss, tf.reduce_mean(tf.cast(right, tf.float32))

    def _save(self) -> None:
        document = {
            "step": self._state.step,
            "worked_s": self._state.worked_s,
            "epochs": [asdict(report) for report in self.history],
        }
        partial = self._history_file.with_suffix(".tmp")
        try:
            self._checkpoints.save()
            partial.write_text(json.dumps(document, indent=1), encoding="utf-8")
            partial.replace(self._history_file)
        except (OSError, tf.errors.OpError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigurationError(
                f"The checkpoint cannot be written to {self._directory} (disk full?): {reason}"
            ) from error


def _mark_loss(marks: tf.Tensor, said: tf.Tensor, marked: tf.Tensor) -> tf.Tensor:
    """Cross entropy of the marks: summed over classes, mean over positions and over the pictures with marks."""
    per_class = tf.nn.sigmoid_cross_entropy_with_logits(marks, said)
    per_image = tf.reduce_mean(tf.reduce_sum(per_class, axis=3), axis=[1, 2])
    return tf.reduce_sum(per_image * marked) / tf.maximum(tf.reduce_sum(marked), 1.0)


def settle_batch_norm(
    network: Network, source: BatchSource, batch_size: int, image_px: int, batches: int = _SETTLING_BATCHES
) -> None:
    """Give the batch norms the statistics of the served image size: the mean over many batches, none forgotten.

    No weight changes. A running mean that forgets, as training keeps, rests on some ten batches; that noise cost
    five points on rendered frames. The batches are plain ones (not mixed), with the augmentation of training.
    """
    norms = [each for each in network.backbone.layers if isinstance(each, keras.layers.BatchNormalization)]
    for number in range(batches):
        for norm in norms:
            norm.momentum = number / (number + 1)
        batch = source.batch(_SETTLING_FIRST_STEP + 2 * number, batch_size, image_px)
        network.model(tf.constant(np.repeat(batch.pixels[..., None], 3, axis=3)), training=True)


def _optimizer(model: keras.Model, plan: TrainingPlan) -> keras.optimizers.Optimizer:
    """AdamW that leaves biases and batch-norm parameters undecayed."""
    optimizer = keras.optimizers.AdamW(
        plan.peak_learning_rate, weight_decay=plan.weight_decay, use_ema=True, ema_momentum=plan.averaging
    )
    small = [variable for variable in model.trainable_variables if len(variable.shape) <= 1]
    optimizer.exclude_from_weight_decay(var_list=small)
    optimizer.build(model.trainable_variables)
    return optimizer
