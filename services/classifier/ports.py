"""What the classifier needs from the world, each need as small as it is."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.contracts.image_path import Pixels
from services.contracts.messages import CameraStatus, DeadLetter, Frame, FrameReference
from services.contracts.records import Partition, PartitionListener, Record
from services.contracts.scores import Scores
from services.domain.inspection import Inspection, RejectedFrame, StoreReport


class RecordSource(Protocol):
    """Where frames come from; used by one thread only, apart from `problem`."""

    @property
    def problem(self) -> str | None:
        """Why nothing arrives, in words, or None."""
        ...

    def open(self, listener: PartitionListener) -> None:
        """Begin to take part."""

    def poll_batch(self, max_records: int, wait_s: float, linger_s: float) -> list[Record]:
        """Return what is there: wait `wait_s` for the first record and `linger_s` for more."""
        ...

    def commit_soon(self, next_offsets: Mapping[Partition, int]) -> None:
        """Begin to note for each partition the first offset that is not dealt with; never waits for the broker.

        `on_committed` tells when it is done. Raises `CommitFailed`.
        """

    def commit(self, next_offsets: Mapping[Partition, int]) -> None:
        """The same, and wait until it is done. Raises `CommitFailed`."""

    def hold(self) -> None:
        """Deliver nothing until `release`."""

    def release(self) -> None:
        """Deliver again."""

    def set_aside(self, topic: str) -> None:
        """Deliver nothing of a topic until `take_back`, apart from what is on its way already."""

    def take_back(self, topic: str, next_offsets: Mapping[Partition, int]) -> None:
        """Deliver a topic again that was set aside, from these offsets on."""

    def close(self) -> None:
        """Leave, so that others take over at once."""


class FrameDecoder(Protocol):
    """Reads a frame message in whichever framing it is written."""

    def decode(self, data: bytes) -> Frame:
        """Return the frame. Raises `RejectedMessage`, or `TransientError` when a registry does not answer."""
        ...


class ReferenceStore(Protocol):
    """Where images lie that did not travel inside their message."""

    def fetch(self, reference: FrameReference) -> bytes:
        """Return the image's bytes. Raises `RejectedMessage` (`unavailable_reference`, `too_large`)."""
        ...


class ImageScorer(Protocol):
    """One model. Raises `InferenceUnavailable` when it cannot look; that is never 'nothing found'."""

    @property
    def input_px(self) -> int:
        """Side of the square of pixels that the model takes."""
        ...

    def score(self, images: Pixels) -> Scores:
        """Look at a batch [n, input_px, input_px, 3]. Raises `RejectedMessage` when the model refuses it."""
        ...


class InspectionRepository(Protocol):
    """Where facts are kept. Every method raises `StorageUnavailable` when the database does not answer."""

    def store(self, inspections: Sequence[Inspection], rejected: Sequence[RejectedFrame]) -> StoreReport:
        """Keep a batch in one transaction; what is there already stays as it is."""
        ...

    def store_camera_status(self, statuses: Sequence[CameraStatus]) -> None:
        """Keep what cameras say about themselves."""


class DeadLetterSink(Protocol):
    """Where messages go that can never become an inspection."""

    def publish_all(self, letters: Sequence[DeadLetter]) -> None:
        """Return when every letter is delivered. Raises `DeliveryFailed`; some may be delivered all the same."""
