"""What a person said about a frame."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ReviewedFrame:
    """A frame with the class that a person sees in it, and what the model had said.

    `image` holds the JPEG or PNG bytes that were kept.
    """

    frame_id: UUID
    captured_at: datetime
    line_id: str
    camera_id: str
    coil_id: str | None
    material: str
    model_name: str
    model_version: str
    said_class: str
    said_confidence: float
    answer: str
    image: bytes

    @property
    def group(self) -> str:
        """What must not stand on both sides of a split: the coil, or the camera's day where no coil is known."""
        coil = self.coil_id or f"{self.camera_id}/{self.captured_at:%Y-%m-%d}"
        return f"{self.line_id}/{coil}"
