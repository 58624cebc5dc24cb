"""Models without a model, each named for what it does."""

import threading

import numpy as np
from typing_extensions import override

from services.contracts.errors import InferenceUnavailable, RejectedMessage, RejectReason
from services.contracts.image_path import Pixels
from services.contracts.scores import Scores
from services.domain.classes import SURFACE_LABELS


class BrightnessScorer:
    """Answers the class whose number is the image's mean brightness divided by 20: wrong pairing shows at once."""

    def __init__(self, input_px: int = 224, version: str = "1") -> None:
        self.input_px = input_px
        self.version = version
        self.batches: list[int] = []

    def score(self, images: Pixels) -> Scores:
        self.batches.append(len(images))
        winners = np.minimum(images[:, ::8, ::8].mean(axis=(1, 2, 3)) // 20, len(SURFACE_LABELS) - 1).astype(int)
        probabilities = np.full((len(images), len(SURFACE_LABELS)), 0.01, np.float32)
        probabilities[np.arange(len(images)), winners] = 0.9
        evidence = np.zeros((len(images), 7, 7, len(SURFACE_LABELS)), np.float32)
        return Scores(SURFACE_LABELS, probabilities, evidence, "surface_defects", self.version)


class AbsentScorer(BrightnessScorer):
    """Cannot look for the first `failures` requests, or for ever."""

    def __init__(self, failures: int | None = None) -> None:
        super().__init__()
        self.failures = failures
        self.attempts = 0

    @override
    def score(self, images: Pixels) -> Scores:
        self.attempts += 1
        if self.failures is None or self.attempts <= self.failures:
            raise InferenceUnavailable("model surface_defects does not answer")
        return super().score(images)


class RefusingScorer(BrightnessScorer):
    """Refuses every batch that holds an image brighter than 250."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts = 0

    @override
    def score(self, images: Pixels) -> Scores:
        self.attempts += 1
        if (images.mean(axis=(1, 2, 3)) > 250).any():
            raise RejectedMessage(RejectReason.UNSUPPORTED_IMAGE, "model surface_defects refuses the image")
        return super().score(images)


class SlowScorer(BrightnessScorer):
    """Counts how many requests run at a time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self._running = 0
        self.most_running = 0
        self._lock = threading.Lock()

    @override
    def score(self, images: Pixels) -> Scores:
        with self._lock:
            self._running += 1
            self.most_running = max(self.most_running, self._running)
        threading.Event().wait(self._seconds)
        with self._lock:
            self._running -= 1
        return super().score(images)
