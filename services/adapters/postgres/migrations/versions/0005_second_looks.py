"""Refused messages that people want looked at once more."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0005"
down_revision: Final = "0004"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Add the requests and the functions around them."""
    run_sql_file(op.get_bind(), "0005_second_looks.sql")


def downgrade() -> None:
    """Refuse: who asked for what would be lost.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("0005 holds what people asked for: restore a backup instead")
