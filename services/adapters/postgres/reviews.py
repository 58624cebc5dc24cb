"""Reads what people said about frames, a few hundred pictures at a time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from services.adapters.postgres.connecting import connect, translated
from services.domain.review import ReviewedFrame

_AT_ONCE: Final = 200
# Answers that cannot be told teach nothing and are left out.
_SELECT: Final = """
SELECT frame_id, captured_at, line_id, camera_id, coil_id, material, model_name, model_version, said_class,
       said_confidence, answer, image
FROM millsight.review_answers JOIN millsight.review_pictures USING (frame_id)
WHERE answer IS NOT NULL AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
  AND (%(material)s::text IS NULL OR material = %(material)s)
ORDER BY captured_at, frame_id
"""


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """Which answers: given since a moment, about one material; None for all."""

    since: datetime | None = None
    material: str | None = None


def reviewed_frames(url: str, request: ReviewRequest) -> Iterator[ReviewedFrame]:
    """Yield every reviewed frame with its newest answer, oldest capture first.

    Raises:
        ConfigurationError: The schema or the role does not fit.
        StorageUnavailable: The database does not answer, or broke off.
    """
    with (
        closing(connect(url, application_name="millsight export-reviews", autocommit=False)) as connection,
        translated(),
    ):
        connection.execute("SET LOCAL statement_timeout = '10min'")
        with connection.cursor(name="reviews", row_factory=class_row(ReviewedFrame)) as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(_SELECT.encode(), {"since": request.since, "material": request.material})
            yield from cursor
