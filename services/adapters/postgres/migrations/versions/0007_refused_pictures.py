"""What could be seen of a refused message."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0007"
down_revision: Final = "0006"
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Give refused messages a picture."""
    run_sql_file(op.get_bind(), "0007_refused_pictures.sql")


def downgrade() -> None:
    """Forget the pictures; the messages stay in the dead-letter topic."""
    op.execute("ALTER TABLE millsight.rejected_frames DROP COLUMN picture")
