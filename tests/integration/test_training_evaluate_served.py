"""`evaluate` through the real Triton with the shipped model: the demo line's own frames."""

import json
from pathlib import Path

import cv2
import numpy as np

from services.adapters.cameras.renderer import render
from services.adapters.triton import TritonClassifier
from services.domain.classes import SURFACE_LABELS
from services.runtime.settings import TritonSettings
from services.trainer.evaluation import EvaluationRequest, evaluate_served
from services.trainer.served import ServedModel, run_model
from tests.conftest import served_card

PER_CLASS = 4


def test_the_served_model_is_as_good_on_rendered_frames_as_its_card_says(triton_url: str, tmp_path: Path) -> None:
    rows = ["image_path,target"]
    for label in SURFACE_LABELS:
        for seed in range(500, 500 + PER_CLASS):
            cv2.imwrite(str(tmp_path / f"{label}-{seed}.jpg"), render(label, seed))
            rows.append(f"{label}-{seed}.jpg,{label}")
    csv_file = tmp_path / "labels.csv"
    csv_file.write_text("\n".join(rows) + "\n", encoding="utf-8")
    model = TritonClassifier(TritonSettings(url=triton_url, inference_timeout_s=60), "surface_defects")
    try:
        evaluation = evaluate_served(EvaluationRequest(tmp_path, csv_file), model)
    finally:
        model.close()
    assert evaluation.model_name == "surface_defects"
    assert evaluation.report.top1.n == PER_CLASS * len(SURFACE_LABELS)
    card = json.loads(served_card().read_text(encoding="utf-8"))
    promised_low, promised_high = card["figures"]["rendered_frames"]["top1"]["wilson95"]
    low, high = evaluation.report.top1.interval
    assert low <= promised_high, evaluation.report.top1
    assert high >= promised_low, evaluation.report.top1


def test_the_shipped_models_evidence_adds_up_to_its_probabilities() -> None:
    import openvino as ov

    folder = served_card().parent
    bias = json.loads(served_card().read_text(encoding="utf-8"))["evidence_bias"]
    images = [render(label, seed) for label in SURFACE_LABELS for seed in (600, 601)]
    answer = run_model(ServedModel(ov.Core().read_model(folder / "model.xml"), tuple(bias)), images)
    logits = answer.evidence.mean(axis=(1, 2)) + np.array(bias)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, answer.probabilities, atol=1e-4)
