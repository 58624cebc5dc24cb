"""The line: topology, inspections with their images, rejects, model versions, camera status, reports."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0001"
down_revision: Final = None
branch_labels: Final = None
depends_on: Final = None


def upgrade() -> None:
    """Create tables, functions and views, and the first partitions."""
    bind = op.get_bind()
    for name in ("0001_tables.sql", "0001_functions.sql", "0001_views.sql"):
        run_sql_file(bind, name)
    bind.exec_driver_sql("SELECT millsight.ensure_partitions(3)")


def downgrade() -> None:
    """Refuse: dropping inspections is never the way back.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("0001 is the first revision: restore a backup instead of going below it")
