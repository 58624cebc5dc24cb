"""Counts by minute, kept in step with the inspections: reports over days stay quick."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0003"
down_revision: Final = "0002"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Count what is there, and let every later insertion count itself."""
    run_sql_file(op.get_bind(), "0003_frame_counts.sql")


def downgrade() -> None:
    """Refuse: reports of this version read the counts.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("reports read the counts of 0003: restore a backup instead of going below it")
