"""The model card: what went into a version and what it is worth, in plain JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from services.trainer.frames import FRAME_PX, LabelledFrame
from services.trainer.plan import TrainingPlan
from services.trainer.ports import EpochReport
from services.trainer.repository import sha256_of
from services.trainer.split import SPLIT_FILE, CoilSplit

if TYPE_CHECKING:  # cards are composed where OpenVINO is, and looked at elsewhere
    from services.trainer.verification import Verification

GROUPED, RANDOM = "coil_grouped_hold_out", "random_split"
_ARTICLE_BATCH_SIZE = 64
_LIBRARIES = ("tensorflow-cpu", "keras", "openvino", "nncf", "numpy", "opencv-python-headless")

LIMIT_OF_GROUPED = (
    "Accuracy is reported on coils that no weight was fitted to. A random split of this data leaks: frames of"
    " one coil stand on both sides. It was not measured, and no figure here compares with one."
)
_LIMIT_OF_RANDOM = (
    "Accuracy is reported on images drawn at random: where coils are known, frames of one coil stand on both"
    " sides, and the figures say little about the next coil."
)
_LIMITS = (
    "20.5 % of the annotated frames show several classes but carry one label; an oracle that knows the exact set"
    " of boxed classes reaches at best 91.1 %.",
    "The data has no frames of good strip. no_defect is learnt from box-free windows and rendered clean strip;"
    " unmarked defects outside the boxes are a known risk.",
    "Rendered frames are drawings: their accuracy says that the demo line works, nothing about a plant.",
)


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What went into a model version."""

    frames: Sequence[LabelledFrame]
    held_out: Sequence[LabelledFrame]
    split: CoilSplit
    labels: Sequence[str]
    plan: TrainingPlan
    history: Sequence[EpochReport]
    temperature: float
    csv_file: Path
    material: str
    date: str
    command: str
    parity: float
    notes: Sequence[str] = ()


def model_card(facts: RunFacts, figures: Verification) -> dict[str, object]:
    """Compose the card; hashes of the model files are added when they are written."""
    return {
        "date": facts.date,
        "command": facts.command,
        "architecture": "ResNet50 without top, located pooling, Dense 128 ReLU, Dense softmax",
        "start": facts.plan.weights,
        "input": f"image uint8 [{FRAME_PX}, {FRAME_PX}, 3] RGB, whole frame squeezed, standardised in the graph",
        "labels": list(facts.labels),
        "material": facts.material,
        "precision": "convolutions in INT8 (NNCF, after training), the rest in floating point",
        "data": _data(facts),
        "recipe": facts.plan.as_json(),
        "deviations": [*_deviations(facts.plan), *facts.notes],
        "training": _training(facts.history),
        "temperature": {
            "value": round(facts.temperature, 4),
            "fitted_on": "the held-out coils, after training; it changes no top-1 answer. The calibration error"
            " given as cross-fitted uses the temperature of the other half of the coils.",
        },
        "figures": {
            **_named(figures.as_json(), facts.split),
            "parity": {"largest_probability_difference": facts.parity, "between": "trained network and fp32 file"},
        },
        "limits": [_LIMIT_OF_RANDOM if facts.split.is_random else LIMIT_OF_GROUPED, *_LIMITS],
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _data(facts: RunFacts) -> dict[str, object]:
    return {
        "csv": facts.csv_file.name,
        "csv_sha256": sha256_of(facts.csv_file),
        "training": _count(facts.frames, facts.labels),
        "held_out": _count(facts.held_out, facts.labels),
        "rendered": "drawn anew for every batch, seeds from 1,000,000; smaller seeds are never trained on",
        "split": {
            "kind": _kind(facts),
            "file": SPLIT_FILE,
            "seed": facts.split.seed,
            "held_out_share": facts.split.held_out_share,
        },
    }


def _kind(facts: RunFacts) -> str:
    if not _has_coils(facts):
        return "at random, per class: no coils are known"
    return "at random, per class: coils stand on both sides" if facts.split.is_random else "by coil, per class"


def _named(figures: dict[str, object], split: CoilSplit) -> dict[str, object]:
    """Name figures of a random split so: they must never pass for those of coils that were held out whole."""
    if not split.is_random:
        return figures
    return {name.replace(GROUPED, RANDOM): value for name, value in figures.items()}


def _has_coils(facts: RunFacts) -> bool:
    return any(frame.coil != frame.image_path for frame in (*facts.frames, *facts.held_out))


def _count(frames: Sequence[LabelledFrame], labels: Sequence[str]) -> dict[str, object]:
    counts = Counter(frame.label for frame in frames)
    return {
        "images": len(frames),
        "coils": len({frame.coil for frame in frames}),
        "per_class": {labels[label]: counts[label] for label in sorted(counts)},
    }


def _deviations(plan: TrainingPlan) -> list[str]:
    deviations = [
        "AdamW with decoupled weight decay, warm-up and cosine schedule in place of plain Adam.",
        f"Image sizes in turn: {', '.join(str(phase.image_px) for phase in plan.phases)} px.",
    ]
    if plan.batch_size != _ARTICLE_BATCH_SIZE:
        deviations.append(
            f"Batch {plan.batch_size} in place of {_ARTICLE_BATCH_SIZE}: more steps in the same time on a CPU."
        )
    if plan.time_budget_s is not None:
        deviations.append(
            f"Length and learning-rate schedule by {plan.time_budget_s / 60:.0f} minutes of work, not by epochs:"
            " another machine makes another number of steps and other weights."
        )
    return deviations


def _training(history: Sequence[EpochReport]) -> dict[str, object]:
    return {
        "minutes": round(sum(report.duration_s for report in history) / 60, 1),
        "images_drawn": round(sum(report.duration_s * report.images_per_s for report in history)),
        "epochs": [
            {
                "epoch": report.epoch,
                "image_px": report.image_px,
                "loss": round(report.loss, 4),
                "accuracy": round(report.accuracy, 4),
            }
            for report in history
        ],
    }
