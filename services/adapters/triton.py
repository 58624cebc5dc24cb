"""Asking a model that Triton serves, over gRPC: uint8 pixels in, class probabilities and evidence maps out."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from services.contracts.errors import InferenceUnavailable, RejectedMessage, RejectReason
from services.contracts.image_path import Pixels
from services.contracts.scores import Floats, Scores
from services.runtime.settings import TritonSettings

_INPUT: Final = "image"
_PROBABILITIES: Final = "probabilities"
_EVIDENCE: Final = "evidence"
_QUESTION_S: Final = 2.0
_UNLIMITED: Final = 2**31 - 1
_CHANNEL: Final = [
    ("grpc.max_send_message_length", _UNLIMITED),
    ("grpc.max_receive_message_length", _UNLIMITED),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]
"""Reconnects within a second; the library's own default waits up to two minutes after an outage."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """What a served model takes and gives. `input_px` is the side of its square input."""

    version: str
    input_px: int
    labels: tuple[str, ...]
    has_evidence: bool


class TritonClassifier:
    """One model of one server; safe to use from several threads.

    Nothing is asked before the first use. The signature, labels included, is read from the server itself, so a
    model with other classes or another input size needs no change here; it is read again when another version
    answers or after the server was away.
    """

    def __init__(self, settings: TritonSettings, model: str) -> None:
        """Prepare to ask `model` at the server of `settings`."""
        self._model = model
        self._settings = settings
        self._client = triton.InferenceServerClient(settings.url, channel_args=_CHANNEL)
        self._signature: ModelSignature | None = None
        self._lock = threading.Lock()

    @property
    def signature(self) -> ModelSignature:
        """What the model takes and gives.

        Raises:
            InferenceUnavailable: The server does not answer, or serves no such model, or one of another shape.
        """
        signature = self._signature
        if signature is not None:
            return signature
        with self._lock:
            if self._signature is None:
                try:
                    self._signature = self._read_signature()
                except RejectedMessage as error:  # our own question, so no frame is to blame
                    raise InferenceUnavailable(error.detail) from error
            return self._signature

    @property
    def input_px(self) -> int:
        """Side of the square of pixels that the model takes. Raises `InferenceUnavailable`."""
        return self.signature.input_px

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in output order. Raises `InferenceUnavailable`."""
        return self.signature.labels

    def score(self, images: Pixels) -> Scores:
        """Look at a batch: uint8 [n, input_px, input_px, 3], RGB; one request, bounded by the timeout.

        Raises:
            InferenceUnavailable: The model could not look; try again.
            RejectedMessage: The model refuses these images (`INVALID_ARGUMENT`).
        """
        signature = self.signature
        outputs = [_PROBABILITIES, _EVIDENCE] if signature.has_evidence else [_PROBABILITIES]
        answer = self._infer(images, [triton.InferRequestedOutput(name) for name in outputs])
        version = str(answer.get_response().model_version)
        if version != signature.version:
            self._signature = None
        return Scores(
            labels=signature.labels,
            probabilities=self._tensor(answer, _PROBABILITIES, (len(images), len(signature.labels))),
            evidence=_evidence(answer) if signature.has_evidence else None,
            model_name=self._model,
            model_version=version,
        )

    def problem(self) -> str | None:
        """Return why the model cannot be asked, naming it, or None; takes 2 s at most."""
        try:
            ready = self._ask(lambda: self._client.is_model_ready(self._model, client_timeout=_QUESTION_S))
        except InferenceUnavailable as error:
            return str(error)
        return None if ready else f"model {self._model} is not ready at {self._settings.url}"

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _read_signature(self) -> ModelSignature:
        metadata = self._ask(lambda: self._client.get_model_metadata(self._model, client_timeout=_QUESTION_S))
        shapes = {tensor.name: list(tensor.shape) for tensor in (*metadata.inputs, *metadata.outputs)}
        match shapes.get(_INPUT), shapes.get(_PROBABILITIES):
            case [_, int(height), int(width), 3], [_, int(classes)] if height == width > 0:
                labels = self._read_labels(int(height), int(classes))
                version = str(max(metadata.versions, key=int, default="1"))
                return ModelSignature(version, int(height), labels, _EVIDENCE in shapes)
            case _:
                raise InferenceUnavailable(
                    f"model {self._model} at {self._settings.url} must take '{_INPUT}' [n, side, side, 3]"
                    f" and give '{_PROBABILITIES}' [n, classes], but declares {shapes}"
                )

    def _read_labels(self, input_px: int, classes: int) -> tuple[str, ...]:
        """Read the labels by a question with Triton's classification extension: 'score:index:label'."""
        blank = np.zeros((1, input_px, input_px, 3), np.uint8)
        answer = self._infer(blank, [triton.InferRequestedOutput(_PROBABILITIES, class_count=classes)])
        names: dict[int, str] = {}
        for text in answer.as_numpy(_PROBABILITIES).reshape(-1):
            _, index, label = (text.decode() + "::").split(":")[:3]
            names[int(index)] = label
        labels = tuple(names.get(index, "") for index in range(classes))
        if not all(labels) or len(set(labels)) != classes:
            raise InferenceUnavailable(
                f"model {self._model} at {self._settings.url} does not name its {classes} classes one by one:"
                f" give its output '{_PROBABILITIES}' a label_filename"
            )
        return labels

    def _infer(self, images: Pixels, outputs: list[triton.InferRequestedOutput]) -> triton.InferResult:
        pixels = triton.InferInput(_INPUT, list(images.shape), "UINT8")
        pixels.set_data_from_numpy(images)
        timeout_s = self._settings.inference_timeout_s
        return self._ask(
            lambda: self._client.infer(self._model, [pixels], outputs=outputs, client_timeout=timeout_s)
        )

    def _ask(self, question: Callable[[], ResultT]) -> ResultT:
        """Ask; every status but INVALID_ARGUMENT means that the server could not look."""
        try:
            return question()
        except InferenceServerException as error:
            status = str(error.status()).removeprefix("StatusCode.")
            if status == "INVALID_ARGUMENT":
                raise RejectedMessage(
                    RejectReason.UNSUPPORTED_IMAGE, f"model {self._model} refuses the image: {error.message()}"
                ) from error
            self._signature = None
            raise InferenceUnavailable(
                f"model {self._model} at {self._settings.url} does not answer: {status}: {error.message()}"
            ) from error

    def _tensor(self, answer: triton.InferResult, name: str, shape: tuple[int, ...]) -> Floats:
        tensor: Floats | None = answer.as_numpy(name)
        if tensor is None or tensor.shape != shape:
            answered = getattr(tensor, "shape", None)
            raise InferenceUnavailable(
                f"model {self._model} answered '{name}' with shape {answered} instead of {shape}"
            )
        return tensor


def _evidence(answer: triton.InferResult) -> Floats | None:
    tensor: Floats | None = answer.as_numpy(_EVIDENCE)
    return tensor
