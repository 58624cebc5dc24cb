"""Remarks on a work order that do not move it on."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0006"
down_revision: Final = "0005"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Give the function of work orders the step comment."""
    run_sql_file(op.get_bind(), "0006_comments.sql")


def downgrade() -> None:
    """Refuse: comments that were written would belong to no known step.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("0006 holds what people wrote: restore a backup instead")
