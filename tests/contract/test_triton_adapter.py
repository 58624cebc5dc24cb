"""The Triton adapter through the real client over gRPC, against a server that answers as it is told."""

import time
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from services.adapters.triton import TritonClassifier
from services.contracts.errors import InferenceUnavailable, RejectedMessage
from services.contracts.image_path import Pixels
from services.domain.classes import SURFACE_LABELS
from services.runtime.settings import TritonSettings
from tests.fakes.triton_server import ServedModel, scripted_triton


@pytest.fixture
def model() -> ServedModel:
    return ServedModel()


@pytest.fixture
def classifier(model: ServedModel) -> Iterator[TritonClassifier]:
    with scripted_triton(model) as url:
        classifier = TritonClassifier(TritonSettings(url=url, inference_timeout_s=2), "surface_defects")
        yield classifier
        classifier.close()


def images(*reds: int, side_px: int = 32) -> Pixels:
    pixels = np.zeros((len(reds), side_px, side_px, 3), np.uint8)
    pixels[:, 0, 0, 0] = reds
    return pixels


def test_the_signature_is_read_from_the_server(classifier: TritonClassifier) -> None:
    signature = classifier.signature
    assert (signature.input_px, signature.labels, signature.version) == (32, SURFACE_LABELS, "3")
    assert classifier.input_px == 32
    assert classifier.problem() is None


def test_each_image_gets_its_own_verdict_with_the_evidence_of_its_class(classifier: TritonClassifier) -> None:
    scores = classifier.score(images(3, 10, 0))
    assert (scores.model_name, scores.model_version) == ("surface_defects", "3")
    verdicts = scores.verdicts()
    assert [verdict.defect_class for verdict in verdicts] == ["oil_spot", "no_defect", "crease"]
    assert verdicts[0].confidence == pytest.approx(0.9)
    assert verdicts[0].evidence == ((3.0,) * 7,) * 7
    assert verdicts[1].evidence is None


def test_one_batch_is_one_request(classifier: TritonClassifier, model: ServedModel) -> None:
    classifier.score(images(*range(16)))
    assert model.requests == [1, 16]  # the first one asks for the labels


def test_a_model_without_evidence_is_asked_for_none(classifier: TritonClassifier, model: ServedModel) -> None:
    model.has_evidence = False
    scores = classifier.score(images(3))
    assert scores.evidence is None
    assert scores.verdicts()[0].evidence is None


@pytest.mark.parametrize(
    "status",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    ],
    ids=lambda status: status.name,
)
def test_a_server_that_cannot_look_is_tried_again(
    classifier: TritonClassifier, model: ServedModel, status: grpc.StatusCode
) -> None:
    classifier.score(images(1))
    model.status = status
    with pytest.raises(InferenceUnavailable, match=rf"surface_defects .*{status.name}"):
        classifier.score(images(1))
    model.status = None
    assert classifier.score(images(4)).verdicts()[0].defect_class == "punching_hole"


def test_a_slow_server_meets_the_deadline(model: ServedModel) -> None:
    with scripted_triton(model) as url:
        classifier = TritonClassifier(TritonSettings(url=url, inference_timeout_s=0.3), "surface_defects")
        classifier.score(images(1))
        model.seconds = 3
        started_s = time.monotonic()
        with pytest.raises(InferenceUnavailable, match="DEADLINE_EXCEEDED"):
            classifier.score(images(1))
        assert time.monotonic() - started_s < 1.5
        classifier.close()


def test_images_that_the_model_refuses_are_rejected(classifier: TritonClassifier) -> None:
    with pytest.raises(RejectedMessage, match="unexpected shape"):
        classifier.score(images(1, side_px=31))


def test_a_missing_model_is_named(model: ServedModel) -> None:
    with scripted_triton(model) as url:
        classifier = TritonClassifier(TritonSettings(url=url), "copper_defects")
        with pytest.raises(InferenceUnavailable, match=r"copper_defects .*NOT_FOUND"):
            _ = classifier.input_px
        assert "copper_defects" in str(classifier.problem())
        classifier.close()


def test_no_server_is_a_reason_not_an_answer() -> None:
    classifier = TritonClassifier(TritonSettings(url="127.0.0.1:1"), "surface_defects")
    assert "UNAVAILABLE" in str(classifier.problem())
    with pytest.raises(InferenceUnavailable):
        classifier.score(images(1))
    classifier.close()


def test_a_server_that_comes_back_is_used_within_two_seconds(model: ServedModel) -> None:
    with scripted_triton(model) as url:
        classifier = TritonClassifier(TritonSettings(url=url), "surface_defects")
        classifier.score(images(1))
    with pytest.raises(InferenceUnavailable):
        classifier.score(images(1))
    with scripted_triton(model, int(url.rsplit(":", 1)[1])):
        deadline = time.monotonic() + 2
        while True:
            try:
                classifier.score(images(1))
                break
            except InferenceUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    classifier.close()


def test_a_new_version_is_reported_and_its_signature_read_anew(
    classifier: TritonClassifier, model: ServedModel
) -> None:
    classifier.score(images(1))
    model.version = "4"
    assert classifier.score(images(1)).model_version == "4"
    assert classifier.signature.version == "4"


@pytest.mark.parametrize(
    "labels",
    [pytest.param(("", ""), id="without_labels"), pytest.param(("a", "a"), id="twice_the_same")],
)
def test_a_model_that_does_not_name_its_classes_cannot_be_used(
    classifier: TritonClassifier, model: ServedModel, labels: tuple[str, ...]
) -> None:
    model.labels = labels
    with pytest.raises(InferenceUnavailable, match="label_filename"):
        _ = classifier.signature


def test_a_model_of_another_shape_is_named(classifier: TritonClassifier, model: ServedModel) -> None:
    model.side_px = 0
    with pytest.raises(InferenceUnavailable, match="must take 'image'"):
        _ = classifier.signature
