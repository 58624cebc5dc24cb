"""Looking at a batch: decode in a thread pool, ask the models, and keep bad messages from harming the others."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import numpy as np

from services.classifier.ports import ImageScorer
from services.classifier.unwrap import FrameUnwrapper, ReadFrame
from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.image_path import Pixels, decode_checked
from services.contracts.picture_facts import PictureFacts, picture_facts
from services.contracts.records import Record
from services.contracts.scores import Scores
from services.domain.inspection import Verdict


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that can never become an inspection, and why."""

    record: Record
    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFrame:
    """A frame with the pixels its model takes, and what they say about its camera."""

    read: ReadFrame
    model: str
    pixels: Pixels
    facts: PictureFacts


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame with what its model said."""

    read: ReadFrame
    facts: PictureFacts
    verdict: Verdict
    model_name: str
    model_version: str


class Decoder:
    """Reads and decodes records in a pool of threads; the image libraries let go of the interpreter meanwhile."""

    def __init__(self, unwrapper: FrameUnwrapper, model_of: Callable[[str], str], threads: int) -> None:
        """`model_of` names the model for a camera; `threads` images are decoded at a time."""
        self._unwrapper = unwrapper
        self._model_of = model_of
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    def decode(
        self, records: Sequence[Record], input_px: Mapping[str, int]
    ) -> tuple[list[DecodedFrame], list[Rejection]]:
        """Return the frames that can be looked at, in order, and the records that cannot.

        Raises:
            TransientError: Whoever must be asked to read a message did not answer.
        """
        share = -(-len(records) // self._threads)
        parts = [records[start : start + share] for start in range(0, len(records), share)] if records else []
        answers = self._pool.map(lambda part: [self._decode_one(record, input_px) for record in part], parts)
        results = list(chain.from_iterable(answers))
        decoded = [each for each in results if isinstance(each, DecodedFrame)]
        return decoded, [each for each in results if isinstance(each, Rejection)]

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _decode_one(self, record: Record, input_px: Mapping[str, int]) -> DecodedFrame | Rejection:
        try:
            read = self._unwrapper.read(record)
            model = self._model_of(read.frame.camera_id)
            pixels = decode_checked(read.image, read.header, input_px[model])
            return DecodedFrame(read, model, pixels, picture_facts(pixels))
        except RejectedMessage as error:
            return Rejection(record, error.reason, error.detail)


class Looker:
    """Asks each frame's model; takes a message that a model refuses out of its batch."""

    def __init__(self, scorers: Mapping[str, ImageScorer]) -> None:
        """Know all models that cameras may ask for, by name."""
        self._scorers = scorers

    def input_px(self) -> dict[str, int]:
        """Return the side of every model's input.

        Raises:
            InferenceUnavailable: A model cannot be asked.
        """
        return {name: scorer.input_px for name, scorer in self._scorers.items()}

    def look(self, frames: Sequence[DecodedFrame]) -> tuple[list[SeenFrame], list[Rejection]]:
        """Return what the models say, and the frames that a model refuses.

        Raises:
            InferenceUnavailable: A model could not look.
        """
        seen: list[SeenFrame] = []
        rejected: list[Rejection] = []
        for model in sorted({frame.model for frame in frames}):
            self._look_at([frame for frame in frames if frame.model == model], seen, rejected)
        return seen, rejected

    def _look_at(self, frames: Sequence[DecodedFrame], seen: list[SeenFrame], rejected: list[Rejection]) -> None:
        """Ask once; when the model refuses, ask about each half: at most 2n - 1 requests for n frames."""
        try:
            scores = self._scorers[frames[0].model].score(np.stack([frame.pixels for frame in frames]))
        except RejectedMessage as error:
            if len(frames) == 1:
                rejected.append(Rejection(frames[0].read.record, error.reason, error.detail))
                return
            middle = len(frames) // 2
            self._look_at(frames[:middle], seen, rejected)
            self._look_at(frames[middle:], seen, rejected)
            return
        seen.extend(_seen(frames, scores))


def _seen(frames: Sequence[DecodedFrame], scores: Scores) -> list[SeenFrame]:
    return [
        SeenFrame(frame.read, frame.facts, verdict, scores.model_name, scores.model_version)
        for frame, verdict in zip(frames, scores.verdicts(), strict=True)
    ]
