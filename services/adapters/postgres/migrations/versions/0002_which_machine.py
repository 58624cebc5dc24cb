"""Which machine: numbered inspections, registered defects, coils, flags, work orders, alerts, and reports."""

from typing import Final

from alembic import op

from services.adapters.postgres.sql_files import run_sql_file

revision: Final = "0002"
down_revision: Final = "0001"
branch_labels: Final = None
depends_on: Final = None

_FILES: Final = (
    "0002_inspections.sql",
    "0002_coils.sql",
    "0002_flags.sql",
    "0002_work_orders.sql",
    "0002_housekeeping.sql",
    "0002_figures.sql",
    "0002_machine_views.sql",
    "0002_views.sql",
)


def upgrade() -> None:
    """Add columns, tables, functions and views; old rows stay as they are."""
    bind = op.get_bind()
    for name in _FILES:
        run_sql_file(bind, name)


def downgrade() -> None:
    """Refuse: flags and work orders would be lost.

    Raises:
        NotImplementedError: Always; restore a backup instead.
    """
    raise NotImplementedError("0002 holds flags and work orders: restore a backup instead of going below it")
