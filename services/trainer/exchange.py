"""Published versions in formats that other tools read."""

from __future__ import annotations

import shutil
from pathlib import Path

from services.contracts.errors import ConfigurationError
from services.trainer.frames import FRAME_PX
from services.trainer.promotion import read_card
from services.trainer.repository import CARD_FILE, LABELS_FILE, MODEL_FILE, WEIGHTS_FILE
from services.trainer.verification import rendered_frames
from services.trainer.warm_start import start_network

OPENVINO_INT8 = "openvino-int8"
SAVED_MODEL = "saved-model"
KERAS = "keras"
ONNX = "onnx"
TARGETS = (OPENVINO_INT8, ONNX, SAVED_MODEL, KERAS)
_PROBES_PER_CLASS = 4
_PROBE_SEED = 910_000


def export_version(repository: Path, name: str, version: int, target: str, out: Path) -> None:
    """Write a version, its labels and its card into a new directory.

    `openvino-int8` is the served file itself. `onnx`, `saved-model` and `keras` hold the network in real numbers
    with the kernels of the INT8 file: it answers as the served model does, but for the rounding of activations.
    `onnx` and `saved-model` have the served model's input and outputs.

    Raises:
        ConfigurationError: There is no such version or target, or the directory cannot be written.
    """
    if target not in TARGETS:
        raise ConfigurationError(f"{target!r} is no export target: use {', '.join(TARGETS)}.")
    read_card(repository, name, version)
    if out.exists():
        raise ConfigurationError(f"{out} exists already: name a directory that does not.")
    folder = repository / name / str(version)
    staged = out.with_name(f".{out.name}.incoming")
    try:
        staged.mkdir(parents=True)
        shutil.copy2(folder / CARD_FILE, staged)
        shutil.copy2(repository / name / LABELS_FILE, staged)
        if target == OPENVINO_INT8:
            for file in (MODEL_FILE, WEIGHTS_FILE):
                shutil.copy2(folder / file, staged)
        else:
            _write_network(repository, name, version, target, staged)
        staged.rename(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _write_network(repository: Path, name: str, version: int, target: str, staged: Path) -> None:
    labels = (repository / name / LABELS_FILE).read_text(encoding="utf-8").split()
    images, _ = rendered_frames(_PROBES_PER_CLASS, _PROBE_SEED)
    network = start_network(f"{name}@{version}", repository, len(labels), 0.0, images)
    if target == KERAS:
        network.model.save(staged / "model.keras")
        return
    from services.trainer.export import served_network
    from services.trainer.served import as_input

    served = served_network(network, FRAME_PX)
    served(as_input(images[:1]))  # Keras exports to ONNX only what was called once
    file, form = ("model.onnx", "onnx") if target == ONNX else ("saved_model", "tf_saved_model")
    served.export(str(staged / file), format=form, verbose=False)
