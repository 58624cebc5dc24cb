"""From a record to a frame with its checked image: our Avro message, or a bare JPEG or PNG."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from services.classifier.ports import FrameDecoder, ReferenceStore
from services.classifier.sequence_watch import SequenceWatch
from services.contracts.errors import RejectedMessage, RejectReason
from services.contracts.identity import frame_id_for_bare
from services.contracts.image_path import DEFAULT_LIMITS, ImageHeader, check_image
from services.contracts.messages import Frame, FrameReference
from services.contracts.records import Record
from services.contracts.topics import camera_id_of
from services.domain.topology import DEFAULT_MATERIAL

_MESSAGE_MARKS: Final = (b"\xc3\x01", b"\x00")  # Avro single object, Confluent wire format


@dataclass(frozen=True, slots=True)
class ReadFrame:
    """A frame whose message and image header are sound; its pixels are not decoded yet."""

    record: Record
    frame: Frame
    image: bytes
    header: ImageHeader


class FrameUnwrapper:
    """Reads frames from records; whatever is wrong with one is a `RejectedMessage`."""

    def __init__(self, decoder: FrameDecoder, references: ReferenceStore, watch: SequenceWatch) -> None:
        """Use this decoder for messages, this store for images outside them; tell `watch` every number seen."""
        self._watch = watch
        self._decoder = decoder
        self._references = references

    def read(self, record: Record) -> ReadFrame:
        """Return the frame in a record.

        Raises:
            RejectedMessage: The record can never become an inspection.
            TransientError: Whoever must be asked did not answer.
        """
        if record.value.startswith(_MESSAGE_MARKS):
            return self._read_message(record)
        header = check_image(record.value)
        return ReadFrame(record, _bare_frame(record, header), record.value, header)

    def _read_message(self, record: Record) -> ReadFrame:
        frame = self._decoder.decode(record.value)
        camera_id = camera_id_of(record.position.topic)
        if frame.camera_id != camera_id:
            raise RejectedMessage(
                RejectReason.CAMERA_MISMATCH,
                f"the frame says camera {frame.camera_id!r:.100} on the topic of {camera_id!r}",
            )
        if frame.session_id is not None and frame.sequence is not None:
            self._watch.saw(frame.camera_id, frame.session_id, frame.sequence, time.monotonic())
        image = frame.image
        if isinstance(image, FrameReference):
            image = self._references.fetch(image)
        header = check_image(image)
        if hashlib.sha256(image).digest() != frame.sha256:
            raise RejectedMessage(
                RejectReason.CHECKSUM_MISMATCH, "the image's SHA-256 is not the one in the frame"
            )
        return ReadFrame(record, frame, image, header)


def _bare_frame(record: Record, header: ImageHeader) -> Frame:
    """Describe a bare image: named after where it lay, captured when its record was stamped."""
    at = record.position
    return Frame(
        frame_id=frame_id_for_bare(at.cluster_id, at.topic, at.partition, at.offset),
        camera_id=camera_id_of(at.topic),
        line_id=None,
        coil_id=None,
        material=DEFAULT_MATERIAL,
        captured_at=record.timestamp,
        session_id=None,
        sequence=None,
        strip_position_m=None,
        width_px=header.width_px,
        height_px=header.height_px,
        encoding=header.encoding,
        image=record.value,
        sha256=b"",
    )


class FileReferences:
    """Images in one directory of this machine or a share mounted on it."""

    def __init__(self, directory: Path | None) -> None:
        """Allow files below `directory`; None refuses every reference."""
        self._directory = None if directory is None else directory.resolve()

    def fetch(self, reference: FrameReference) -> bytes:
        """Return the file's bytes.

        Raises:
            RejectedMessage: Not a file below the directory, not there, of another size, or too large.
        """
        path = self._path(reference.uri)
        try:
            with path.open("rb") as file:
                data = file.read(DEFAULT_LIMITS.max_bytes + 1)
        except OSError as error:
            raise _unavailable(f"the referenced image cannot be read: {error.strerror}") from error
        if len(data) > DEFAULT_LIMITS.max_bytes:
            raise RejectedMessage(
                RejectReason.TOO_LARGE, f"the referenced image exceeds {DEFAULT_LIMITS.max_bytes} bytes"
            )
        if len(data) != reference.size_bytes:
            raise _unavailable(f"the referenced image has {len(data)} bytes instead of {reference.size_bytes}")
        return data

    def _path(self, uri: str) -> Path:
        if self._directory is None:
            raise _unavailable("references are not allowed here: set CLASSIFIER_IMAGES__REFERENCES_DIR")
        try:
            parts = urlsplit(uri)
            path = Path(unquote(parts.path)).resolve()
        except (ValueError, OSError, RuntimeError) as error:
            raise _unavailable("the reference's URI cannot be read") from error
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
            raise _unavailable("only file:// references are read")
        if not path.is_relative_to(self._directory) or not path.is_file():
            raise _unavailable("the referenced image is no file below the allowed directory")
        return path


def _unavailable(detail: str) -> RejectedMessage:
    return RejectedMessage(RejectReason.UNAVAILABLE_REFERENCE, detail)
