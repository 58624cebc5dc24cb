"""What a trained network is worth: held-out coils, rendered frames, clean strip, INT8 against fp32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.adapters.cameras.renderer import render
from services.domain.classes import NO_DEFECT, SURFACE_LABELS
from services.trainer.frames import FRAME_PX, GreyImage, LabelledFrame
from services.trainer.judgement import (
    accuracy_at_coverage,
    confusion_matrix,
    evidence_in_box,
    false_calls_at_recall,
    lenient_top1,
    macro_f1_interval,
    reliability_bins,
)
from services.trainer.metrics import Report, Share, calibration_error, evaluate, fit_temperature, only_defects
from services.trainer.samples import clean_window
from services.trainer.served import ModelOutputs, ServedModel, run_model

_JPEG_QUALITY = 90
_CLEAN_WINDOW_SEED = 20261123

Probabilities = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Images and coils that no weight was fitted to, and the labels that they are read by."""

    frames: Sequence[LabelledFrame]
    images: Sequence[GreyImage]
    names: tuple[str, ...] = SURFACE_LABELS

    @property
    def labels(self) -> list[int]:
        """True classes, positions in the labels."""
        return [frame.label for frame in self.frames]


@dataclass(frozen=True, slots=True)
class Verification:
    """Figures of the served (INT8) model and of the fp32 graph it came from.

    Attributes:
        held_out: All eleven answers allowed.
        held_out_defects_only: The no_defect answer left out.
        fp32_top1: The same frames by the fp32 graph.
        same_answer: Frames where INT8 and fp32 give the same class.
        largest_difference: Largest difference of a probability between INT8 and fp32.
        rendered: Rendered frames of reserved seeds, eleven classes; None for other materials.
        ece_cross_fitted: Calibration error with the temperature fitted on other coils.
        answers: What the served graph says of the held-out frames: probabilities [n, classes].
        details: What else the card says of the held-out frames, as plain values.
    """

    held_out: Report
    held_out_defects_only: Report
    fp32_top1: Share
    same_answer: Share
    largest_difference: float
    rendered: Report | None
    ece_cross_fitted: float | None
    answers: Probabilities
    details: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        """Return the figures for the model card."""
        return {
            "coil_grouped_hold_out": self.held_out.as_json(),
            "coil_grouped_hold_out_defects_only": self.held_out_defects_only.as_json(),
            "coil_grouped_hold_out_ece_cross_fitted": self.ece_cross_fitted,
            "rendered_frames": None if self.rendered is None else self.rendered.as_json(),
            "int8_against_fp32": {
                "fp32_top1": self.fp32_top1.as_json(),
                "int8_top1": self.held_out.top1.as_json(),
                "same_answer": self.same_answer.as_json(),
                "largest_probability_difference": round(self.largest_difference, 4),
            },
            **self.details,
        }


def verify(
    logits: npt.NDArray[np.floating], int8: ServedModel, held_out: HeldOut, rendered_per_class: int
) -> Verification:
    """Measure the served graph, and compare it with the fp32 graph on the same images.

    Args:
        logits: What the fp32 graph says of the held-out images, calibrated as the served graph is.
        int8: The graph to serve.
        held_out: The images.
        rendered_per_class: How many rendered frames of each class to look at; steel strip only.

    Raises:
        ValueError: There are no held-out images.
    """
    exact = _softmax(logits)
    outputs = run_model(int8, held_out.images)
    served, labels = outputs.probabilities, held_out.names
    truth = np.array(held_out.labels)
    same = served.argmax(axis=1) == exact.argmax(axis=1)
    kept, names = only_defects(served, labels)
    shows_defect = np.array([labels[label] != NO_DEFECT for label in truth])
    clean = _clean_gate(int8, held_out, served[shows_defect])
    return Verification(
        held_out=evaluate(served, held_out.labels, labels),
        held_out_defects_only=evaluate(
            kept[shows_defect], [names.index(labels[label]) for label in truth[shows_defect]], names
        ),
        fp32_top1=_share(exact.argmax(axis=1) == truth),
        same_answer=_share(same),
        largest_difference=float(np.abs(served - exact).max()),
        rendered=_rendered(int8, rendered_per_class) if labels == SURFACE_LABELS else None,
        ece_cross_fitted=cross_fitted_error(logits, held_out),
        answers=served,
        details={**_details(held_out, outputs), "no_defect_gate": clean},
    )


def _rendered(int8: ServedModel, per_class: int) -> Report:
    images, labels = rendered_frames(per_class)
    return evaluate(run_model(int8, images).probabilities, labels, SURFACE_LABELS)


def _clean_gate(int8: ServedModel, held_out: HeldOut, defects: Probabilities) -> dict[str, object] | None:
    """How well clean strip is told from defects, as it is served and where 90 % of the defects are found."""
    windows = clean_windows(held_out)
    if NO_DEFECT not in held_out.names or not windows or not len(defects):
        return None
    place = held_out.names.index(NO_DEFECT)
    clean = run_model(int8, windows).probabilities
    return {
        "clean_windows_called_a_defect": _share(clean.argmax(axis=1) != place).as_json(),
        "defect_frames_called_a_defect": _share(defects.argmax(axis=1) != place).as_json(),
        "clean_called_a_defect_at_90_percent_recall": false_calls_at_recall(
            clean[:, place], defects[:, place]
        ).as_json(),
    }


def _details(held_out: HeldOut, outputs: ModelOutputs) -> dict[str, object]:
    """Confusion, calibration by bin, coverage, bootstrap by coil, lenient top-1 and evidence."""
    truth, served = np.array(held_out.labels), outputs.probabilities
    called, confidence = served.argmax(axis=1), served.max(axis=1)
    low, high = macro_f1_interval(truth, called, [frame.coil for frame in held_out.frames])
    lenient = lenient_top1(held_out.frames, called)
    counts = confusion_matrix(truth, called, held_out.names)
    return {
        "confusion": {"labels": list(held_out.names), "rows_true": counts},
        "reliability": reliability_bins(confidence, called == truth),
        "accuracy_at_80_percent_coverage": accuracy_at_coverage(confidence, called == truth).as_json(),
        "macro_f1_bootstrap95_by_coil": [round(low, 4), round(high, 4)],
        "lenient_top1": None if lenient is None else lenient.as_json(),
        "evidence_in_box": evidence_in_box(held_out.frames, called, outputs.evidence).as_json(),
        "evidence_centre_in_box": evidence_in_box(held_out.frames, called, outputs.evidence, reach=0).as_json(),
    }


def _share(hits: npt.NDArray[np.bool_]) -> Share:
    return Share(int(hits.sum()), int(hits.size))


def logits_of(model: ServedModel, outputs: ModelOutputs) -> npt.NDArray[np.floating]:
    """Recover the logits from the evidence: its mean over positions plus the bias."""
    return np.asarray(outputs.evidence.mean(axis=(1, 2)) + np.array(model.evidence_bias))


def cross_fitted_error(logits: npt.NDArray[np.floating], held_out: HeldOut) -> float | None:
    """Calibration error when each half of the held-out coils gets the temperature of the other half.

    None when there is one coil only.
    """
    coils = sorted({frame.coil for frame in held_out.frames})
    if len(coils) <= 1:
        return None
    second = set(coils[1::2])
    in_second = np.array([frame.coil in second for frame in held_out.frames])
    truth = np.array(held_out.labels)
    probabilities = np.empty_like(logits)
    for half in (in_second, ~in_second):
        probabilities[half] = _softmax(logits[half] / fit_temperature(logits[~half], list(truth[~half])))
    return round(calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth), 4)


def _softmax(logits: npt.NDArray[np.floating]) -> Probabilities:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def rendered_frames(per_class: int, first_seed: int = 0) -> tuple[list[GreyImage], list[int]]:
    """Render frames of all eleven classes with reserved seeds, through JPEG as a camera sends them."""
    images, labels = [], []
    for label, name in enumerate(SURFACE_LABELS):
        for seed in range(first_seed, first_seed + per_class):
            frame = render(name, seed, FRAME_PX, FRAME_PX)
            coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1]
            images.append(np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8))
            labels.append(label)
    return images, labels


def clean_windows(held_out: HeldOut) -> list[GreyImage]:
    """Cut at most one box-free window out of every held-out frame that has boxes."""
    rng = np.random.default_rng(_CLEAN_WINDOW_SEED)
    windows = []
    for frame, image in zip(held_out.frames, held_out.images, strict=True):
        window = clean_window(frame, image, rng) if frame.boxes else None
        if window is not None:
            windows.append(np.asarray(cv2.resize(window, (FRAME_PX, FRAME_PX)), np.uint8))
    return windows
