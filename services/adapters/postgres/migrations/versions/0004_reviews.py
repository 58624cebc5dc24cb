"""What people say about frames: pictures, answers, and the function that adds one."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0004"
down_revision: Final = "0003"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the tables, the view and the function."""
    run_sql_file(op.get_bind(), "0004_reviews.sql")


def downgrade() -> None:
    """Refuse: what people said would be lost.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("0004 holds what people said about frames: restore a backup instead")
