"""The trainer's use case: images and a CSV in, a published model version out."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from services.contracts.errors import ConfigurationError
from services.domain.classes import SURFACE_LABELS
from services.trainer.answers import ANSWERS_FILE, answers_text
from services.trainer.card import RunFacts, model_card
from services.trainer.export import export_ir, quantise
from services.trainer.folds import fold_by_coil, fold_of
from services.trainer.frames import FRAME_PX, GreyImage, LabelledFrame, check_classes, load_images, read_frames
from services.trainer.lineage import check_lineage, start_note, version_folder
from services.trainer.metrics import fit_temperature
from services.trainer.network import Network
from services.trainer.plan import TrainingPlan
from services.trainer.ports import TrainingObserver
from services.trainer.repository import ModelRepository, ModelVersion, VersionExtras, sha256_of
from services.trainer.sampling import BatchSource
from services.trainer.served import ServedModel, as_input, run_model
from services.trainer.split import SPLIT_FILE, CoilSplit, split_by_coil
from services.trainer.training import Trainer, settle_batch_norm
from services.trainer.verification import HeldOut, logits_of, rendered_frames, verify
from services.trainer.warm_start import start_network
from services.trainer.work_dir import claim

_log = logging.getLogger(__name__)

_CALIBRATION_RENDERED_PER_CLASS = 4
_CALIBRATION_FIRST_SEED = 900_000
_PARITY_IMAGES = 64


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What to train on and where to put the result.

    Attributes:
        images_dir: Directory that the CSV's paths are relative to.
        csv_file: The labelled frames.
        model_name: Name in the model repository.
        repository_dir: The model repository.
        work_dir: Checkpoints; the same request with the same directory goes on where it stopped.
        plan: The recipe.
        held_out_share: Share of each class's coils that is kept for the verification.
        split_file: A saved split to use instead of drawing one.
        fold: Hold out this part of the coils instead, written like `2/5`.
        replace: Take the place of the newest version instead of adding one.
        rendered_per_class: Rendered frames of each class in the verification.
        calibration_frames: Training images that the INT8 ranges are taken from.
        notes: What else a reader of the model card should know of this run.
        settling_batches: Batches that the batch-norm statistics are taken from at the end.
        labels: Class names in output order, `no_defect` last where the model shall know clean strip.
        material: Name of the material pack that the classes belong to.
        date: Day of the training for the model card, ISO 8601.
        command: How the run was started, for the model card.
    """

    images_dir: Path
    csv_file: Path
    model_name: str
    repository_dir: Path
    work_dir: Path
    plan: TrainingPlan
    date: str
    command: str
    held_out_share: float = 0.2
    split_file: Path | None = None
    fold: str | None = None
    replace: bool = False
    rendered_per_class: int = 40
    calibration_frames: int = 256
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = SURFACE_LABELS
    settling_batches: int = 40
    material: str = "steel_strip"


@dataclass(frozen=True, slots=True)
class _TrainingSet:
    frames: Sequence[LabelledFrame]
    images: Sequence[GreyImage]
    held_out: HeldOut
    split: CoilSplit


def train(request: TrainingRequest, observer: TrainingObserver) -> ModelVersion:
    """Train, verify on held-out coils, quantise and publish a model version.

    Raises:
        ConfigurationError: The data cannot be used, or a directory cannot be written.
    """
    observer.stage("reading the images")
    data = _prepare(request)
    request = replace(request, notes=(*request.notes, *_lineage(request, data)))
    claim(request.work_dir, _facts(request, data.split), request.command)
    keras.utils.set_random_seed(request.plan.seed)
    network = start_network(
        request.plan.weights, request.repository_dir, len(request.labels), request.plan.dropout, data.images
    )
    source = BatchSource(data.frames, data.images, request.plan.seed, request.plan.mix, request.labels)
    trainer = Trainer(network, request.plan, source, request.work_dir)
    observer.stage("training")
    trainer.run(observer)
    observer.stage("settling the batch-norm statistics")
    settle_batch_norm(network, source, request.plan.batch_size, FRAME_PX, request.settling_batches)
    return _publish(request, data, network, trainer, observer)


def _prepare(request: TrainingRequest) -> _TrainingSet:
    frames = read_frames(request.csv_file, request.labels)
    check_classes(frames, request.labels)
    split = _split(request, frames)
    held = [index for index, frame in enumerate(frames) if split.is_held_out(frame)]
    kept = [index for index, frame in enumerate(frames) if not split.is_held_out(frame)]
    if not held or not kept:
        raise ConfigurationError(
            f"No coils can be held out of {request.csv_file}: give it more coils or another --held-out-share."
        )
    check_classes([frames[index] for index in kept], request.labels)
    images = load_images(request.images_dir, frames)
    return _TrainingSet(
        [frames[index] for index in kept],
        [images[index] for index in kept],
        HeldOut([frames[index] for index in held], [images[index] for index in held], request.labels),
        split,
    )


def _split(request: TrainingRequest, frames: Sequence[LabelledFrame]) -> CoilSplit:
    if request.fold is not None and request.split_file is not None:
        raise ConfigurationError("A saved split and a fold exclude each other: give --split or --fold.")
    if request.split_file is not None:
        return CoilSplit.load(request.split_file)
    if request.fold is not None:
        return fold_by_coil(frames, fold=fold_of(request.fold), seed=request.plan.seed)
    return split_by_coil(frames, share=request.held_out_share, seed=request.plan.seed)


def _lineage(request: TrainingRequest, data: _TrainingSet) -> tuple[str, ...]:
    folder = version_folder(request.plan.weights, request.repository_dir)
    if folder is None:
        return start_note(request.plan.weights)
    return check_lineage(folder, request.csv_file, data.held_out.frames, request.labels)


def _facts(request: TrainingRequest, split: CoilSplit) -> str:
    """Everything that the weights depend on."""
    plan = json.dumps(request.plan.as_json(), sort_keys=True)
    return "\n".join((sha256_of(request.csv_file), plan, split.as_text(), *request.notes))


def _publish(
    request: TrainingRequest, data: _TrainingSet, network: Network, trainer: Trainer, observer: TrainingObserver
) -> ModelVersion:
    observer.stage("exporting")
    plain = export_ir(network, FRAME_PX)
    logits = logits_of(plain, run_model(plain, data.held_out.images))
    temperature = fit_temperature(logits, data.held_out.labels)
    fp32 = export_ir(network, FRAME_PX, temperature)
    observer.stage("quantising to INT8")
    int8 = quantise(fp32, _calibration_images(request, data))
    observer.stage("verifying on held-out coils and rendered frames")
    figures = verify(logits / temperature, int8, data.held_out, request.rendered_per_class)
    parity = largest_difference(network, fp32, data.held_out.images[:_PARITY_IMAGES], temperature)
    facts = RunFacts(
        frames=data.frames,
        held_out=data.held_out.frames,
        split=data.split,
        labels=request.labels,
        material=request.material,
        plan=request.plan,
        history=trainer.history,
        temperature=temperature,
        csv_file=request.csv_file,
        date=request.date,
        command=request.command,
        notes=request.notes,
        parity=parity,
    )
    answers = answers_text(data.held_out.frames, figures.answers, request.labels)
    extras = VersionExtras(model_card(facts, figures), {SPLIT_FILE: data.split.as_text(), ANSWERS_FILE: answers})
    repository = ModelRepository(request.repository_dir)
    version = repository.publish(request.model_name, request.labels, int8, extras, replace=request.replace)
    _log.info("published %s version %d", version.name, version.version)
    return version


def largest_difference(
    network: Network, exported: ServedModel, images: Sequence[GreyImage], temperature: float
) -> float:
    """Largest difference of a class probability between the trained network and its exported fp32 file."""
    logits = network.model.predict(as_input(images), batch_size=16, verbose=0)[0]
    trained = keras.ops.convert_to_numpy(keras.ops.softmax(logits / temperature))
    return float(np.abs(trained - run_model(exported, images).probabilities).max())


def _calibration_images(request: TrainingRequest, data: _TrainingSet) -> list[GreyImage]:
    rng = np.random.default_rng(request.plan.seed)
    count = min(request.calibration_frames, len(data.images))
    chosen = rng.choice(len(data.images), count, replace=False)
    own = [data.images[int(index)] for index in chosen]
    if request.labels != SURFACE_LABELS:
        return own
    return own + rendered_frames(_CALIBRATION_RENDERED_PER_CLASS, _CALIBRATION_FIRST_SEED)[0]
